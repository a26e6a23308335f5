"""Upload files of any size directly from the browser to object storage, from any WSGI application."""

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
from .middleware import DirectUploadMiddleware
from .models import Upload, UploadRequest

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
]
