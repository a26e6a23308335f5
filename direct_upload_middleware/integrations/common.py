"""Helpers shared by the integrations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..errors import (
    ConfigurationError,
    InvalidReceipt,
    InvalidRequest,
    NotAuthenticated,
    NotYours,
    Refused,
    StorageError,
    StorageUnavailable,
    TooLarge,
    TypeNotAccepted,
)
from ..request_uploads import ENVIRON_KEY, RequestUploads

#: Errors of ``environ["direct_upload.uploads"]`` that the integrations show as error pages.
PAGE_ERRORS = (
    InvalidReceipt,
    InvalidRequest,
    NotAuthenticated,
    NotYours,
    Refused,
    StorageError,
    StorageUnavailable,
    TooLarge,
    TypeNotAccepted,
)

RECEIPT_MESSAGES = {
    "invalid-receipt": "This upload is no longer valid. Choose the file again.",
    "not-yours": "This upload was started by another user. Choose the file again.",
}
"""Messages of a form about a receipt, by the code of the error."""


@contextmanager
def framework(name: str, package: str) -> Iterator[None]:
    """Add the ``pip install`` line to the ModuleNotFoundError of a framework's imports."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != package:
            raise
        raise ModuleNotFoundError(f"{name} is not installed: pip install {package}", name=error.name) from error


def uploads_in(environ: Mapping[str, Any]) -> RequestUploads:
    """Return the uploads of a request; raise ConfigurationError when it did not pass through the middleware."""
    try:
        uploads: RequestUploads = environ[ENVIRON_KEY]
    except KeyError:
        raise ConfigurationError(
            f"{ENVIRON_KEY!r} is not in the request's environ: it did not come through DirectUploadMiddleware. "
            "Wrap the application that the server runs; outside requests, use UploadStore."
        ) from None
    return uploads
