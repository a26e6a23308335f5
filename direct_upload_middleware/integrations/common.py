"""What the integrations share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..errors import ConfigurationError, InvalidReceipt, NotYours, StorageError, StorageUnavailable
from ..request_uploads import ENVIRON_KEY, RequestUploads

#: What ``environ["direct_upload.uploads"]`` raises on a request that it cannot serve: an error page, not a bug.
PAGE_ERRORS = (InvalidReceipt, NotYours, StorageError, StorageUnavailable)


@contextmanager
def framework(name: str, package: str) -> Iterator[None]:
    """Around the imports of a framework: when it is not installed, the ModuleNotFoundError says what to do."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != package:
            raise
        raise ModuleNotFoundError(f"{name} is not installed: pip install {package}", name=error.name) from error


def uploads_in(environ: Mapping[str, Any]) -> RequestUploads:
    """The uploads of a request; raises ConfigurationError when the middleware is not around the application."""
    try:
        uploads: RequestUploads = environ[ENVIRON_KEY]
    except KeyError:
        raise ConfigurationError(
            f"{ENVIRON_KEY!r} is not in the request's environ: it did not come through DirectUploadMiddleware. "
            "Wrap the application that the server runs."
        ) from None
    return uploads
