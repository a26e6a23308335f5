"""A real browser uploads from pages with strict policies to a private Swift of another origin."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any
from urllib.parse import parse_qs
from wsgiref.handlers import BaseHandler
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from helpers.browsers.engines import ENGINES, Engine, started
from helpers.uploads import new_container, swift_storage
from selenium import webdriver
from selenium.common.exceptions import TimeoutException, WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from direct_upload_middleware import DirectUploadMiddleware
from direct_upload_middleware.testing.private_swift.server import SwiftServer

pytestmark = pytest.mark.browser

PAGE = """<!DOCTYPE html><title>Strict</title>
<form method="post"><input type="file" name="file" data-direct-upload><button>Send</button></form>"""
ENFORCED, REPORTED = "Content-Security-Policy", "Content-Security-Policy-Report-Only"
NEEDED = "default-src 'none'; connect-src 'self'; form-action 'self'; img-src 'self'"
POLICIES = [
    pytest.param([(ENFORCED, NEEDED + "; script-src 'nonce-{nonce}'")], ["worker-src"], id="nonce"),
    pytest.param(
        [(ENFORCED, NEEDED + "; script-src 'nonce-{nonce}' 'strict-dynamic'; worker-src 'self'")],
        [],
        id="strict-dynamic",
    ),
    pytest.param([(ENFORCED, NEEDED + "; script-src 'self'")], [], id="self"),
    pytest.param(
        [
            (ENFORCED, "default-src 'self'; object-src 'none'"),
            (REPORTED, NEEDED + "; script-src 'nonce-{nonce}'; worker-src 'self'"),
        ],
        [],
        id="Report-Only and enforced",
    ),
]
"""The headers of the page, and the directives that it violates: a nonce does not allow workers, which are optional."""

LISTEN = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => violations.push(event.effectiveDirective));
"""
HAS_RECEIPT = "return /^[.\\w-]{40,}$/.test(new FormData(document.forms[0]).get('file'))"
FETCH_ELSEWHERE = "fetch('http://127.0.0.1:9/').catch(() => setTimeout(arguments[0]))"

#: One call, because the page may change between finding an element and reading its text.
TEXT = "return document.body?.innerText"


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Log nothing."""


def application(policies: list[tuple[str, str]]) -> Callable[..., Iterable[bytes]]:
    """Return an application with a form under these policies, which answers the upload's name and size."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "POST":
            fields = parse_qs(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode())
            upload = environ["direct_upload.uploads"].verify(fields["file"][0])
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [f"{upload.filename} has {upload.size} bytes".encode()]
        nonce = secrets.token_urlsafe(16)
        headers = [(name, policy.format(nonce=nonce)) for name, policy in policies]
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), *headers])
        return [PAGE.encode()]

    return app


@contextmanager
def served(app: Callable[..., Iterable[bytes]]) -> Iterator[str]:
    with make_server("127.0.0.1", 0, app, server_class=Server, handler_class=Quiet) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not binary or not driver:
        pytest.fail("chromium and chromedriver are needed: 'make test' installs them, -m 'not browser' does without")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('profile')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with webdriver.Chrome(options=options, service=webdriver.ChromeService(driver, env=dict(os.environ))) as started:
        started.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": LISTEN})
        yield started


@pytest.mark.parametrize(("policies", "violated"), POLICIES)
def test_a_page_with_a_strict_policy_uploads(
    swift_server: SwiftServer,
    chromium: webdriver.Chrome,
    tmp_path: Path,
    policies: list[tuple[str, str]],
    violated: list[str],
) -> None:
    """An upload does not violate the page's policy.

    The test fails if the script tag has no nonce, if Swift's origin is missing in ``connect-src`` of a policy, if
    anything else was added, or if the script does something that a strict policy forbids.
    """
    file = tmp_path / "strict.bin"
    file.write_bytes(secrets.token_bytes(900_000))
    app = DirectUploadMiddleware(
        application(policies),
        swift_storage(swift_server, new_container()),
        secret="a secret of the tests",
        identify=lambda environ: "ann",
        segment_size=300_000,  # smaller segments are hashed without a worker
    )
    with served(app) as address:
        chromium.get(address)
        waiting = WebDriverWait(chromium, 30, poll_frequency=0.1)
        chromium.find_element(By.NAME, "file").send_keys(str(file))
        waiting.until(lambda browser: browser.execute_script(HAS_RECEIPT))
        assert sorted(set(chromium.execute_script("return violations"))) == violated
        chromium.execute_async_script(FETCH_ELSEWHERE)
        assert "connect-src" in chromium.execute_script("return violations")
        chromium.find_element(By.CSS_SELECTOR, "form > button").click()
        waiting.until(lambda browser: browser.execute_script(TEXT) == "strict.bin has 900000 bytes")
        chromium.get("about:blank")  # closes the connections


