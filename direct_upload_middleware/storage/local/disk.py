"""The files of the local storage. Every change is one atomic step: a crash leaves the state before or after it.

::

    secret                     the storage's own secret
    uploads/<id>/              one upload; an aborted or deleted upload has no directory
        <index>.<etag>         a segment that was received completely
        manifest.json          the upload is sealed: these segments, in this order
    objects/<SHA-256 of name>  the id of the upload that is the object of this name
    trash/                     what is being deleted
    locks/                     a fixed set of lock files, shared by all uploads

The bytes of a segment are written once and never moved or modified. While an upload is open, another file may replace a
segment; after sealing, none may.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from typing import BinaryIO

from ...errors import AlreadyComplete, ApplicationError, NotFound, StorageError
from ..base import Sealed, StoredSegment
from .files import FilesReader, locked, make_directory, sync_directory, sync_file, temporary_file, write_whole

_ID = re.compile(r"[0-9a-f]{32}")
_SEGMENT = re.compile(r"([0-9]+)\.([0-9a-f]{32})")
_MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class UploadRecord:
    """The manifest of a sealed upload. ``segments`` has the ETag and the size of each, in order."""

    id: str
    name: str
    type: str
    size: int
    etag: str
    sealed_at: int
    complete: bool
    segments: tuple[tuple[str, int], ...]

    @classmethod
    def from_json(cls, text: bytes) -> UploadRecord:
        """Read what :meth:`to_json` wrote. Raise StorageError."""
        try:
            fields = json.loads(text)
            fields["segments"] = tuple((etag, size) for etag, size in fields["segments"])
            return cls(**fields)
        except (ValueError, TypeError, KeyError) as error:
            raise StorageError("The manifest of an upload is corrupt.") from error

    def to_json(self) -> bytes:
        """Return the manifest as it is stored on disk."""
        return json.dumps(asdict(self)).encode()

    def sealed(self) -> Sealed:
        """Return the sealed upload as callers know it."""
        return Sealed(etag=self.etag, size=self.size, sealed_at=self.sealed_at, complete=self.complete)

    def stored(self) -> tuple[StoredSegment, ...]:
        """Return its segments as callers know them."""
        return tuple(StoredSegment(index, size, etag) for index, (etag, size) in enumerate(self.segments))

    def file_names(self) -> list[str]:
        """Return the names of its segments' files, in order."""
        return [f"{index}.{etag}" for index, (etag, _) in enumerate(self.segments)]


class UploadFiles:
    """The directory of one upload. Changes need the upload's lock (:meth:`Disk.lock`)."""

    def __init__(self, path: str) -> None:
        self.path = path

    def manifest(self) -> UploadRecord | None:
        """Return the manifest of a sealed upload, None for an open one. Raise NotFound if there is no such upload."""
        try:
            with open(os.path.join(self.path, _MANIFEST), "rb") as file:
                return UploadRecord.from_json(file.read())
        except FileNotFoundError:
            if os.path.isdir(self.path):
                return None
            raise NotFound from None

    def check_open(self) -> None:
        """Raise NotFound or AlreadyComplete unless the upload is open."""
        if self.manifest() is not None:
            raise AlreadyComplete

    def segments(self) -> dict[int, StoredSegment]:
        """Return the stored segments by index. If a crash left two of one index, the newer one counts."""
        found: dict[int, tuple[int, StoredSegment]] = {}
        for index, entry in self._segment_files():
            stat = entry.stat()
            known = found.get(index)
            if known is None or known[0] < stat.st_mtime_ns:
                found[index] = (stat.st_mtime_ns, StoredSegment(index, stat.st_size, entry.name.partition(".")[2]))
        return {index: found[index][1] for index in sorted(found)}

    def _segment_files(self) -> Iterator[tuple[int, os.DirEntry[str]]]:
        with os.scandir(self.path) as entries:
            for entry in entries:
                if match := _SEGMENT.fullmatch(entry.name):
                    yield int(match[1]), entry

    def put(self, index: int, etag: str, path: str) -> None:
        """Make a file the segment of this index, and remove its predecessor."""
        name = f"{index}.{etag}"
        os.replace(path, os.path.join(self.path, name))
        sync_directory(self.path)
        for other, entry in self._segment_files():
            if other == index and entry.name != name:
                os.unlink(entry.path)

    def write(self, manifest: UploadRecord) -> None:
        """Write the manifest: seal the upload, or change its state."""
        write_whole(os.path.join(self.path, _MANIFEST), manifest.to_json(), by_way_of=self.path)

    def complete(self, manifest: UploadRecord) -> UploadRecord:
        """Mark a sealed upload as complete, and remove what does not belong to it."""
        completed = replace(manifest, complete=True)
        self.write(completed)
        for name in self.unneeded(completed):
            with suppress(FileNotFoundError):
                os.unlink(os.path.join(self.path, name))
        return completed

    def unneeded(self, manifest: UploadRecord) -> list[str]:
        """Return the names of files that do not belong to a sealed upload."""
        return sorted({*os.listdir(self.path)} - {_MANIFEST, *manifest.file_names()})

    def reader(self, manifest: UploadRecord) -> FilesReader:
        """Return a reader of a sealed upload's bytes."""
        sizes = [size for _, size in manifest.segments]
        paths = [os.path.join(self.path, name) for name in manifest.file_names()]
        return FilesReader(list(zip(paths, sizes, strict=True)))


