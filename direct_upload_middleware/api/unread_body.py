"""Drain what the API did not read of a request's body, so that the response arrives.

A server that closes a connection with unread data resets it. A proxy that is still sending then has no response to
forward and returns 502 (nginx with gunicorn or uWSGI) instead of, for example, 401.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..plan import MiB

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

LIMIT = 64 * MiB
"""A longer body is not drained. The longest that a page sends here are segments of ``local:``."""
STRANGERS_LIMIT = 4 * MiB
"""The limit for senders who are not logged in: they must not keep a worker busy."""
_BLOCK = 64 * 1024


class UnreadBody:
    """Wraps ``wsgi.input`` and counts what was read."""

    def __init__(self, environ: WSGIEnvironment) -> None:
        length = _length(environ)
        self._is_terminated = length is None  # chunked: it ends by itself
        self._left = LIMIT if length is None else length
        if self._left:
            self._input: Any = environ["wsgi.input"]
            environ["wsgi.input"] = self

    def read(self, *size: int) -> bytes:
        """Read and count, as in WSGI."""
        return self._count(self._input.read(*size))

    def readline(self, *size: int) -> bytes:
        """Read and count, as in WSGI."""
        return self._count(self._input.readline(*size))

    def readlines(self, *hint: int) -> list[bytes]:
        """Read and count, as in WSGI."""
        return [self._count(line) for line in self._input.readlines(*hint)]

    def __iter__(self) -> Iterator[bytes]:
        """Read and count, as in WSGI."""
        return map(self._count, self._input)

    def _count(self, data: bytes) -> bytes:
        self._left -= len(data)
        return data

    def drain(self, is_known: Callable[[], bool]) -> None:
        """Read the rest, unless it is too long.

        :param is_known: returns whether the sender is logged in. It is called only for a long rest.
        """
        if self._left > STRANGERS_LIMIT and not is_known():
            self._left = STRANGERS_LIMIT if self._is_terminated else 0
        with suppress(Exception):  # servers raise various exceptions if the client disconnects
            while 0 < self._left <= LIMIT and self.read(min(_BLOCK, self._left)):
                pass


def _length(environ: WSGIEnvironment) -> int | None:
    """Return the announced length, 0 without a body; None for a chunked one."""
    given = environ.get("CONTENT_LENGTH", "")
    if re.fullmatch("[0-9]{1,20}", given):
        return int(given)
    is_terminated = environ.get("wsgi.input_terminated") and "HTTP_TRANSFER_ENCODING" in environ
    return None if is_terminated else 0
