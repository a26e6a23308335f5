"""What is left of a request's body when the answer is made: it is read, or the answer may not arrive.

A server that closes a connection on a body that nobody read resets it. A proxy that is still sending then has no answer
to pass on, and says 502 (nginx with gunicorn or uWSGI), where the answer was to log in again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..plan import MiB

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

LIMIT = 64 * MiB
"""Bytes. What is longer is not waited for: segments of ``local:`` are the longest that a page sends here."""
_BLOCK = 64 * 1024


class UnreadBody:
    """Stands in for ``wsgi.input``, and knows what was read of it."""

    def __init__(self, environ: WSGIEnvironment) -> None:
        self._left = _length(environ)
        if self._left:
            self._input: Any = environ["wsgi.input"]
            environ["wsgi.input"] = self

    def read(self, *size: int) -> bytes:
        return self._counted(self._input.read(*size))

    def readline(self, *size: int) -> bytes:
        return self._counted(self._input.readline(*size))

    def readlines(self, *hint: int) -> list[bytes]:
        return [self._counted(line) for line in self._input.readlines(*hint)]

    def __iter__(self) -> Iterator[bytes]:
        return map(self._counted, self._input)

    def _counted(self, data: bytes) -> bytes:
        self._left -= len(data)
        return data

    def drain(self) -> None:
        """Read it, where there is something and it is not too much."""
        with suppress(Exception):  # each server has errors of its own for a client that is gone
            while 0 < self._left <= LIMIT and self.read(min(_BLOCK, self._left)):
                pass


def _length(environ: WSGIEnvironment) -> int:
    """As announced. A body that ends by itself is taken for as long as one may be; none that is announced is none."""
    given = environ.get("CONTENT_LENGTH", "")
    if re.fullmatch("[0-9]{1,20}", given):
        return int(given)
    ends_by_itself = environ.get("wsgi.input_terminated") and "HTTP_TRANSFER_ENCODING" in environ
    return LIMIT if ends_by_itself else 0
