"""Parts of the operations in ``uploads.py``.

``callbacks``    call the application's callbacks, and check what they return
``outcomes``     the values that the operations return
``attempts``     carry out a call for each of several uploads, so that the failure of one is its own
``sealing``      seal uploads in threads
``completion``   complete uploads: seal them, ask the application, confirm them, and issue their receipts
"""