class Incoming:
    """A segment that is being received. It becomes visible with :meth:`keep`."""

    def __init__(self, disk: Disk, upload_id: str, file: BinaryIO) -> None:
        self._disk = disk
        self._id = upload_id
        self._file = file
        self._md5 = hashlib.md5(usedforsecurity=False)
        self.size = 0

    @property
    def etag(self) -> str:
        """The MD5 of the bytes written so far, in hex."""
        return self._md5.hexdigest()

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self._md5.update(data)
        self.size += len(data)
        self._file.write(data)

    def keep(self, index: int) -> None:
        """Make it the segment of this index. Raise NotFound or AlreadyComplete unless the upload is still open."""
        sync_file(self._file)
        files = self._disk.files(self._id)
        with self._disk.lock(self._id):
            files.check_open()
            files.put(index, self.etag, self._file.name)


class Disk:
    """The directory of a local storage. ``container`` is a namespace of objects. Methods raise OSError."""

    def __init__(self, root: str, container: str) -> None:
        self.root = root
        self._container = container
        self._uploads = os.path.join(root, "uploads")
        self._objects = os.path.join(root, "objects")
        self._trash = os.path.join(root, "trash")

    def lock(self, upload_id: str) -> AbstractContextManager[None]:
        """Lock this upload. All uploads share 256 lock files, so that none is ever left behind."""
        return locked(os.path.join(self.root, "locks", upload_id[:2]))

    def _lock_objects(self) -> AbstractContextManager[None]:
        return locked(os.path.join(self.root, "locks", "objects"))

    def files(self, upload_id: str) -> UploadFiles:
        """Return the upload's directory, which need not exist. Raise NotFound for an invalid id."""
        if not _ID.fullmatch(upload_id):
            raise NotFound
        return UploadFiles(os.path.join(self._uploads, upload_id))

    def ids(self) -> list[str]:
        """Return the ids of all uploads."""
        with suppress(FileNotFoundError):
            return sorted(filter(_ID.fullmatch, os.listdir(self._uploads)))
        return []

    def begin(self, upload_id: str) -> None:
        """Create the directory of a new upload."""
        make_directory(self.files(upload_id).path)

    @contextmanager
    def incoming(self, upload_id: str) -> Iterator[Incoming]:
        """Receive a segment. Raise NotFound or AlreadyComplete unless the upload is open."""
        files = self.files(upload_id)
        files.check_open()
        with temporary_file(files.path) as file:
            yield Incoming(self, upload_id, file)

    def remove(self, upload_id: str) -> None:
        """Remove the upload's directory in one step, if it exists. The caller holds its lock."""
        make_directory(self._trash)
        with suppress(FileNotFoundError):
            os.rename(self.files(upload_id).path, os.path.join(self._trash, f"{upload_id}-{secrets.token_hex(8)}"))
            sync_directory(self._uploads)
        for name in os.listdir(self._trash):  # also what a crash left
            shutil.rmtree(os.path.join(self._trash, name), ignore_errors=True)

    def _pointer(self, name: str) -> str:
        return os.path.join(self._objects, hashlib.sha256(f"{self._container}/{name}".encode()).hexdigest())

    def _points_to(self, name: str) -> str | None:
        with suppress(FileNotFoundError), open(self._pointer(name), encoding="ascii") as file:
            return file.read()
        return None

    def publish(self, manifest: UploadRecord) -> None:
        """Make the sealed upload the object of its name. Raise ApplicationError if another upload has the name."""
        make_directory(self._objects)
        with self._lock_objects():
            other = self.published(manifest.name)
            if other is not None and other.id != manifest.id:
                raise ApplicationError("The name that object_name returned belongs to another object.")
            write_whole(self._pointer(manifest.name), manifest.id.encode(), by_way_of=self.files(manifest.id).path)

    def unpublish(self, name: str, upload_id: str) -> None:
        """Remove the upload's object, unless another upload has its name now."""
        with self._lock_objects():
            if self._points_to(name) == upload_id:
                os.unlink(self._pointer(name))
                sync_directory(self._objects)

    def published(self, name: str) -> UploadRecord | None:
        """Return the manifest of the object of this name, or None."""
        upload_id = self._points_to(name)
        if upload_id is None:
            return None
        try:
            return self.files(upload_id).manifest()
        except NotFound:
            return None
