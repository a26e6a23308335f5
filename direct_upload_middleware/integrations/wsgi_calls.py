"""Call a WSGI application inside another framework."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

WSGIAnswer: TypeAlias = tuple[str, list[tuple[str, str]], Iterable[bytes]]


def call_wsgi(app: WSGIApplication, environ: WSGIEnvironment) -> WSGIAnswer:
    """Return the response's status, headers and body; read the body only as far as needed to know the status."""
    head: list[Any] = []
    written: list[bytes] = []

    def start_response(status: str, headers: Any, exc_info: Any = None, /) -> Callable[[bytes], object]:
        head[:] = status, headers
        return written.append

    body = app(environ, start_response)
    if not head or written:
        body = _Begun(body, written)
    status, headers = head
    return status, headers, body


class _Begun:
    """A body whose first chunk was already read."""

    def __init__(self, body: Iterable[bytes], written: list[bytes]) -> None:
        self._body = body
        pieces = iter(body)
        try:
            first = next(pieces, b"")
        except BaseException:
            self.close()
            raise
        self._pieces = chain(written, [first], pieces)

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        """Close the body."""
        close = getattr(self._body, "close", None)
        if close is not None:
            close()
