"""Files that survive a crash: written whole or not at all, locked among processes, read one after the other."""

from __future__ import annotations

import fcntl
import io
import os
import secrets
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
    """Make a directory, and those above it, so that they outlast a power failure. No error when it is there."""
    if os.path.isdir(path):
        return
    parent = os.path.dirname(path)
    make_directory(parent)
    with suppress(FileExistsError):
        os.mkdir(path, PRIVATE_DIRECTORY)
    sync_directory(parent)


def sync_directory(path: str) -> None:
    """Wait until the names in a directory are on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(file: BinaryIO) -> None:
    """Wait until what was written to a file is on the disk."""
    file.flush()
    os.fsync(file.fileno())


@contextmanager
def temporary_file(directory: str) -> Iterator[BinaryIO]:
    """A new file for writing, readable by its owner only, that is gone at the end unless it was renamed."""
    path = os.path.join(directory, f"tmp-{secrets.token_hex(16)}")
    file = open(path, "xb", opener=lambda name, flags: os.open(name, flags, PRIVATE))  # noqa: SIM115  closed below
    try:
        with file:
            yield file
    finally:
        with suppress(FileNotFoundError):
            os.unlink(path)


def write_whole(path: str, content: bytes, *, by_way_of: str) -> None:
    """Replace a file in one step. ``by_way_of`` is the directory, of the same file system, that it is written in."""
    with temporary_file(by_way_of) as file:
        file.write(content)
        sync_file(file)
        os.replace(file.name, path)
    sync_directory(os.path.dirname(path))


def write_once(path: str, content: bytes) -> None:
    """Make a file in one step, unless it is there already: of several processes, the first one's content stays."""
    directory = os.path.dirname(path)
    with temporary_file(directory) as file:
        file.write(content)
        sync_file(file)
        with suppress(FileExistsError):
            os.link(file.name, path)
    sync_directory(directory)


@contextmanager
def locked(path: str) -> Iterator[None]:
    """Keep every other thread and process that locks this file out."""
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
    """Several files, read as if they were one. At most one of them is open at a time.

    :param files: the path and the size, in bytes, of each. A file that is gone or too short raises StorageError.
    """

    def __init__(self, files: Sequence[tuple[str, int]]) -> None:
        super().__init__()
        self._files = files
        self._ends = list(accumulate(size for _, size in files))
        self._position = 0
        self._opened: tuple[int, io.FileIO] | None = None

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return self._ends[-1] if self._ends else 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        starts = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}
        if self.closed or whence not in starts or starts[whence] + offset < 0:
            raise ValueError("seek: the file is closed, or there is no such place")
        self._position = starts[whence] + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
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
            raise StorageError("A segment of the object is shorter than it was.")
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
        self._close_file()
        super().close()
