"""Files of any size from the browser straight into OpenStack Swift, for any WSGI application, in one line."""

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
