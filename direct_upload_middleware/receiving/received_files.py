"""One view of the file objects that Python and the frameworks give for an uploaded file.

They are recognised by their attributes, so no framework is imported: ``cgi.FieldStorage`` (WebOb, Pyramid), Werkzeug's
``FileStorage`` (Flask), Django's ``UploadedFile``, Bottle's ``FileUpload``, and any binary file object.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

SPOOL_SIZE = 1024**2
"""Bytes of a file that cannot seek which are kept in memory; the rest goes to a temporary file."""


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file that the application received: a seekable binary ``file``, and its ``filename``, ``type`` and ``size``."""

    file: BinaryIO
    filename: str
    type: str
    size: int


def is_file(value: object) -> bool:
    """Tell whether a form's value is a file, as opposed to a receipt; a file field left empty counts as a file."""
    return _binary_file(value) is not None and _filename(value) is not None


def is_empty(value: object) -> bool:
    """Tell whether a form's field was left empty: nothing, an empty text, or a file without a name."""
    return value is None or value in ("", b"") or (is_file(value) and not _filename(value))


def receipt_text(value: Any) -> object:
    """Return the text of a form's value that is not a file; ``cgi.FieldStorage`` wraps texts too."""
    if isinstance(value, bytes):
        return value.decode("ascii", "replace")
    return getattr(value, "value", value)


@contextmanager
def receive(value: Any, *, filename: str | None = None, type: str | None = None) -> Iterator[ReceivedFile]:
    """Give the file of a form's value, or a binary file object, ready to be read from its beginning.

    :param filename: overrides the value's own filename.
    :param type: overrides the value's own MIME type.
    :raises TypeError: the value is not a binary file.
    """
    given = io.BytesIO(value) if isinstance(value, bytes) else _binary_file(value)
    if given is None:
        raise TypeError(f"a binary file object or an uploaded file is needed, not {value.__class__.__name__}")
    name = _filename(value) if filename is None else filename
    with _seekable(given) as file:
        file.seek(0, io.SEEK_END)
        size = file.tell()
        file.seek(0)
        if not isinstance(file.read(0), bytes):
            raise TypeError("the file is open in text mode: open it in binary mode ('rb')")
        yield ReceivedFile(file, name or "", _type(value) if type is None else type, size)


def _binary_file(value: Any) -> BinaryIO | None:
    for name in ("file", "stream"):
        inner = getattr(value, name, None)
        if hasattr(inner, "read"):
            return cast(BinaryIO, inner)
    return cast(BinaryIO, value) if hasattr(value, "read") else None


def _filename(value: object) -> str | None:
    """Return the name of the user's file, None when the value is no file of a form.

    Bottle's ``filename`` is a changed one, and the ``name`` of ``cgi.FieldStorage``, Werkzeug's ``FileStorage`` and
    Bottle's ``FileUpload`` is that of the field.
    """
    for attribute in ("raw_filename", "filename"):
        if hasattr(value, attribute):
            name = getattr(value, attribute)
            return name if isinstance(name, str) else None
    name = getattr(value, "name", "")
    return os.path.basename(name) if isinstance(name, str) else ""


def _type(value: object) -> str:
    for attribute in ("content_type", "type"):
        found = getattr(value, attribute, None)
        if isinstance(found, str):
            return found
    return ""


@contextmanager
def _seekable(file: BinaryIO) -> Iterator[BinaryIO]:
    seekable = getattr(file, "seekable", None)
    if seekable() if seekable is not None else hasattr(file, "seek"):
        yield file
        return
    import shutil
    import tempfile

    with tempfile.SpooledTemporaryFile(max_size=SPOOL_SIZE) as spooled:
        shutil.copyfileobj(file, spooled)
        yield cast(BinaryIO, spooled)
