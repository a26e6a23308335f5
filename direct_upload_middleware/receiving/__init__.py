"""Files that the application itself has, from a form or from disk, and stores without a browser.

``received_files``   one view of the file objects of Python and of the frameworks
``storing``          store a file: in one step, what a browser does with begin, sign and complete
"""
