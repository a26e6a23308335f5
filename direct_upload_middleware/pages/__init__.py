"""What is changed in the application's HTML: the script tag, and what its Content-Security-Policy must allow.

``inject``   the WSGI side: which responses are pages, which headers change with them
``headers``  what makes a response an HTML page, and the headers of one that was changed
``insert``   puts the script tag into a page, whole or as it goes by
``scan``     finds the marker in a page that goes by, and the place where the script tag may stand
``tags``     the tags of HTML that comes in pieces
``csp``      the nonce of a Content-Security-Policy, and the storage's origin in it
"""
