"""System checks: ``manage.py check`` reports wrong settings before the first upload does."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

from ...errors import ConfigurationError
from .configuration import make_middleware

MIDDLEWARE = "direct_upload_middleware.integrations.django.DirectUploads"
COMPRESSING = ("GZipMiddleware", "BrotliMiddleware", "CompressionMiddleware")


def check_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return an error if ``DIRECT_UPLOAD`` is wrong."""
    try:
        make_middleware(lambda environ, start_response: ())
    except ConfigurationError as error:
        hint = "Correct DIRECT_UPLOAD in the settings; its names are the options of DirectUploadMiddleware."
        return [Error(str(error), hint=hint, id="direct_upload.E001")]
    return []


def check_middleware(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return a warning if the middleware is missing, or is where it cannot see pages before they are compressed."""
    names = list(settings.MIDDLEWARE)
    if MIDDLEWARE not in names:
        hint = f"Add {MIDDLEWARE!r} to MIDDLEWARE. Silence this check if wsgi.py uses with_direct_uploads()."
        return [Warning("Direct uploads are installed, but not in MIDDLEWARE.", hint=hint, id="direct_upload.W001")]
    after = [name for name in names[names.index(MIDDLEWARE) :] if name.endswith(COMPRESSING)]
    if after:
        message = f"{after[0]} compresses pages before DirectUploads can add its script."
        return [Warning(message, hint=f"Put {after[0]!r} before {MIDDLEWARE!r}.", id="direct_upload.W002")]
    return []
