"""Where the local storage keeps what. Every change is one atomic step: a crash leaves the state before or after.

::

    secret                     the storage's own secret
    uploads/<id>/              one upload; when the directory is gone, it was discarded or deleted
        <index>.<etag>         a segment that has arrived whole
        manifest.json          the upload is sealed: these segments, in this order
    objects/<SHA-256 of name>  which upload is the object of that name
    trash/                     what is being deleted
    locks/                     a fixed set of lock files, shared by all uploads

The bytes of a segment are written once and never moved or changed. While an upload is open a segment may be replaced by
another file; once there is a manifest, never.
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
    """A sealed upload. ``segments`` has the ETag and the size of each, in order."""

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
        """What :meth:`to_json` wrote."""
        try:
            fields = json.loads(text)
            fields["segments"] = tuple((etag, size) for etag, size in fields["segments"])
            return cls(**fields)
        except (ValueError, TypeError, KeyError) as error:
            raise StorageError("The manifest of an upload is damaged.") from error

    def to_json(self) -> bytes:
        """The manifest as it is kept on disk."""
        return json.dumps(asdict(self)).encode()

    def sealed(self) -> Sealed:
        """The manifest as callers know it."""
        return Sealed(etag=self.etag, size=self.size, sealed_at=self.sealed_at, complete=self.complete)

    def stored(self) -> tuple[StoredSegment, ...]:
        """Its segments as callers know them."""
        return tuple(StoredSegment(index, size, etag) for index, (etag, size) in enumerate(self.segments))

    def file_names(self) -> list[str]:
        """The names of its segments' files, in order."""
        return [f"{index}.{etag}" for index, (etag, _) in enumerate(self.segments)]


class UploadFiles:
    """The directory of one upload. Changes need the upload's lock (:meth:`Disk.lock`)."""

    def __init__(self, path: str) -> None:
        self.path = path

    def manifest(self) -> UploadRecord | None:
        """The manifest of a sealed upload, None of an open one. Raises NotFound when there is no such upload."""
        try:
            with open(os.path.join(self.path, _MANIFEST), "rb") as file:
                return UploadRecord.from_json(file.read())
        except FileNotFoundError:
            if os.path.isdir(self.path):
                return None
            raise NotFound from None

    def check_open(self) -> None:
        """Raise NotFound or AlreadyComplete unless segments may be written."""
        if self.manifest() is not None:
            raise AlreadyComplete

    def segments(self) -> dict[int, StoredSegment]:
        """What has arrived, by index. Where a crash left two of one index, the newer one counts."""
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
        """Take a file as the segment, in place of the one that was there."""
        name = f"{index}.{etag}"
        os.replace(path, os.path.join(self.path, name))
        sync_directory(self.path)
        for other, entry in self._segment_files():
            if other == index and entry.name != name:
                os.unlink(entry.path)

    def write(self, manifest: UploadRecord) -> None:
        """Seal the upload, or change its state."""
        write_whole(os.path.join(self.path, _MANIFEST), manifest.to_json(), by_way_of=self.path)

    def complete(self, manifest: UploadRecord) -> UploadRecord:
        """Mark a sealed upload as complete; what does not belong to it goes."""
        completed = replace(manifest, complete=True)
        self.write(completed)
        for name in self.unneeded(completed):
            with suppress(FileNotFoundError):
                os.unlink(os.path.join(self.path, name))
        return completed

    def unneeded(self, manifest: UploadRecord) -> list[str]:
        """Files that do not belong to a sealed upload."""
        return sorted({*os.listdir(self.path)} - {_MANIFEST, *manifest.file_names()})

    def reader(self, manifest: UploadRecord) -> FilesReader:
        """The bytes of a sealed upload."""
        sizes = [size for _, size in manifest.segments]
        paths = [os.path.join(self.path, name) for name in manifest.file_names()]
        return FilesReader(list(zip(paths, sizes, strict=True)))


