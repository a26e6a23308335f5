"""A complete object as a file that is read in ranges."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

SMALLEST_WINDOW = 64 * 1024
LARGEST_WINDOW = 8 * 1024**2


class ObjectReader(io.RawIOBase):
    """A seekable file of ``size`` bytes. ``fetch(first, last)`` returns the bytes from first to last, both included.

    The read-ahead doubles with every sequential read, from 64 KiB to 8 MiB. So a whole file takes few requests, and a
    look at its end, as zipfile takes, few bytes. At most 8 MiB are held in memory.
    """

    def __init__(self, size: int, fetch: Callable[[int, int], bytes]) -> None:
        self._size = size
        self._fetch = fetch
        self._position = 0
        self._window = b""
        self._window_start = 0
        self._ahead = SMALLEST_WINDOW

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position in bytes."""
        self._check_open()
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Set the position and return it. No request is made."""
        self._check_open()
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError(f"cannot seek to {base + offset}")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read into the buffer; return the number of bytes, 0 at the end of the file."""
        self._check_open()
        view = memoryview(buffer).cast("B")
        wanted = min(len(view), self._size - self._position)
        if wanted <= 0:
            return 0
        if not self._window_start <= self._position < self._window_start + len(self._window):
            self._read_ahead(wanted)
        start = self._position - self._window_start
        piece = self._window[start : start + wanted]
        view[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def _read_ahead(self, wanted: int) -> None:
        in_one_go = bool(self._window) and self._position == self._window_start + len(self._window)
        self._ahead = min(self._ahead * 2, LARGEST_WINDOW) if in_one_go else SMALLEST_WINDOW
        length = min(max(self._ahead, min(wanted, LARGEST_WINDOW)), self._size - self._position)
        self._window = self._fetch(self._position, self._position + length - 1)
        self._window_start = self._position

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("the file is closed")
