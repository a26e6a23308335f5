"""The WSGI application with the middleware: one line."""

from django.core.wsgi import get_wsgi_application

from direct_upload_middleware.integrations.django import with_direct_uploads

application = with_direct_uploads(get_wsgi_application())
