"""Changes to the application's HTML pages: the script tag, and the storage's origin in their Content-Security-Policy.

``injector``           the WSGI side: decide which responses are pages, and change them and the answers about them
``html_response``      recognize an HTML page by its status and headers, and adapt headers
``insertion``          insert the script tag into a page, at once or while it streams
``page_scanner``       find the marker in a page, and the position where the script tag may stand
``html_tokenizer``     read the tags of an HTML page that arrives in pieces
``unchanged_pages``    warn about pages that need the script tag but are encoded
``content_decoding``   decode the beginning of an encoded page
``csp``                find the nonce in a Content-Security-Policy, and add the storage's origin to it
"""
