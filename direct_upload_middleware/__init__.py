"""Upload files of any size directly from the browser to object storage, from any WSGI application."""

from typing import TYPE_CHECKING, Any

from .errors import (
    ConfigurationError,
    DirectUploadError,
    InvalidReceipt,
    InvalidTicket,
    NotYours,
    Refused,
    StorageError,
    StorageUnavailable,
    TicketExpired,
)
from .models import Upload, UploadRequest

if TYPE_CHECKING:
    from .middleware import DirectUploadMiddleware
    from .upload_store import UploadStore

__version__ = "0.1.0"

__all__ = [
    "ConfigurationError",
    "DirectUploadError",
    "DirectUploadMiddleware",
    "InvalidReceipt",
    "InvalidTicket",
    "NotYours",
    "Refused",
    "StorageError",
    "StorageUnavailable",
    "TicketExpired",
    "Upload",
    "UploadRequest",
    "UploadStore",
]


def __getattr__(name: str) -> Any:
    """Import the middleware when it is first used, since errors and uploads do not need it.

    A worker or a command that uses only those starts several times as fast.
    """
    if name == "DirectUploadMiddleware":
        from .middleware import DirectUploadMiddleware

        return DirectUploadMiddleware
    if name == "UploadStore":
        from .upload_store import UploadStore

        return UploadStore
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
