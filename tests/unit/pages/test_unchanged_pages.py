"""A page that needs the script tag but is encoded is logged once, as a warning that says what to do."""

from __future__ import annotations

import gzip
import json
import logging
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.validate import validator

import brotli
import pytest
from webob import Request

from direct_upload_middleware import DirectUploadMiddleware

MARKED = "<!doctype html><title>Files</title><body><form><input type=file data-direct-upload></form></body></html>"
ELEMENT = f"<!-- {'long ' * 100_000} --><p>é<direct-upload></direct-upload>"
OWN_TAG = MARKED.replace("</body>", '<script type=module src="/_upload/static/direct-upload.js"></script></body>')
UNMARKED = [
    pytest.param(MARKED.replace("data-direct-upload", "data-other"), id="no marker"),
    pytest.param("<p>Use &lt;direct-upload> or data-direct-upload</p><!-- <direct-upload> -->", id="the name in text"),
    pytest.param(OWN_TAG, id="own tag"),
    pytest.param("", id="empty"),
]


def compress_raw(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


ENCODINGS: list[Any] = [
    pytest.param("gzip", gzip.compress, id="gzip"),
    pytest.param("X-GZIP", gzip.compress, id="x-gzip"),
    pytest.param("deflate", zlib.compress, id="deflate"),
    pytest.param("deflate", compress_raw, id="raw deflate"),
    pytest.param("br", brotli.compress, id="Brotli"),
    pytest.param("deflate, gzip", lambda data: gzip.compress(zlib.compress(data)), id="two encodings"),
]
CHARSETS = ["utf-16", "utf-16-le", "utf-32", "utf-7", "cp037"]

Answer = Callable[[Any], Iterable[bytes]]


def make_app(content: bytes, *headers: tuple[str, str], send: str = "list") -> Any:
    """Return an application that sends the content as a list, as pieces, or with ``write``."""
    pieces = [content[at : at + 7] for at in range(0, len(content), 7)]

    def stream(start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", list(headers))
        yield from pieces

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if send == "stream":
            return stream(start_response)
        write = start_response("200 OK", list(headers))
        if send == "write":
            for piece in pieces[:-1]:
                write(piece)
            return pieces[-1:]
        return [content] if send == "list" else iter([b"", *pieces])

    return app


def warnings(
    app: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture, *, times: int = 1, content: bytes, **options: Any
) -> list[str]:
    """Request the page and return the warnings; check that the body is unchanged."""
    wrapped = validator(DirectUploadMiddleware(validator(app), f"local:{tmp_path}", anonymous=True, **options))
    caplog.clear()
    with caplog.at_level(logging.INFO, "direct_upload_middleware.pages"):
        for _ in range(times):
            answer = Request.blank("/").get_response(wrapped)
            assert b"".join(answer.app_iter) == content
            if hasattr(answer.app_iter, "close"):
                answer.app_iter.close()
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


@pytest.mark.parametrize(("encoding", "compress"), ENCODINGS)
@pytest.mark.parametrize("page", [MARKED, ELEMENT], ids=["input", "element"])
@pytest.mark.parametrize("send", ["list", "stream", "iterator", "write"])
def test_an_encoded_page_with_a_marker_is_logged_once(
    encoding: str, compress: Any, page: str, send: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content = compress(page.encode())
    app = make_app(content, ("Content-Type", "text/html"), ("Content-Encoding", encoding), send=send)
    [message] = warnings(app, tmp_path, caplog, times=3, content=content)
    assert encoding.lower() in message
    assert "Compress after DirectUploadMiddleware" in message


@pytest.mark.parametrize(("encoding", "compress"), ENCODINGS)
@pytest.mark.parametrize("page", UNMARKED)
@pytest.mark.parametrize("send", ["list", "stream"])
def test_an_encoded_page_without_a_marker_is_not_logged(
    encoding: str, compress: Any, page: str, send: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content = compress(page.encode())
    app = make_app(content, ("Content-Type", "text/html"), ("Content-Encoding", encoding), send=send)
    assert warnings(app, tmp_path, caplog, content=content) == []


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize("send", ["list", "stream"])
def test_a_page_in_a_charset_that_cannot_be_changed_is_logged_once(
    charset: str, send: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content = MARKED.encode(charset)
    app = make_app(content, ("Content-Type", f"text/html; charset={charset}"), send=send)
    [message] = warnings(app, tmp_path, caplog, times=2, content=content)
    assert charset in message
    assert "Send the page as UTF-8" in message


@pytest.mark.parametrize("charset", CHARSETS)
def test_a_page_in_such_a_charset_without_a_marker_is_not_logged(
    charset: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content = OWN_TAG.encode(charset)
    app = make_app(content, ("Content-Type", f"text/html; charset={charset}"))
    assert warnings(app, tmp_path, caplog, content=content) == []


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        pytest.param(gzip.compress(MARKED.encode()), [("Content-Encoding", "br")], id="another encoding"),
        pytest.param(MARKED.encode(), [("Content-Encoding", "gzip")], id="not encoded"),
        pytest.param(gzip.compress(MARKED.encode())[:-60], [("Content-Encoding", "gzip")], id="truncated"),
        pytest.param(MARKED.encode(), [("Content-Encoding", "unknown")], id="an unknown encoding"),
        pytest.param(gzip.compress(MARKED.encode()), [("Content-Type", "text/plain")], id="not a page"),
        pytest.param(gzip.compress(MARKED.encode()), [("Content-Disposition", "attachment")], id="an attachment"),
    ],
)
def test_a_response_that_cannot_be_decoded_or_is_not_a_page_is_not_logged(
    content: bytes, headers: list[tuple[str, str]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fields = {"Content-Type": "text/html", "Content-Encoding": "gzip"} | dict(headers)
    for send in ("list", "stream"):
        assert warnings(make_app(content, *fields.items(), send=send), tmp_path, caplog, content=content) == []


def test_each_reason_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    encodings = iter(["gzip", "deflate", "gzip", "deflate"])

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        encoding = next(encodings)
        start_response("200 OK", [("Content-Type", "text/html"), ("Content-Encoding", encoding)])
        return [(gzip.compress if encoding == "gzip" else zlib.compress)(MARKED.encode())]

    wrapped = DirectUploadMiddleware(app, f"local:{tmp_path}", anonymous=True)
    for _ in range(4):
        Request.blank("/").get_response(wrapped)
    assert ["gzip" in record.getMessage() for record in caplog.records] == [True, False]


@pytest.mark.parametrize(("inject", "count"), [(True, 1), (False, 0)])
def test_whether_a_page_without_a_marker_needs_the_tag(
    inject: bool, count: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content = gzip.compress(b"<p>Hello")
    app = make_app(content, ("Content-Type", "text/html"), ("Content-Encoding", "gzip"))
    assert len(warnings(app, tmp_path, caplog, content=content, inject=inject)) == count


def test_a_large_page_is_inspected_up_to_a_limit(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    content = zlib.compress(b"<p>text</p>" * 200_000 + MARKED.encode())
    app = make_app(content, ("Content-Type", "text/html"), ("Content-Encoding", "deflate"), send="stream")
    assert warnings(app, tmp_path, caplog, content=content) == []


def test_a_head_response_is_not_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    app = make_app(b"", ("Content-Type", "text/html"), ("Content-Encoding", "gzip"))
    Request.blank("/", method="HEAD").get_response(DirectUploadMiddleware(app, f"local:{tmp_path}", anonymous=True))
    assert caplog.records == []


# Django needs settings for the process, so it has its own process.

DJANGO = """
import json, logging, sys
import django
from django.conf import settings
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import path
from webob import Request

folder, page = sys.argv[1:]
settings.configure(
    SECRET_KEY="s" * 50, ALLOWED_HOSTS=["*"], ROOT_URLCONF="__main__", DEBUG=False,
    MIDDLEWARE=["django.middleware.gzip.GZipMiddleware"],
)
django.setup()
from django.core.wsgi import get_wsgi_application
from direct_upload_middleware import DirectUploadMiddleware

messages = []
handler = logging.Handler()
handler.emit = lambda record: messages.append(record.getMessage())
logging.getLogger("direct_upload_middleware").addHandler(handler)
urlpatterns = [
    path("whole", lambda request: HttpResponse(page)),
    path("stream", lambda request: StreamingHttpResponse(page[at:at + 50] for at in range(0, len(page), 50))),
]
found = []
for address in ("/whole", "/stream"):
    app = DirectUploadMiddleware(get_wsgi_application(), f"local:{folder}", anonymous=True)
    for _ in range(2):
        request = Request.blank(address, headers={"Accept-Encoding": "gzip"})
        answer = request.get_response(app)
        answer.decode_content()
        assert answer.text == page
    found.append(messages[:])
    messages.clear()
print(json.dumps(found))
"""


@pytest.mark.parametrize(("page", "count"), [(MARKED + "<!-- x -->" * 50, 1), (OWN_TAG + "<!-- x -->" * 50, 0)])
def test_the_gzip_middleware_of_django(page: str, count: int, tmp_path: Path) -> None:
    command = [sys.executable, "-c", DJANGO, str(tmp_path), page]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    whole, stream = json.loads(run.stdout)
    assert (len(whole), len(stream)) == (count, count)
    assert all("gzip" in message for message in whole + stream)
