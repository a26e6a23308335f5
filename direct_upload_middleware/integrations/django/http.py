"""Between Django's requests and responses and WSGI."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from io import SEEK_END
from typing import TYPE_CHECKING, Any

from ..common import framework
from ..wsgi_calls import WSGIAnswer, call_wsgi

with framework("Django", "django"):
    from asgiref.sync import sync_to_async
    from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

RESPONSE_KEY = "direct_upload.django_response"


def wsgi_environ(request: HttpRequest) -> WSGIEnvironment:
    """Return the environ of a request, also under ASGI. Its body is read through Django's request."""
    environ: WSGIEnvironment = {**request.META, "wsgi.input": request, "wsgi.url_scheme": request.scheme}
    if not hasattr(request, "environ"):
        for name in ("SCRIPT_NAME", "PATH_INFO"):
            environ[name] = environ[name].encode().decode("latin-1")
        environ |= {"wsgi.version": (1, 0), "wsgi.run_once": False}
        stream: Any = request._stream
        if "CONTENT_LENGTH" not in environ and stream.seekable():  # HTTP/2 needs none, WSGI does
            environ["CONTENT_LENGTH"] = str(stream.seek(0, SEEK_END))
            stream.seek(0)
    return environ


def respond(answer: WSGIAnswer, *, is_async: bool = False) -> HttpResponse:
    """Return Django's response for a WSGI application's answer."""
    status, headers, body = answer
    response: Any
    if isinstance(body, list | tuple):
        response = HttpResponse(b"".join(body))
    else:
        response = StreamingHttpResponse(_iterate_in_threads(body) if is_async else iter(body))
        response._resource_closers.append(getattr(body, "close", lambda: None))
    code, _, response.reason_phrase = status.partition(" ")
    response.status_code = int(code)
    del response.headers["Content-Type"]
    for name, value in headers:
        if name.lower() == "set-cookie":
            response.cookies.load(value)
        else:
            response.headers[name] = value
    return response  # type: ignore[no-any-return]


async def _iterate_in_threads(body: Iterable[bytes]) -> AsyncIterator[bytes]:
    chunks = iter(body)
    while (chunk := await sync_to_async(_next)(chunks)) is not None:
        yield chunk


def _next(chunks: Iterator[bytes]) -> bytes | None:
    return next(chunks, None)


def insert_script(app: WSGIApplication, environ: WSGIEnvironment, response: Any) -> HttpResponse:
    """Return the response with the script, if it is a page that needs it; headers and content change in place."""
    if not _may_be_page(response):
        return response  # type: ignore[no-any-return]
    environ[RESPONSE_KEY] = _Application(response)
    _, headers, body = call_wsgi(app, environ)
    _change_headers(response, headers)
    if response.streaming:
        response.streaming_content = body
    elif (content := b"".join(body)) != response.content:
        response.content = content
    return response  # type: ignore[no-any-return]


async def insert_script_async(app: WSGIApplication, environ: WSGIEnvironment, response: Any) -> HttpResponse:
    """Do the same under ASGI."""
    if response.streaming and response.is_async and _may_be_page(response):
        return await _insert_into_stream(app, environ, response)
    if not _may_be_page(response):
        return response  # type: ignore[no-any-return]
    return await sync_to_async(insert_script)(app, environ, response)


def _may_be_page(response: Any) -> bool:
    return str(response.headers.get("Content-Type", "")).lower().startswith("text/html")


def _change_headers(response: Any, headers: Iterable[tuple[str, str]]) -> None:
    changed = dict(headers)
    for name in [name for name in response.headers if name not in changed]:
        del response.headers[name]
    for name, value in changed.items():
        if response.headers.get(name) != value:
            response.headers[name] = value


class _Application:
    """A WSGI application that answers with a response of Django's."""

    def __init__(self, response: Any) -> None:
        self.response = response

    def __call__(self, start_response: StartResponse) -> Iterable[bytes]:
        self._start(start_response)
        return self.response.streaming_content if self.response.streaming else [self.response.content]

    def _start(self, start_response: StartResponse) -> Callable[[bytes], object]:
        response = self.response
        return start_response(f"{response.status_code} {response.reason_phrase}", list(response.headers.items()))


class _PushedApplication(_Application):
    """The same for an asynchronous response, whose chunks are pushed into :attr:`write`."""

    write: Callable[[bytes], object]

    def __call__(self, start_response: StartResponse) -> Iterator[bytes]:
        self.write = self._start(start_response)
        return iter(())


async def _insert_into_stream(app: WSGIApplication, environ: WSGIEnvironment, response: Any) -> HttpResponse:
    head: list[Any] = []
    out: list[bytes] = []

    def start_response(status: str, headers: Any, exc_info: Any = None, /) -> Callable[[bytes], object]:
        head[:] = headers
        return out.append

    pushed = environ[RESPONSE_KEY] = _PushedApplication(response)
    rest = app(environ, start_response)
    chunks = aiter(response.streaming_content)
    async for chunk in chunks:
        pushed.write(chunk)
        if head:
            break
    if not head:
        out.extend(rest)

    async def body() -> AsyncIterator[bytes]:
        yield b"".join(out)
        async for chunk in chunks:
            out.clear()
            pushed.write(chunk)
            yield b"".join(out)
        for last in rest:
            yield last

    _change_headers(response, head)
    response.streaming_content = body()
    return response  # type: ignore[no-any-return]
