"""The frozen values of the public API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class UploadRequest:
    """A requested upload, as ``authorize`` and ``object_name`` receive it.

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

    def to_dict(self) -> dict[str, Any]:
        """Return a dictionary that JSON can represent; ``completed`` is a text in ISO 8601, UTC."""
        return asdict(self) | {"completed": self.completed.astimezone(UTC).isoformat()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Upload:
        """Return the upload of a dictionary, ignoring unknown keys: the result of :meth:`to_dict`, or a table's row.

        ``download_url``, ``open`` and ``delete`` need ``id``, ``name``, ``size``, ``etag`` and ``filename``. The other
        fields may be missing: ``container`` and ``type`` are then "", ``owner`` is None and ``completed`` is 1970.
        ``completed`` may be a text or a datetime; without a time zone it counts as UTC.

        :raises KeyError: a needed field is missing.
        :raises ValueError: ``completed`` is not a time in ISO 8601.
        """
        given = {field.name: values[field.name] for field in fields(cls) if field.name in values}
        if missing := [name for name in _NEEDED if name not in given]:
            raise KeyError(f"an upload needs {', '.join(missing)}")
        return cls(**{**_DEFAULTS, **given, "completed": _time(given.get("completed"))})


_NEEDED = ("id", "name", "filename", "size", "etag")
_DEFAULTS: dict[str, Any] = {"container": "", "type": "", "owner": None}


def _time(value: datetime | str | None) -> datetime:
    if value is None:
        return datetime.fromtimestamp(0, UTC)
    when = datetime.fromisoformat(value) if isinstance(value, str) else value
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
