"""Adds the script tag to the HTML pages of the wrapped application; whatever else it answers passes as it is.

A page that is all there at once (a list, an only item, or as much as its ``Content-Length`` says) is decided exactly:
without a marker nothing of it changes. A page that streams goes on streaming, a piece for each piece taken. Its headers
have to go out before its end is known, so they are those of a changed page, unless its first piece is all there can be
to it; where ``inject="auto"`` finds no marker later, the body is the application's own all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sized
from typing import TYPE_CHECKING, Literal, TypeAlias

from . import csp
from .html_response import Headers, headers_of_changed_page, is_html, is_page
from .insertion import TagInserter

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
_Head: TypeAlias = tuple[str, Headers]
_Write: TypeAlias = Callable[[bytes], object]
_Tag: TypeAlias = Callable[[str | None], str]
_ConnectSrc: TypeAlias = Callable[[], str | None]


class PageInjector:
    """WSGI, but for an argument that depends on the request.

    :param app: the wrapped application.
    :param mode: "auto" puts the tag into pages with a marker, True into every page.
    :param connect_src: gives the origin of the storage, None when it is the page's own. It is asked only for a page
        that is changed and has a Content-Security-Policy.
    """

    def __init__(self, app: WSGIApplication, *, mode: Literal["auto", True], connect_src: _ConnectSrc) -> None:
        self._app = app
        self.always = mode is True
        self.connect_src = connect_src

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse, tag: _Tag) -> Iterable[bytes]:
        """
        :param tag: makes the script tag for a nonce, or for none.
        """
        if environ["REQUEST_METHOD"] == "HEAD":
            return self._app(environ, start_response)
        response: _Response | None = None
        passes = False

        # Most responses are no pages: of those each pays for this function, and for nothing else.
        def start(status: str, headers: Headers, exc_info: OptExcInfo | None = None) -> _Write:
            nonlocal response, passes
            if response is None:
                if exc_info is None and not is_html(headers):
                    passes = True
                    return start_response(status, headers)
                response = _Response(start_response, tag, self, passes=passes)
            return response.start(status, headers, exc_info)

        body = self._app(environ, start)
        if passes and response is None:
            return body
        if response is None:
            response = _Response(start_response, tag, self)
        return body if response.passes else response.body(body)


class _Response:
    """One response of the wrapped application: held back while it may be a page that changes."""

    # Defaults stand here, not in __init__, because most responses are no pages and need none of them.
    _held: _Head | None = None
    _inserter: TagInserter | None = None  #: of a page that streams
    _write: _Write | None = None  #: the server's, once headers went out

    def __init__(self, start_response: StartResponse, tag: _Tag, pages: PageInjector, *, passes: bool = False) -> None:
        self.passes = passes
        self._start_response = start_response
        self._tag = tag
        self._pages = pages

    def start(self, status: str, headers: Headers, exc_info: OptExcInfo | None = None) -> _Write:
        """The start_response that the application gets."""
        if self.passes or self._write is not None:
            return self._start_again(status, headers, exc_info)
        if is_page(status, headers):
            if self._held is not None and exc_info is None:
                raise AssertionError("start_response was called a second time without exc_info")
            self._held = status, headers
            return self._write_page
        self._held, self.passes = None, True
        return self._start_response(status, headers)  # for the server it is the first call

    def body(self, body: Iterable[bytes]) -> Iterable[bytes]:
        """What the server gets for the body of a page, or of a response that has not started yet."""
        if type(body) in (list, tuple) and (head := self._take_held()):
            page = b"".join(body)
            changed = self._decide(page, *head)
            return body if changed is page else [changed]
        return _Body(self, body)

    def take(self, piece: bytes, *, only: bool) -> bytes:
        """What goes out for one piece of the body."""
        if head := self._take_held():
            if only or _is_all(piece, head[1]):
                return self._decide(piece, *head)
            return self._begin_stream(piece, *head)
        return self._inserter.feed(piece) if self._inserter else piece

    def finish(self) -> bytes:
        """What goes out after the last piece."""
        if head := self._take_held():
            return self._decide(b"", *head)
        return self._inserter.finish() if self._inserter else b""

    def _write_page(self, piece: bytes) -> None:
        out = self.take(piece, only=False)
        if self._write is not None:
            self._write(out)

    def _decide(self, page: bytes, status: str, headers: Headers) -> bytes:
        changed = self._make_inserter(headers).whole(page)
        if changed is not page:
            headers = headers_of_changed_page(headers, len(changed), self._pages.connect_src)
        self._write = self._start_response(status, headers)
        return changed

    def _begin_stream(self, piece: bytes, status: str, headers: Headers) -> bytes:
        self._inserter = self._make_inserter(headers)
        out = self._inserter.feed(piece)
        if _has_length(headers) or not self._inserter.seems_settled(piece):
            headers = headers_of_changed_page(headers, None, self._pages.connect_src)
        self._write = self._start_response(status, headers)
        return out

    def _start_again(self, status: str, headers: Headers, exc_info: OptExcInfo | None) -> _Write:
        """The server raises when it has sent the first headers; when not, what follows is another response."""
        self._write = self._start_response(status, headers, exc_info)
        self._inserter = None
        return self._write

    def _take_held(self) -> _Head | None:
        head, self._held = self._held, None
        return head

    def _make_inserter(self, headers: Headers) -> TagInserter:
        return TagInserter(self._tag(csp.nonce(headers)).encode("ascii"), always=self._pages.always)


def _has_length(headers: Headers) -> bool:
    return any(name.lower() == "content-length" for name, _ in headers)


def _is_all(piece: bytes, headers: Headers) -> bool:
    return any(name.lower() == "content-length" and value == str(len(piece)) for name, value in headers)


class _Body:
    """The application's body, changed as the server takes it."""

    def __init__(self, response: _Response, body: Iterable[bytes]) -> None:
        self._response = response
        self._body = body
        self._pieces = iter(body)
        self._only = isinstance(body, Sized) and len(body) == 1

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            piece = next(self._pieces)
        except StopIteration:
            if last := self._response.finish():
                return last
            raise
        return self._response.take(piece, only=self._only)

    def close(self) -> None:
        close = getattr(self._body, "close", None)
        if close is not None:
            close()
