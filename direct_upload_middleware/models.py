"""The frozen values of the public API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class UploadRequest:
    """What a requester wants to upload, as ``authorize`` and ``object_name`` get it.

    ``filename`` is the user's own name for the file: never use it as a path. ``size`` is in bytes, ``type`` a MIME
    type as the browser claims it, ``identity`` the requester's or None.
    """

    filename: str
    size: int
    type: str
    identity: str | None


@dataclass(frozen=True, slots=True)
class Upload:
    """One finished upload.

    ``id`` is unique to it: the key under which an application records it. ``name`` and ``container`` say where the
    object is; ``filename`` is the user's own name for it, to be shown and never used as a path; ``type`` a MIME
    type; ``size`` is in bytes; ``etag`` the object's ETag, which of a one-segment upload is its MD5 in hex; ``owner``
    the identity that uploaded it, None for an anonymous one; ``completed`` an aware datetime, UTC.
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
