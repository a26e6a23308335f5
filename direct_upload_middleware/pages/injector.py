"""Add the script tag to the HTML pages of the wrapped application. All other responses pass unchanged.

A page that is complete (a list, a single item, or as many bytes as its ``Content-Length``) is checked as a whole:
without a marker it stays as it is. A page that streams keeps streaming, one piece out for each piece in. Its headers
are sent before its end is known. Therefore they are the headers of a changed page, unless the first piece already
shows that nothing will change. When ``inject="auto"`` finds no marker later, the body still stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sized
from typing import TYPE_CHECKING, Literal, TypeAlias

from . import csp
from .html_response import Headers, change_page_headers, is_html, is_page
from .insertion import TagInserter

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
_Head: TypeAlias = tuple[str, Headers]
_Write: TypeAlias = Callable[[bytes], object]
_MakeTag: TypeAlias = Callable[[str | None], str]
_ConnectSrc: TypeAlias = Callable[[], str | None]


class PageInjector:
    """A WSGI application that takes one more argument for each request: the function that makes the script tag.

    :param app: the wrapped application.
    :param mode: "auto" changes pages with a marker, True changes every page.
    :param connect_src: return the storage's origin, or None when the page's own origin serves the storage. Called only
        for a changed page with a Content-Security-Policy.
    """

    def __init__(self, app: WSGIApplication, *, mode: Literal["auto", True], connect_src: _ConnectSrc) -> None:
        self._app = app
        self.always = mode is True
        self.connect_src = connect_src

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse, make_tag: _MakeTag) -> Iterable[bytes]:
        """Call the application and change its response if it is a page.

        :param make_tag: return the script tag with the given nonce, or without one for None.
        """
        if environ["REQUEST_METHOD"] == "HEAD":
            return self._app(environ, start_response)
        response: _Response | None = None
        passes = False

        # Most responses are not pages. Such a response costs this function and nothing else.
        def start(status: str, headers: Headers, exc_info: OptExcInfo | None = None) -> _Write:
            nonlocal response, passes
            if response is None:
                if exc_info is None and not is_html(headers):
                    passes = True
                    return start_response(status, headers)
                response = _Response(start_response, make_tag, self, passes=passes)
            return response.start(status, headers, exc_info)

        body = self._app(environ, start)
        if passes and response is None:
            return body
        if response is None:
            response = _Response(start_response, make_tag, self)
        return body if response.passes else response.wrap_body(body)


class _Response:
    """One response of the wrapped application, delayed while it may be a page that changes."""

    # Class attributes, because most responses are not pages and never set them.
    _delayed: _Head | None = None
    _inserter: TagInserter | None = None  #: for a page that streams
    _write: _Write | None = None  #: the server's, once the headers were sent

    def __init__(
        self, start_response: StartResponse, make_tag: _MakeTag, pages: PageInjector, *, passes: bool = False
    ) -> None:
        self.passes = passes
        self._start_response = start_response
        self._make_tag = make_tag
        self._pages = pages

    def start(self, status: str, headers: Headers, exc_info: OptExcInfo | None = None) -> _Write:
        """Serve as start_response for the wrapped application."""
        if self.passes or self._write is not None:
            return self._start_again(status, headers, exc_info)
        if is_page(status, headers):
            if self._delayed is not None and exc_info is None:
                raise AssertionError("start_response was called a second time without exc_info")
            self._delayed = status, headers
            return self._write_page
        self._delayed, self.passes = None, True
        return self._start_response(status, headers)  # the server's first call, so it needs no exc_info

    def wrap_body(self, body: Iterable[bytes]) -> Iterable[bytes]:
        """Return the body for the server: of a page, or of a response that has not started yet."""
        if type(body) in (list, tuple) and (head := self._take_delayed()):
            page = b"".join(body)
            changed = self._send_whole(page, *head)
            return body if changed is page else [changed]
        return _Body(self, body)

    def change(self, piece: bytes, *, is_only: bool) -> bytes:
        """Return what to send for one piece of the body."""
        if head := self._take_delayed():
            if is_only or _is_whole_body(piece, head[1]):
                return self._send_whole(piece, *head)
            return self._begin_stream(piece, *head)
        return self._inserter.feed(piece) if self._inserter else piece

    def finish(self) -> bytes:
        """Return what to send after the last piece."""
        if head := self._take_delayed():
            return self._send_whole(b"", *head)
        return self._inserter.finish() if self._inserter else b""

    def _write_page(self, piece: bytes) -> None:
        out = self.change(piece, is_only=False)
        if self._write is not None:
            self._write(out)

    def _send_whole(self, page: bytes, status: str, headers: Headers) -> bytes:
        changed = self._make_inserter(headers).insert(page)
        if changed is not page:
            headers = change_page_headers(headers, len(changed), self._pages.connect_src)
        self._write = self._start_response(status, headers)
        return changed

    def _begin_stream(self, piece: bytes, status: str, headers: Headers) -> bytes:
        self._inserter = self._make_inserter(headers)
        out = self._inserter.feed(piece)
        if _has_length(headers) or not self._inserter.is_settled_after(piece):
            headers = change_page_headers(headers, None, self._pages.connect_src)
        self._write = self._start_response(status, headers)
        return out

    def _start_again(self, status: str, headers: Headers, exc_info: OptExcInfo | None) -> _Write:
        """Replace a response that has started; the server raises exc_info when it has sent the headers."""
        self._write = self._start_response(status, headers, exc_info)
        self._inserter = None
        return self._write

    def _take_delayed(self) -> _Head | None:
        head, self._delayed = self._delayed, None
        return head

    def _make_inserter(self, headers: Headers) -> TagInserter:
        return TagInserter(self._make_tag(csp.find_nonce(headers)).encode("ascii"), always=self._pages.always)


def _has_length(headers: Headers) -> bool:
    return any(name.lower() == "content-length" for name, _ in headers)


def _is_whole_body(piece: bytes, headers: Headers) -> bool:
    return any(name.lower() == "content-length" and value == str(len(piece)) for name, value in headers)


class _Body:
    """The application's body, changed while the server iterates over it."""

    def __init__(self, response: _Response, body: Iterable[bytes]) -> None:
        self._response = response
        self._body = body
        self._pieces = iter(body)
        self._has_one_item = isinstance(body, Sized) and len(body) == 1

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            piece = next(self._pieces)
        except StopIteration:
            if last := self._response.finish():
                return last
            raise
        return self._response.change(piece, is_only=self._has_one_item)

    def close(self) -> None:
        close = getattr(self._body, "close", None)
        if close is not None:
            close()
