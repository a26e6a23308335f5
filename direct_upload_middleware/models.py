"""The frozen values of the public API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class UploadRequest:
    """What a requester wants to upload, as ``authorize`` and ``object_name`` receive it.

    ``filename`` is the user's own name for the file: never use it as a path. ``size`` is in bytes, ``type`` a MIME
    type as the browser claims it, ``identity`` the requester's identity or None.
    """

    filename: str
    size: int
    type: str
    identity: str | None


@dataclass(frozen=True, slots=True)
class Upload:
    """One complete upload.

    ``id`` is unique: record an upload under it. ``name`` and ``container`` locate the object; ``filename`` is the
    user's own name for the file: display it, never use it as a path. ``type`` is a MIME type and ``size`` is in bytes.
    ``etag`` is the object's ETag: of a one-segment upload the MD5 in hex. ``owner`` is the identity that uploaded it,
    None for an anonymous upload; ``completed`` is an aware datetime in UTC.
    """

    id: str
    name: str
    container: str
    filename: str
    type: str
    size: int
    etag: str
    owner: str | None
    completed: datetime
