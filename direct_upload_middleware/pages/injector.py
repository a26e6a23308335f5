"""Add the script tag to the HTML pages of the wrapped application. All other responses pass unchanged.

A page that is complete (a list, a single item, or as many bytes as its ``Content-Length``) is checked as a whole:
without a marker it stays as it is. A page that streams keeps streaming, one piece out for each piece in. Its headers
are sent before its end is known. Therefore they are the headers of a changed page, unless the first piece already
shows that nothing will change. When ``inject="auto"`` finds no marker later, the body still stays as it is.

Answers about a page have the headers of the GET that they stand for. A 304 is recognized by the ETag that the client
sends. A HEAD whose body is empty does not show whether the page has a marker, so the application is called again, with
GET, and the headers that depend on the content are taken from there.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import TYPE_CHECKING, Literal, TypeAlias

from . import csp
from .html_response import (
    ConnectSrc,
    Headers,
    change_headers_only,
    change_not_modified_headers,
    change_page_headers,
    depends_on_content,
    is_html,
    is_page,
    replace_page_headers,
)
from .insertion import TagInserter
from .unchanged_pages import PageInspector, UnchangedPages

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
_Head: TypeAlias = tuple[str, Headers]
_Write: TypeAlias = Callable[[bytes], object]
_MakeTag: TypeAlias = Callable[[str | None], str]
_GetHead: TypeAlias = Callable[[], _Head]


class PageInjector:
    """A WSGI application that takes one more argument for each request: the function that makes the script tag.

    :param app: the wrapped application.
    :param mode: "auto" changes pages with a marker, True changes every page.
    :param connect_src: return the storage's origin, or None when the page's own origin serves the storage. Called only
        for a changed page with a Content-Security-Policy.
    """

    def __init__(self, app: WSGIApplication, *, mode: Literal["auto", True], connect_src: ConnectSrc) -> None:
        self._app = app
        self.always = mode is True
        self.connect_src = connect_src
        self.unchanged_pages = UnchangedPages(always=self.always)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse, make_tag: _MakeTag) -> Iterable[bytes]:
        """Call the application and change its response if it is a page.

        :param make_tag: return the script tag with the given nonce, or without one for None.
        """
        if_none_match = environ.get("HTTP_IF_NONE_MATCH")
        get = self._make_get(environ, make_tag) if environ["REQUEST_METHOD"] == "HEAD" else None
        response: _Response | None = None
        passes = False

        # Most responses are not pages. Such a response costs this function and nothing else.
        def start(status: str, headers: Headers, exc_info: OptExcInfo | None = None) -> _Write:
            nonlocal response, passes
            if status[:3] == "304":
                headers = change_not_modified_headers(headers, if_none_match, self.connect_src)
            if response is None:
                if exc_info is None and not is_html(headers):
                    passes = True
                    return start_response(status, headers)
                response = _Response(start_response, make_tag, self, get, passes=passes)
            return response.start(status, headers, exc_info)

        body = self._app(environ, start)
        if passes and response is None:
            return body
        if response is None:
            response = _Response(start_response, make_tag, self, get)
        return response.wrap_body(body)

    def _make_get(self, environ: WSGIEnvironment, make_tag: _MakeTag) -> _GetHead:
        """Return a function that calls the application with GET and returns status and headers of the changed page.

        :param environ: of the HEAD request, as it is before the application changes it.
        """
        copy = {name: value for name, value in environ.items() if name not in ("HTTP_RANGE", "HTTP_IF_RANGE")}
        copy |= {"REQUEST_METHOD": "GET", "CONTENT_LENGTH": "0", "wsgi.input": io.BytesIO()}

        def get_head() -> _Head:
            head: list[_Head] = []

            def start(status: str, headers: Headers, exc_info: OptExcInfo | None = None, /) -> _Write:
                head[:] = [(status, headers)]
                return lambda data: None

            body = self(copy, start, make_tag)
            try:
                for _ in body:
                    if head:
                        break
            finally:
                close = getattr(body, "close", None)
                if close is not None:
                    close()
            return head[0]

        return get_head


class _Response:
    """One response of the wrapped application, delayed while it may be a page that changes."""

    # Class attributes, because most responses are not pages and never set them.
    _delayed: _Head | None = None
    _inserter: TagInserter | None = None  #: for a page that streams
    _inspector: PageInspector | None = None  #: for a page that cannot be changed
    _write: _Write | None = None  #: the server's, once the headers were sent

    def __init__(
        self,
        start_response: StartResponse,
        make_tag: _MakeTag,
        pages: PageInjector,
        get: _GetHead | None,
        *,
        passes: bool = False,
    ) -> None:
        self._get = get  #: for a HEAD request
        self._passes = passes
        self._start_response = start_response
        self._make_tag = make_tag
        self._pages = pages

    def start(self, status: str, headers: Headers, exc_info: OptExcInfo | None = None) -> _Write:
        """Serve as start_response for the wrapped application."""
        if self._passes or self._write is not None:
            return self._start_again(status, headers, exc_info)
        if is_page(status, headers):
            if self._delayed is not None and exc_info is None:
                raise AssertionError("start_response was called a second time without exc_info")
            self._delayed = status, headers
            return self._write_page
        self._delayed, self._passes = None, True
        write = self._start_response(status, headers)  # the server's first call, so it needs no exc_info
        tag = self._make_tag(None).encode("ascii")
        self._inspector = self._pages.unchanged_pages.make_inspector(status, headers, tag)
        return self._make_inspected_write(self._inspector, write) if self._inspector else write

    def wrap_body(self, body: Iterable[bytes]) -> Iterable[bytes]:
        """Return the body for the server."""
        if self._passes and not self._inspector:
            return body
        if self._inspector and type(body) in (list, tuple):
            self._inspector.feed(b"".join(body))
            self._inspector.finish()
            return body
        if type(body) in (list, tuple) and (head := self._take_delayed()):
            page = b"".join(body)
            changed = self._send_whole(page, *head)
            return body if changed is page else [changed]
        return _Body(self, body)

    @property
    def is_awaiting_content(self) -> bool:
        """True if empty pieces do not count, because nothing was sent for a HEAD request yet."""
        return self._get is not None and self._delayed is not None

    def change(self, piece: bytes, *, is_only: bool) -> bytes:
        """Return what to send for one piece of the body."""
        if self._inspector:
            self._inspector.feed(piece)
            return piece
        if head := self._take_delayed():
            if is_only or _is_whole_body(piece, head[1]):
                return self._send_whole(piece, *head)
            return self._begin_stream(piece, *head)
        return self._inserter.feed(piece) if self._inserter else piece

    def finish(self) -> bytes:
        """Return what to send after the last piece."""
        if self._inspector:
            self._inspector.finish()
        if head := self._take_delayed():
            return self._send_whole(b"", *head)
        return self._inserter.finish() if self._inserter else b""

    def _write_page(self, piece: bytes) -> None:
        if not piece and self.is_awaiting_content:
            return
        out = self.change(piece, is_only=False)
        if self._write is not None:
            self._write(out)

    @staticmethod
    def _make_inspected_write(inspector: PageInspector, write: _Write) -> _Write:
        def inspected_write(piece: bytes) -> None:
            inspector.feed(piece)
            write(piece)

        return inspected_write

    def _send_whole(self, page: bytes, status: str, headers: Headers) -> bytes:
        inserter = self._make_inserter(headers)
        changed = inserter.insert(page)
        if changed is not page:
            headers = change_page_headers(headers, len(changed), self._pages.connect_src)
        elif inserter.has_script:
            headers = change_headers_only(headers, self._pages.connect_src)
        elif not page and self._get and depends_on_content(headers):
            headers = replace_page_headers(status, headers, *self._get())
        self._write = self._start_response(status, headers)
        return changed

    def _begin_stream(self, piece: bytes, status: str, headers: Headers) -> bytes:
        self._inserter = self._make_inserter(headers)
        out = self._inserter.feed(piece)
        if self._inserter.has_script:
            headers = change_headers_only(headers, self._pages.connect_src)
        elif _has_length(headers) or not self._inserter.is_settled_after(piece):
            headers = change_page_headers(headers, None, self._pages.connect_src)
        self._write = self._start_response(status, headers)
        return out

    def _start_again(self, status: str, headers: Headers, exc_info: OptExcInfo | None) -> _Write:
        """Replace a response that has started; the server raises exc_info when it has sent the headers."""
        self._write = self._start_response(status, headers, exc_info)
        self._inserter = self._inspector = None
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
        for piece in self._pieces:
            if piece or not self._response.is_awaiting_content:
                return self._response.change(piece, is_only=self._has_one_item)
        if last := self._response.finish():
            return last
        raise StopIteration

    def close(self) -> None:
        close = getattr(self._body, "close", None)
        if close is not None:
            close()
