"""A storage backend for ``STORAGES``: ordinary ``FileField`` and ``ImageField`` keep their files in object storage.

::

    STORAGES = {
        "default": {"BACKEND": "direct_upload_middleware.integrations.django.storage.DirectUploadStorage"},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }

The inputs of such fields, in forms and in the admin, upload when a file is chosen. What was uploaded is not copied
again. The name in the database holds everything that is needed to find the file; it fits into the 100 characters of a
``FileField``, and with ``max_length=300`` no filename is shortened.
"""

from __future__ import annotations

import io
import json
import os
import posixpath
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any

from ...errors import DirectUploadError
from ...models import Upload
from ..common import framework
from .configuration import upload_store
from .current import find_current_uploads
from .files import StoredUploadedFile

with framework("Django", "django"):
    from django.core.exceptions import SuspiciousFileOperation
    from django.core.files.base import File
    from django.core.files.storage import Storage
    from django.utils.deconstruct import deconstructible

_FIELDS = ("id", "name", "etag")
_DIGITS = 32


def pack(upload: Upload, max_length: int | None = None) -> str:
    """Return the name of an upload in the database: its token, a slash, and its filename."""
    values = [getattr(upload, field) for field in _FIELDS]
    try:
        packed = b"".join(map(bytes.fromhex, values))
    except ValueError:
        packed = b""
    if len(packed) == len(_FIELDS) * _DIGITS // 2 and all(len(value) == _DIGITS for value in values):
        token = f"{_encode(packed)}{upload.size:x}"
    else:  # names that the application chose, ETags of other storages
        token = f"~{_encode(json.dumps([*values, upload.size]).encode())}"
    return f"{token}/{_shortened(upload.filename, max_length, len(token) + 1)}"


def unpack(name: str) -> Upload:
    """Return the upload of a name in the database; raise SuspiciousFileOperation for any other name."""
    token, _, filename = name.partition("/")
    try:
        if token.startswith("~"):
            *values, size = json.loads(_decode(token[1:]))
        else:
            packed, size = _decode(token[:64]).hex(), int(token[64:], 16)
            values = [packed[i : i + _DIGITS] for i in range(0, len(packed), _DIGITS)]
        return Upload.from_dict({**dict(zip(_FIELDS, values, strict=True)), "size": size, "filename": filename})
    except (ValueError, TypeError) as error:
        raise SuspiciousFileOperation(f"{name!r} is not the name of a direct upload") from error


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _shortened(filename: str, max_length: int | None, used: int) -> str:
    """Return the filename, with a shorter stem if there is no room for it."""
    if max_length is None or used + len(filename) <= max_length:
        return filename
    stem, extension = posixpath.splitext(filename)
    room = max_length - used - len(extension)
    if room < 1:
        raise SuspiciousFileOperation(f"max_length={max_length} is too short for the names of uploads: use 300")
    return stem[:room] + extension


@deconstructible(path="direct_upload_middleware.integrations.django.storage.DirectUploadStorage")
class DirectUploadStorage(Storage):
    """Django's storage API on the storage of ``settings.DIRECT_UPLOAD``.

    :param inline: let browsers display files at their URL instead of saving them.
    :param max_age: how many seconds a URL is valid.
    """

    def __init__(self, *, inline: bool = False, max_age: int = 3600) -> None:
        self.inline = inline
        self.max_age = max_age

    def generate_filename(self, filename: str | os.PathLike[str]) -> str:
        """Return the filename; the directory of ``upload_to`` has no meaning in object storage."""
        return posixpath.basename(os.fspath(filename))

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """Return the name: every upload has a name of its own."""
        return name

    def save(self, name: str | None, content: Any, max_length: int | None = None) -> str:
        """Store a file, unless it is in storage already; return its name for the database."""
        stored = _stored(content)
        if stored is not None:
            return pack(stored.upload, max_length)
        filename = posixpath.basename(name or getattr(content, "name", None) or "file")
        kind = getattr(content, "content_type", None)
        return pack(upload_store().store(_binary(content), filename=filename, type=kind), max_length)

    def _open(self, name: str, mode: str = "rb") -> File:  # type: ignore[type-arg]
        if mode not in ("r", "rb"):
            raise ValueError("files in object storage are opened for reading only")
        return File(upload_store().open(unpack(name)), name)

    def delete(self, name: str) -> None:
        """Delete a file."""
        upload_store().delete(unpack(name))

    def exists(self, name: str) -> bool:
        """Tell whether the file is in storage."""
        try:
            with upload_store().open(unpack(name)) as file:
                file.read(1)
        except (DirectUploadError, SuspiciousFileOperation):
            return False
        return True

    def size(self, name: str) -> int:
        """Return the size in bytes."""
        return unpack(name).size

    def url(self, name: str | None) -> str:
        """Return a presigned URL that downloads the file under its own name."""
        uploads = find_current_uploads() or upload_store()
        make: Callable[..., str] = uploads.download_url
        return make(unpack(name or ""), inline=self.inline, max_age=self.max_age)


def _stored(content: Any) -> StoredUploadedFile | None:
    """Return the file that is in storage already, if the content is one; Django wraps files in files."""
    while isinstance(content, File) and not isinstance(content, StoredUploadedFile):
        content = content.file
    return content if isinstance(content, StoredUploadedFile) else None


def _binary(content: Any) -> Any:
    """Return the content; the text of a ``ContentFile`` as UTF-8."""
    file = getattr(content, "file", content)
    return file.getvalue().encode() if isinstance(file, io.StringIO) else content
