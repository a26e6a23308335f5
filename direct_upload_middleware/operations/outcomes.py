"""The values that the operations return, and what the storage must know of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..models import Upload
from ..storage.base import SignedSegment, StoredObject, Transfer
from ..tokens.tickets import Ticket

DOWNLOAD_TTL = 300
"""The lifetime of a presigned URL for GET in seconds."""


@dataclass(frozen=True, slots=True)
class BegunUpload:
    """A new upload: its ticket and the ticket's token, the binding cookie, and the first presigned URLs."""

    ticket: Ticket
    token: str = field(repr=False)
    cookie: str = field(repr=False)
    segments: list[SignedSegment]


@dataclass(frozen=True, slots=True)
class CompletedUpload:
    """A complete upload, its receipt, a presigned URL for GET, and the result of ``on_complete`` (JSON-able)."""

    upload: Upload
    receipt: str = field(repr=False)
    download_url: str = field(repr=False)
    data: Any


def stored_object(upload: Upload) -> StoredObject:
    """Return what the storage must know of a complete upload."""
    return StoredObject(name=upload.name, id=upload.id, size=upload.size, etag=upload.etag)


def log_fields(transfer: Transfer) -> dict[str, object]:
    """Return what is logged of an upload."""
    return {
        "upload_id": transfer.id,
        "upload_size": transfer.size,
        "upload_segments": transfer.segment_count,
        "upload_seal": transfer.seal,
    }
