"""The uploads of the request that is being answered, for code without the request."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from ...request_uploads import RequestUploads
from ..common import uploads_in

_current: ContextVar[RequestUploads] = ContextVar("direct_upload.uploads")


def current_uploads() -> RequestUploads:
    """Return the uploads of the current request; raise ConfigurationError outside a request."""
    return find_current_uploads() or uploads_in({})


def find_current_uploads() -> RequestUploads | None:
    """Return the uploads of the current request, or None outside a request."""
    return _current.get(None)


@contextmanager
def using(uploads: RequestUploads) -> Iterator[None]:
    """Make these uploads the current ones."""
    token = _current.set(uploads)
    try:
        yield
    finally:
        _current.reset(token)


class StreamUsing:
    """A response's body that is produced while it is sent: its uploads stay current until it is closed."""

    def __init__(self, body: Iterable[Any], uploads: RequestUploads) -> None:
        self._body = body
        self._chunks = iter(body)
        self._uploads = uploads

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        with using(self._uploads):
            return next(self._chunks)

    def close(self) -> None:
        """Close the body."""
        close = getattr(self._body, "close", None)
        if close is not None:
            with using(self._uploads):
                close()


async def stream_using(body: AsyncIterator[Any], uploads: RequestUploads) -> AsyncIterator[Any]:
    """Return the body of an asynchronous response in the same way."""
    chunks = aiter(body)
    while True:
        with using(uploads):
            try:
                chunk = await anext(chunks)
            except StopAsyncIteration:
                return
        yield chunk
