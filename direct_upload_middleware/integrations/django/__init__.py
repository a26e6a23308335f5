"""Django: settings, one line in ``wsgi.py``, and a form field."""

from .middleware import UploadErrors, current_uploads, session_user, with_direct_uploads

__all__ = ["UploadErrors", "current_uploads", "session_user", "with_direct_uploads"]
