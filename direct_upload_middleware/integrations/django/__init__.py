"""Django: an application for ``INSTALLED_APPS`` and a middleware for ``MIDDLEWARE``.

::

    # settings.py
    INSTALLED_APPS += ["direct_upload_middleware.integrations.django"]
    MIDDLEWARE += ["direct_upload_middleware.integrations.django.DirectUploads"]
    DIRECT_UPLOAD = {
        "storage": "swift://uploads",
        "accept": ["image/*", ".pdf"],
        "on_complete": "documents.uploads.record",
    }

    # forms.py
    from direct_upload_middleware.integrations.django.forms import UploadField

    class DocumentForm(forms.Form):
        document = UploadField()                  # cleaned value: an Upload
        pictures = UploadField(multiple=True)     # cleaned value: a list of uploads

The names in ``DIRECT_UPLOAD`` are the middleware's options; callables may be dotted paths. The default secret is
``SECRET_KEY`` (with ``SECRET_KEY_FALLBACKS``). The default identity is the primary key of the logged-in user.

``DirectUploads`` works under WSGI and ASGI and with Django's test client. Put it after ``GZipMiddleware``. As an
alternative, ``with_direct_uploads(get_wsgi_application())`` in ``wsgi.py`` wraps the whole project.

In a view, ``current_uploads()`` is a :class:`~direct_upload_middleware.request_uploads.RequestUploads`. Its errors
become a 403 (through ``handler403``) or a page with their own status. Forms show them as errors of the field. Outside
requests, ``upload_store()`` is an :class:`~direct_upload_middleware.UploadStore`.

Django's CSRF protection stays in force: the upload API has its own same-site check, and forms carry their token.
"""

from .configuration import session_user, upload_store
from .current import current_uploads
from .middleware import DirectUploads, UploadErrors
from .wsgi import with_direct_uploads

__all__ = [
    "DirectUploads",
    "UploadErrors",
    "current_uploads",
    "session_user",
    "upload_store",
    "with_direct_uploads",
]
