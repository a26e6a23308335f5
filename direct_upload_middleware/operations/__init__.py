"""What the operations in ``uploads.py`` consist of.

``completion``   complete uploads: seal, ask the application, confirm
``sealing``      the threads that seal, and the marks by which processes tell each other
``attempts``     a call for each of several uploads, whose failures are their own
``outcomes``     the values that the operations return
"""
