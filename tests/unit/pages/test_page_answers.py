"""Answers about a page, HEAD and 304, have the headers of the GET that they stand for."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.validate import validator

import flask
import pytest
from pyramid.config import Configurator
from webob import Request, Response

from direct_upload_middleware import DirectUploadMiddleware
from direct_upload_middleware.storage.local import LocalStorage

ORIGIN = "https://swift.example.com"
MARKED = "<!doctype html><title>Files</title><body><form><input type=file data-direct-upload></form></body></html>"
PLAIN = MARKED.replace("data-direct-upload", "data-other")
OWN_TAG = PLAIN.replace("<title>", '<script type=module src="/_upload/static/direct-upload.js"></script><title>')
POLICIES = [
    ("Content-Security-Policy", "default-src 'self'; script-src 'nonce-abc'"),
    ("Content-Security-Policy-Report-Only", "connect-src 'none'"),
]
LAST_MODIFIED = "Sat, 28 Nov 2026 00:00:00 GMT"
CONTENT_FIELDS = ["Content-Length", "ETag", "Content-Security-Policy", "Content-Security-Policy-Report-Only"]

App = Callable[[dict[str, Any], Any], Iterable[bytes]]


class FarStorage(LocalStorage):
    """A storage whose origin is not the page's."""

    def browser_storage_origin(self) -> str | None:
        return ORIGIN


def wrap(app: App, tmp_path: Path, **options: Any) -> App:
    return validator(wrap_without_validator(app, tmp_path, **options))  # type: ignore[no-any-return]


def wrap_without_validator(app: App, tmp_path: Path, **options: Any) -> App:
    """Return the wrapped application for tests in which the application breaks a rule that the validator checks."""
    return DirectUploadMiddleware(app, FarStorage(tmp_path), secret="s" * 32, anonymous=True, **options)


