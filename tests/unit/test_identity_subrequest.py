"""``identify="/whoami"``: the application is asked who is there, as nginx's ``auth_request`` asks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from wsgiref.validate import validator

import pytest
from webtest import TestApp, TestResponse

from direct_upload_middleware import ConfigurationError, DirectUploadMiddleware, Upload
from direct_upload_middleware.options import parse_strings
from direct_upload_middleware.testing import upload_file

BODY = {"filename": "report.pdf", "size": 4, "type": "application/pdf"}
Headers = list[tuple[str, str]]


class Application:
    """Knows its user by a cookie, and only inside. ``asked`` has the environ of each sub-request."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.status = "200 OK"
        self.headers: Headers | None = None
        self.closed = 0
        self.read_to_the_end = 0
        self.page: Callable[[dict[str, Any]], Any] = lambda environ: ""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if environ["PATH_INFO"] == "/who ami":
            self.asked.append(environ)
            return self.whoami(environ, start_response)
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
        return [f"<html><body>{self.page(environ)}</body></html>".encode()]

    def whoami(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        cookie = SimpleCookie(environ.get("HTTP_COOKIE", "")).get("user")
        headers = [("Content-Type", "text/html"), *([("Remote-User", cookie.value)] if cookie else [])]
        start_response(self.status, headers if self.headers is None else [headers[0], *self.headers])
        return Body(self)


class Body:
    def __init__(self, application: Application) -> None:
        self.application = application

    def __iter__(self) -> Iterator[bytes]:
        yield b"<html><body>a page"
        self.application.read_to_the_end += 1

    def close(self) -> None:
        self.application.closed += 1


@pytest.fixture
def application() -> Application:
    return Application()


MakeSite = Callable[..., TestApp]


@pytest.fixture
def make_site(application: Application, tmp_path: Path) -> MakeSite:
    def make(**options: Any) -> TestApp:
        wrapped = validator(application)
        options = {"identify": "/who%20ami", "inject": True, **options}
        return TestApp(validator(DirectUploadMiddleware(wrapped, f"local:{tmp_path}", **options)))

    return make


@pytest.fixture
def site(make_site: MakeSite) -> TestApp:
    site = make_site()
    site.set_cookie("user", "ann")
    return site


def begin(site: TestApp, **how: Any) -> TestResponse:
    return site.post_json("/_upload/uploads", BODY, **how)


def identity(site: TestApp, application: Application) -> str | None:
    """What a page of the application is told."""
    seen: list[str | None] = []
    application.page = lambda environ: seen.append(environ["direct_upload.uploads"].identity)
    site.get("/page")
    return seen[0]


def test_the_application_identifies_the_requester(site: TestApp, application: Application) -> None:
    assert identity(site, application) == "ann"
    receipt = upload_file(site, "report.pdf", b"data")
    owners: list[str | None] = []
    application.page = lambda environ: owners.append(environ["direct_upload.uploads"].verify(receipt).owner)
    site.get("/page")
    assert owners == ["ann"]


def test_without_the_header_the_requester_is_anonymous(make_site: MakeSite) -> None:
    assert begin(make_site(), status=401).json["code"] == "not-authenticated"


@pytest.mark.parametrize("status", ["302 Found", "401 Unauthorized", "403 Forbidden", "404 Not Found"])
def test_a_status_other_than_2xx_is_anonymous_whatever_the_header_says(
    site: TestApp, application: Application, status: str
) -> None:
    application.status = status
    assert begin(site, status=401).json["code"] == "not-authenticated"


def test_an_application_that_fails_is_an_application_error(site: TestApp, application: Application) -> None:
    application.status = "503 Service Unavailable"
    assert begin(site, status=500).json["code"] == "application-error"


def test_an_application_that_raises_is_an_application_error_and_asked_again_by_the_next_request(
    site: TestApp, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise KeyError("no database")

    with monkeypatch.context() as patch:
        patch.setattr(application, "whoami", fail)
        assert begin(site, status=500).json["code"] == "application-error"
    begin(site, status=201)


@pytest.mark.parametrize(
    ("sent", "identity_is"),
    [
        pytest.param("Zoë".encode().decode("latin-1"), "Zoë", id="UTF-8"),
        pytest.param("Zo\xeb", "Zoë", id="ISO-8859-1"),
        pytest.param("  ann ", "ann", id="blanks around"),
        pytest.param("", None, id="empty"),
    ],
)
def test_the_headers_value_is_decoded(
    site: TestApp, application: Application, sent: str, identity_is: str | None
) -> None:
    application.headers = [("Remote-User", sent)]
    assert identity(site, application) == identity_is


def test_the_sub_request_is_a_plain_get_with_the_same_cookies(site: TestApp, application: Application) -> None:
    begin(
        site,
        headers={
            "If-None-Match": '"x"',
            "Range": "bytes=0-1",
            "Upload-Ticket": "t",
            "Accept-Language": "de",
            "Authorization": "Basic eA==",
            "X-HTTP-Method-Override": "DELETE",
        },
    )
    [asked] = application.asked
    assert (asked["REQUEST_METHOD"], asked["QUERY_STRING"]) == ("GET", "")
    assert asked["wsgi.input"].read(10) == b""
    assert (asked["HTTP_ACCEPT_LANGUAGE"], asked["HTTP_AUTHORIZATION"]) == ("de", "Basic eA==")
    left_out = {"HTTP_IF_NONE_MATCH", "HTTP_RANGE", "HTTP_UPLOAD_TICKET", "HTTP_X_HTTP_METHOD_OVERRIDE", "CONTENT_TYPE"}
    assert not left_out & set(asked)


def test_its_answer_is_read_and_closed_once_and_gets_no_script(site: TestApp, application: Application) -> None:
    begin(site)
    assert (len(application.asked), application.read_to_the_end, application.closed) == (1, 1, 1)


def test_a_request_asks_at_most_once(make_site: MakeSite, application: Application) -> None:
    def on_complete(environ: Any, upload: Upload) -> str:
        return str(environ["direct_upload.uploads"].identity)

    site = make_site(on_complete=on_complete)
    site.set_cookie("user", "ann")
    upload_file(site, "report.pdf", b"data")
    begun_and_completed = 2
    assert len(application.asked) == begun_and_completed


def test_a_request_that_needs_no_identity_does_not_ask(site: TestApp, application: Application) -> None:
    site.get("/page")
    site.get("/_upload/static/direct-upload.js")
    assert application.asked == []


def test_the_identity_is_unknown_inside_identify(
    site: TestApp, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = []
    whoami = application.whoami

    def ask_back(environ: dict[str, Any], start_response: Any) -> Any:
        heard.append(environ["direct_upload.uploads"].identity)
        return whoami(environ, start_response)

    monkeypatch.setattr(application, "whoami", ask_back)
    assert identity(site, application) == "ann"
    assert heard == [None]


def test_an_ini_file_may_name_the_path() -> None:
    assert parse_strings({"identify": "/whoami"}) == {"identify": "/whoami"}


@pytest.mark.parametrize("path", ["whoami", "/who?am=i", "/who#ami", "/who ami", "/wër", ""])
def test_an_invalid_path_is_refused(make_site: MakeSite, path: str) -> None:
    with pytest.raises(ConfigurationError, match="'/whoami'"):
        make_site(identify=path)


def test_requests_ask_at_the_same_time(make_site: MakeSite) -> None:
    """Each waits until both have asked."""
    both = threading.Barrier(2, timeout=10)

    def identify(environ: dict[str, Any]) -> str:
        both.wait()
        return "ann"

    site = make_site(identify=identify)
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda _: begin(TestApp(site.app), status="*").status_int, range(2)))
    assert answers == [201, 201]