def test_a_page_that_forbids_scripts_still_does(swift_server: SwiftServer, chromium: webdriver.Chrome) -> None:
    """The policy for scripts is unchanged. The test fails if ``script-src`` is extended or a nonce is added."""
    app = DirectUploadMiddleware(
        application([(ENFORCED, NEEDED + "; script-src 'none'")]),
        swift_storage(swift_server),
        secret="a secret of the tests",
        identify=lambda environ: "ann",
    )
    with served(app) as address:
        chromium.get(address)
        waiting = WebDriverWait(chromium, 30, poll_frequency=0.1)
        assert waiting.until(lambda browser: browser.execute_script("return violations")) == ["script-src-elem"]
        chromium.get("about:blank")


VALIDATORS = [
    pytest.param([("ETag", '"abc"')], id="strong ETag"),
    pytest.param([("ETag", 'W/"abc"')], id="weak ETag"),
    pytest.param([("Last-Modified", "Sat, 28 Nov 2015 00:00:00 GMT")], id="Last-Modified"),
]
BROWSERS = os.environ.get("BROWSERS", "chromium").split()  # all three in ``make test-browsers``


def cached_application(validators: list[tuple[str, str]], statuses: list[int]) -> Callable[..., Iterable[bytes]]:
    """Return an application whose page never changes, and that sends its strict policy with each 304 as well."""
    page = application([(ENFORCED, NEEDED + "; script-src 'self'; worker-src 'self'")])

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/":
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return []
        is_stored = "HTTP_IF_NONE_MATCH" in environ or "HTTP_IF_MODIFIED_SINCE" in environ
        statuses.append(304 if is_stored else 200)

        def start(status: str, headers: list[tuple[str, str]]) -> Any:
            if is_stored:
                status, headers = "304 Not Modified", headers[1:]  # no content type
            return start_response(status, [*headers, *validators, ("Cache-Control", "no-cache")])

        body = page(environ, start)
        return [] if is_stored else body

    return app


@pytest.fixture(scope="module", params=[e for e in ENGINES if e.name in BROWSERS], ids=lambda engine: engine.name)
def browser(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    engine: Engine = request.param
    with started(engine, tmp_path_factory.mktemp("profiles") / engine.name) as driver:
        yield driver


@pytest.mark.parametrize("validators", VALIDATORS)
def test_a_page_from_the_cache_uploads(
    swift_server: SwiftServer,
    browser: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    validators: list[tuple[str, str]],
) -> None:
    """A 304 updates the policy of the stored page. The test fails if the 304 lacks the storage's origin."""
    file = tmp_path / "cached.bin"
    file.write_bytes(secrets.token_bytes(1000))
    monkeypatch.setattr(BaseHandler, "http_version", "1.1")  # Chromium does not use the ETag of an HTTP/1.0 response
    statuses: list[int] = []
    app = DirectUploadMiddleware(
        cached_application(validators, statuses),
        swift_storage(swift_server, new_container()),
        secret="a secret of the tests",
        identify=lambda environ: "ann",
    )
    with served(app) as address:
        for visit in range(3):
            browser.get("about:blank")
            browser.get(address)
            if visit == 2:
                browser.execute_script("location.reload()")
                WebDriverWait(browser, 30, poll_frequency=0.1).until(lambda _: len(statuses) > 3)
            upload(browser, file)
        browser.get("about:blank")  # closes the connections
    assert statuses[:3] == [200, 304, 304]  # for the reload, WebKit does not use its cache


def upload(browser: Any, file: Path) -> None:
    """Choose the file and wait for its receipt. Without one, fail with the message of the page."""
    waiting = WebDriverWait(browser, 30, poll_frequency=0.1, ignored_exceptions=[WebDriverException])
    waiting.until(lambda _: browser.execute_script("return document.readyState") == "complete")
    browser.find_element(By.NAME, "file").send_keys(str(file))
    try:
        waiting.until(lambda _: browser.execute_script(HAS_RECEIPT))
    except TimeoutException:
        pytest.fail(browser.execute_script(TEXT))