class Incoming:
    """A segment that is arriving. It is not there before :meth:`keep`."""

    def __init__(self, disk: Disk, id: str, file: BinaryIO) -> None:
        self._disk = disk
        self._id = id
        self._file = file
        self._md5 = hashlib.md5(usedforsecurity=False)
        self.size = 0

    @property
    def etag(self) -> str:
        """The MD5 of what was written, in hex."""
        return self._md5.hexdigest()

    def write(self, data: bytes) -> None:
        """Add to it."""
        self._md5.update(data)
        self.size += len(data)
        self._file.write(data)

    def keep(self, index: int) -> None:
        """Make it the segment of this index. Raises NotFound or AlreadyComplete when the upload is open no more."""
        sync_file(self._file)
        files = self._disk.files(self._id)
        with self._disk.lock(self._id):
            files.check_open()
            files.put(index, self.etag, self._file.name)


class Disk:
    """The directory of a local storage. ``container`` keeps apart the names of objects. Raises OSError."""

    def __init__(self, root: str, container: str) -> None:
        self.root = root
        self._container = container
        self._uploads = os.path.join(root, "uploads")
        self._objects = os.path.join(root, "objects")
        self._trash = os.path.join(root, "trash")

    def lock(self, id: str) -> AbstractContextManager[None]:
        """Keep others from changing this upload. Uploads share 256 lock files, so that none is ever left behind."""
        return locked(os.path.join(self.root, "locks", id[:2]))

    def _lock_objects(self) -> AbstractContextManager[None]:
        return locked(os.path.join(self.root, "locks", "objects"))

    def files(self, id: str) -> UploadFiles:
        """The upload's directory, there or not."""
        if not _ID.fullmatch(id):
            raise NotFound
        return UploadFiles(os.path.join(self._uploads, id))

    def ids(self) -> list[str]:
        """Of all uploads that there are."""
        with suppress(FileNotFoundError):
            return sorted(filter(_ID.fullmatch, os.listdir(self._uploads)))
        return []

    def begin(self, id: str) -> None:
        """Make the directory of a new upload."""
        make_directory(self.files(id).path)

    @contextmanager
    def incoming(self, id: str) -> Iterator[Incoming]:
        """Receive a segment. Raises NotFound or AlreadyComplete when the upload is not open."""
        files = self.files(id)
        files.check_open()
        with temporary_file(files.path) as file:
            yield Incoming(self, id, file)

    def remove(self, id: str) -> None:
        """Make the upload's directory go, in one step; needs its lock. No error when it is gone."""
        make_directory(self._trash)
        with suppress(FileNotFoundError):
            os.rename(self.files(id).path, os.path.join(self._trash, f"{id}-{secrets.token_hex(8)}"))
            sync_directory(self._uploads)
        for name in os.listdir(self._trash):  # those, too, that a crash left
            shutil.rmtree(os.path.join(self._trash, name), ignore_errors=True)

    def _pointer(self, name: str) -> str:
        return os.path.join(self._objects, hashlib.sha256(f"{self._container}/{name}".encode()).hexdigest())

    def _points_to(self, name: str) -> str | None:
        with suppress(FileNotFoundError), open(self._pointer(name), encoding="ascii") as file:
            return file.read()
        return None

    def publish(self, manifest: UploadRecord) -> None:
        """Make the sealed upload the object of its name. Raises ApplicationError when another upload has the name."""
        make_directory(self._objects)
        with self._lock_objects():
            other = self.published(manifest.name)
            if other is not None and other.id != manifest.id:
                raise ApplicationError("The name that object_name gave is taken by another object.")
            write_whole(self._pointer(manifest.name), manifest.id.encode(), by_way_of=self.files(manifest.id).path)

    def unpublish(self, name: str, id: str) -> None:
        """Take the upload's object away, unless another upload has taken its name since."""
        with self._lock_objects():
            if self._points_to(name) == id:
                os.unlink(self._pointer(name))
                sync_directory(self._objects)

    def published(self, name: str) -> UploadRecord | None:
        """The manifest of the object of this name."""
        id = self._points_to(name)
        if id is None:
            return None
        try:
            return self.files(id).manifest()
        except NotFound:
            return None
