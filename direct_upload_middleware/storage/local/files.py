"""Crash-safe files: atomic writes, locks between processes, and a reader of several files."""

from __future__ import annotations

import fcntl
import io
import os
import secrets
import stat
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import accumulate
from typing import TYPE_CHECKING, BinaryIO

from ...errors import StorageError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PRIVATE = 0o600
PRIVATE_DIRECTORY = 0o700


def make_directory(path: str) -> None:
    """Create a directory and its parents so that they survive a power failure. Do nothing if it exists."""
    if os.path.isdir(path):
        return
    parent = os.path.dirname(path)
    make_directory(parent)
    with suppress(FileExistsError):
        os.mkdir(path, PRIVATE_DIRECTORY)
    sync_directory(parent)


def check_private(path: str) -> None:
    """Raise StorageError if a user other than this process's, or root, can write to a file or directory.

    It could have been put there, or replaced. For the same reason no directory above it may be writable by everybody,
    unless it is sticky as ``/tmp``.
    """
    for status in (os.lstat(path), os.stat(path)):
        is_writable = status.st_mode & 0o022 and not stat.S_ISLNK(status.st_mode)
        if is_writable or status.st_uid not in (0, os.geteuid()):
            raise StorageError(f"Other users can write to {path!r}: let this process's user own it, and chmod go-w it.")
    parent = os.path.dirname(os.path.realpath(path))
    while parent != os.path.dirname(parent):
        mode = os.stat(parent).st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise StorageError(f"Every user can replace what is in {parent!r}: chmod o-w, or use another directory.")
        parent = os.path.dirname(parent)


def sync_directory(path: str) -> None:
    """Flush the names in a directory to disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(file: BinaryIO) -> None:
    """Flush a file to disk."""
    file.flush()
    os.fsync(file.fileno())


@contextmanager
def temporary_file(directory: str) -> Iterator[BinaryIO]:
    """Create a file that only its owner can read. Remove it at the end, unless it was renamed."""
    path = os.path.join(directory, f"tmp-{secrets.token_hex(16)}")
    file = open(path, "xb", opener=lambda name, flags: os.open(name, flags, PRIVATE))  # noqa: SIM115  closed below
    try:
        with file:
            yield file
    finally:
        with suppress(FileNotFoundError):
            os.unlink(path)


def write_whole(path: str, content: bytes, *, by_way_of: str) -> None:
    """Replace a file atomically. It is written in the directory ``by_way_of`` of the same file system first."""
    with temporary_file(by_way_of) as file:
        file.write(content)
        sync_file(file)
        os.replace(file.name, path)
    sync_directory(os.path.dirname(path))


def write_once(path: str, content: bytes) -> None:
    """Create a file atomically unless it exists: of several processes, the first one wins."""
    directory = os.path.dirname(path)
    with temporary_file(directory) as file:
        file.write(content)
        sync_file(file)
        with suppress(FileExistsError):
            os.link(file.name, path)
    sync_directory(directory)


@contextmanager
def locked(path: str) -> Iterator[None]:
    """Lock a file against other threads and processes."""
    descriptor = _open_lock(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # closing is not enough where a fork has inherited the descriptor
        os.close(descriptor)


def _open_lock(path: str) -> int:
    flags = os.O_RDWR | os.O_CREAT
    try:
        return os.open(path, flags, PRIVATE)
    except FileNotFoundError:
        make_directory(os.path.dirname(path))
        return os.open(path, flags, PRIVATE)


class FilesReader(io.RawIOBase):
    """Reads several files as if they were one. At most one of them is open at a time.

    :param files: the path and the size in bytes of each. Reading a missing or truncated file raises StorageError.
    """

    def __init__(self, files: Sequence[tuple[str, int]]) -> None:
        super().__init__()
        self._files = files
        self._ends = list(accumulate(size for _, size in files))
        self._position = 0
        self._opened: tuple[int, io.FileIO] | None = None

    @property
    def size(self) -> int:
        """The total size in bytes."""
        return self._ends[-1] if self._ends else 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Set the position, and return it."""
        starts = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}
        if self.closed or whence not in starts or starts[whence] + offset < 0:
            raise ValueError("seek: the file is closed, or the position is invalid")
        self._position = starts[whence] + offset
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read into a buffer, and return the number of bytes. Raise StorageError."""
        if self.closed:
            raise ValueError("read: the file is closed")
        if self._position >= self.size:
            return 0
        try:
            count = self._read_some(memoryview(buffer).cast("B"))
        except OSError as error:
            raise StorageError("A segment of the object cannot be read.") from error
        self._position += count
        return count

    def _read_some(self, view: memoryview) -> int:
        number = bisect_right(self._ends, self._position)
        size, end = self._files[number][1], self._ends[number]
        file = self._open(number)
        file.seek(self._position - (end - size))
        wanted = view[: end - self._position]
        count = file.readinto(wanted)
        if not count and wanted:
            raise StorageError("A segment of the object is truncated.")
        return count

    def _open(self, number: int) -> io.FileIO:
        if self._opened is None or self._opened[0] != number:
            self._close_file()
            self._opened = (number, io.FileIO(self._files[number][0]))
        return self._opened[1]

    def _close_file(self) -> None:
        if self._opened is not None:
            self._opened[1].close()
            self._opened = None

    def close(self) -> None:
        """Close the open file."""
        self._close_file()
        super().close()
