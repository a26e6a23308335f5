"""Types of files: by name, by content, and which of them a browser executes. No I/O.

``active_types``      the media types that a browser executes or displays as a page
``extension_types``   the types of files by their extension
``media_types``       equivalent types, and the types that contain others
``sniff``             decide from the first bytes of a file whether ``accept`` allows it
"""