def ask(app: App, method: str = "GET", **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return send(Request.blank("/", method=method, headers=named), app)


def send(request: Request, app: App) -> Response:
    answer = request.get_response(app)
    for _ in answer.app_iter:
        pass
    if hasattr(answer.app_iter, "close"):
        answer.app_iter.close()
    return answer


def content_fields(answer: Response) -> dict[str, list[str]]:
    return {name: answer.headers.getall(name) for name in CONTENT_FIELDS}


# Applications that answer conditional requests, each in the way of its framework


def hash_etag(page: str) -> str:
    return hashlib.md5(page.encode(), usedforsecurity=False).hexdigest()


def make_flask(page: str) -> App:
    app = flask.Flask("pages")

    @app.route("/")
    def index() -> flask.Response:
        response = flask.Response(page)
        response.set_etag(hash_etag(page))
        response.headers.extend(POLICIES)
        return response.make_conditional(flask.request)  # type: ignore[return-value]

    return app.wsgi_app


def make_flask_stream(page: str) -> App:
    app = flask.Flask("pages")

    @app.route("/")
    def index() -> flask.Response:
        response = flask.Response(page[at : at + 20] for at in range(0, len(page), 20))
        response.headers["ETag"] = f'"{hash_etag(page)}"'
        response.headers.extend(POLICIES)
        return response.make_conditional(flask.request)  # type: ignore[return-value]

    return app.wsgi_app


def make_pyramid(page: str) -> App:
    def index(request: Any) -> Response:
        response = Response(page, conditional_response=True)
        response.md5_etag()
        response.headers.extend(POLICIES)
        return response

    with Configurator() as config:
        config.add_route("index", "/")
        config.add_view(index, route_name="index")
        app: App = config.make_wsgi_app()
    return app


def make_plain(page: str, *, sends_body: bool, is_list: bool = True) -> App:
    """Return an application without a framework, which ignores HEAD or sends an empty body for it."""
    etag = f'"{hash_etag(page)}"'

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = [page.encode()] if sends_body or environ["REQUEST_METHOD"] == "GET" else []
        status, headers = "200 OK", [("Content-Type", "text/html"), ("Content-Length", str(len(page)))]
        if etag in environ.get("HTTP_IF_NONE_MATCH", ""):
            status, headers, body = "304 Not Modified", [], []
        start_response(status, [*headers, ("ETag", etag), *POLICIES])
        return body if is_list else iter([b"", *body, b""])

    return app


APPS = [
    pytest.param(make_flask, id="Flask"),
    pytest.param(make_flask_stream, id="Flask, streaming"),
    pytest.param(make_pyramid, id="Pyramid"),
    pytest.param(lambda page: make_plain(page, sends_body=True), id="WSGI, with a body for HEAD"),
    pytest.param(lambda page: make_plain(page, sends_body=False), id="WSGI, without a body for HEAD"),
    pytest.param(lambda page: make_plain(page, sends_body=False, is_list=False), id="WSGI, iterator"),
]
PAGES = [pytest.param(MARKED, id="marker"), pytest.param(PLAIN, id="no marker"), pytest.param(OWN_TAG, id="own tag")]


@pytest.mark.parametrize("make", APPS)
@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("inject", ["auto", True])
def test_head_has_the_headers_of_get(make: Callable[[str], App], page: str, inject: Any, tmp_path: Path) -> None:
    app = wrap(make(page), tmp_path, inject=inject)
    get, head = ask(app), ask(app, "HEAD")
    assert get.status_int == head.status_int == 200
    if page != PLAIN or inject is True:
        assert get.headers["ETag"].startswith("W/")
        assert ORIGIN in get.headers["Content-Security-Policy"]
    expected, found = content_fields(get), content_fields(head)
    if not head.headers.get("Content-Length"):
        expected["Content-Length"] = found["Content-Length"] = []
    assert found == expected


@pytest.mark.parametrize("make", APPS)
@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("if_none_match", ["{}", '"other", {}', 'W/"other", {}, "third"'])
def test_304_has_the_headers_of_get(
    make: Callable[[str], App], page: str, method: str, if_none_match: str, tmp_path: Path
) -> None:
    app = wrap(make(page), tmp_path)
    get = ask(app)
    again = ask(app, method, If_None_Match=if_none_match.format(get.headers["ETag"]))
    assert again.status_int == 304
    expected, found = content_fields(get), content_fields(again)
    assert found.pop("Content-Length") == []
    expected.pop("Content-Length")
    assert found == expected


def make_cached(page: str, *headers: tuple[str, str]) -> App:
    """Return an application that answers every conditional request with 304, with these headers."""

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        is_conditional = "HTTP_IF_NONE_MATCH" in environ or "HTTP_IF_MODIFIED_SINCE" in environ
        if is_conditional:
            start_response("304 Not Modified", [*headers, *POLICIES])
            return []
        start_response("200 OK", [*({"Content-Type": "text/html"} | dict(headers)).items(), *POLICIES])
        return [page.encode()]

    return app


@pytest.mark.parametrize(
    ("headers", "conditions"),
    [
        pytest.param([("ETag", 'W/"a"')], {"If_None_Match": 'W/"a"'}, id="a weak ETag"),
        pytest.param([("Last-Modified", LAST_MODIFIED)], {"If_Modified_Since": LAST_MODIFIED}, id="Last-Modified only"),
        pytest.param(
            [("ETag", '"a"'), ("Last-Modified", LAST_MODIFIED)],
            {"If_Modified_Since": LAST_MODIFIED},
            id="ETag and Last-Modified, asked for by date",
        ),
        pytest.param([("ETag", '"a"')], {"If_None_Match": "*"}, id="any ETag"),
        pytest.param([("ETag", '"a"')], {"If_None_Match": 'W/"a", "a"'}, id="a weak and a strong ETag"),
        pytest.param([("ETag", '"a"'), ("Content-Type", "text/html")], {"If_None_Match": 'W/"a"'}, id="with a type"),
    ],
)
def test_304_allows_the_storage_unless_the_stored_page_is_unchanged(
    headers: list[tuple[str, str]], conditions: dict[str, str], tmp_path: Path
) -> None:
    app = wrap_without_validator(make_cached(MARKED, *headers), tmp_path)
    get, again = ask(app), ask(app, **conditions)
    assert (get.status_int, again.status_int) == (200, 304)
    assert content_fields(again) == {**content_fields(get), "Content-Length": []}


@pytest.mark.parametrize(
    ("headers", "if_none_match"),
    [
        pytest.param([("ETag", '"a"')], '"a"', id="a strong ETag"),
        pytest.param([("ETag", '"a"')], 'W/"b", "a"', id="the weak ETag of another page"),
        pytest.param([], '"a"', id="no ETag in the response"),
        pytest.param([("ETag", 'W/"a"'), ("Content-Type", "application/json")], 'W/"a"', id="another type"),
    ],
)
def test_304_of_an_unchanged_response_is_unchanged(
    headers: list[tuple[str, str]], if_none_match: str, tmp_path: Path
) -> None:
    sent = [*headers, ("Accept-Ranges", "bytes")]
    answer = ask(wrap_without_validator(make_cached(PLAIN, *sent), tmp_path), If_None_Match=if_none_match)
    assert answer.headerlist == [*sent, *POLICIES]


@pytest.mark.parametrize("make", [make_flask, make_pyramid])
def test_a_range_of_a_changed_page_is_not_sent_from_the_unchanged_page(
    make: Callable[[str], App], tmp_path: Path
) -> None:
    app = wrap(make(MARKED), tmp_path)
    page = ask(app)
    assert "Accept-Ranges" not in page.headers
    answer = ask(app, Range="bytes=10-19", If_Range=page.headers["ETag"])
    assert (answer.status_int, content_fields(answer)) == (200, content_fields(page))


def test_head_calls_the_application_again_only_for_a_page_without_a_body(tmp_path: Path) -> None:
    calls: list[tuple[str, str]] = []

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        calls.append((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        content_type = "text/html" if environ["PATH_INFO"] != "/file" else "application/pdf"
        headers = [("Content-Type", content_type)]
        if environ["PATH_INFO"] != "/bare":
            headers.append(("Content-Length", str(len(MARKED))))
        start_response("200 OK", headers)
        return [MARKED.encode()] if environ["PATH_INFO"] == "/body" or environ["REQUEST_METHOD"] == "GET" else []

    for path in ("/file", "/bare", "/body", "/page"):
        send(Request.blank(path, method="HEAD"), wrap(app, tmp_path))
    assert calls == [("HEAD", "/file"), ("HEAD", "/bare"), ("HEAD", "/body"), ("HEAD", "/page"), ("GET", "/page")]


def test_head_keeps_its_headers_if_get_has_another_status(tmp_path: Path) -> None:
    headers = [("Content-Type", "text/html"), ("ETag", '"a"'), ("Content-Length", "7")]

    def app(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        status = "200 OK" if environ["REQUEST_METHOD"] == "HEAD" else "404 Not Found"
        start_response(status, headers)
        yield from ()

    assert ask(wrap(app, tmp_path), "HEAD").headerlist == headers


def test_the_body_of_the_get_is_closed(tmp_path: Path) -> None:
    closed: list[str] = []

    class Body:
        def __init__(self, method: str) -> None:
            self.method = method

        def __iter__(self) -> Iterator[bytes]:
            return iter([MARKED.encode()] if self.method == "GET" else [])

        def close(self) -> None:
            closed.append(self.method)

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/html"), ("ETag", '"a"')])
        return Body(environ["REQUEST_METHOD"])

    assert ask(wrap(app, tmp_path), "HEAD").headers["ETag"] == 'W/"a"'
    assert closed == ["GET", "HEAD"]


# Django needs settings for the process, so it has its own process.

DJANGO = """
import json, sys
import django
from django.conf import settings
from django.http import HttpResponse
from django.urls import path

tests, folder, *pages = sys.argv[1:]
sys.path.append(tests)
from unit.pages.test_page_answers import POLICIES, ask, content_fields, wrap

settings.configure(
    SECRET_KEY="s" * 50, ALLOWED_HOSTS=["*"], ROOT_URLCONF="__main__", DEBUG=False,
    MIDDLEWARE=["__main__.add_policies", "django.middleware.http.ConditionalGetMiddleware"],
)
django.setup()
from django.core.wsgi import get_wsgi_application

def add_policies(get_response):
    def middleware(request):
        response = get_response(request)
        for name, value in POLICIES:
            response[name] = value
        return response
    return middleware

def index(request):
    return HttpResponse(pages[0])

urlpatterns = [path("", index)]
app = wrap(get_wsgi_application(), folder)
found = []
for _ in range(len(pages)):
    get = ask(app)
    answers = [get, ask(app, "HEAD"), ask(app, If_None_Match=get.headers["ETag"])]
    found.append([(answer.status_int, content_fields(answer)) for answer in answers])
    pages.pop(0)
print(json.dumps(found))
"""


def test_answers_of_django(tmp_path: Path) -> None:
    tests = Path(__file__).parents[2]
    command = [sys.executable, "-c", DJANGO, str(tests), str(tmp_path), MARKED, PLAIN]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    for page, ((status, get), head, (again_status, again)) in zip((MARKED, PLAIN), json.loads(run.stdout), strict=True):
        assert head == [status, {**get, "ETag": []}]  # Django computes no ETag for HEAD
        assert (again_status, again) == (304, {**get, "Content-Length": []})
        assert get["ETag"][0].startswith("W/") is (page == MARKED)
        assert (ORIGIN in get["Content-Security-Policy"][0]) is (page == MARKED)
