"""``direct-upload doctor --page``: an application behind proxies that break its uploads."""

from __future__ import annotations

import itertools
import secrets
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from helpers.doctor_runs import SECRET, diagnose
from helpers.faults.no_container_keys import drop_keys, storage_behind

from direct_upload_middleware import DirectUploadMiddleware
from direct_upload_middleware.cli.doctor.cookies import faults
from direct_upload_middleware.cli.doctor.page import examine_page
from direct_upload_middleware.cli.doctor.result import Result
from direct_upload_middleware.testing.private_swift.server import SwiftServer

App = Any


@pytest.fixture
def url() -> str:
    return f"swift://page-{secrets.token_hex(4)}"


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Do not log."""


@contextmanager
def served(app: App, certificate: Path | None = None) -> Iterator[str]:
    with make_server("127.0.0.1", 0, app, handler_class=_Quiet) as server:
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http{'s' if certificate else ''}://127.0.0.1:{server.server_port}/"
        server.shutdown()


def app_with(body: str, *headers: tuple[str, str]) -> App:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), *headers])
        return [body.encode()]

    return app


MARKED = "<!doctype html><form><input type=file name=a data-direct-upload></form>"


def wrapped(url: Any, body: str = MARKED, *headers: tuple[str, str], **options: Any) -> App:
    return DirectUploadMiddleware(app_with(body, *headers), url, **{"secret": SECRET, "anonymous": True, **options})


def changing(app: App, **changes: str | None) -> App:
    """A proxy that sets or drops variables of the environ."""

    def front(environ: Any, start_response: Any) -> Any:
        environ = {name: value for name, value in environ.items() if changes.get(name, "") is not None}
        return app(environ | {n: v for n, v in changes.items() if v is not None}, start_response)

    return front


def adding(app: App, name: str, value: str) -> App:
    """A proxy that adds a header to each answer."""

    def front(environ: Any, start_response: Any) -> Any:
        return app(environ, lambda status, headers, *rest: start_response(status, [*headers, (name, value)], *rest))

    return front


def rewriting_cookies(app: App, old: str, new: str) -> App:
    """A proxy that changes cookies; "" drops them."""

    def rewritten(headers: Any) -> Any:
        pairs = [(n, v.replace(old, new) if n == "Set-Cookie" else v) for n, v in headers]
        return [(n, v) for n, v in pairs if v]

    def front(environ: Any, start_response: Any) -> Any:
        return app(environ, lambda status, headers, *rest: start_response(status, rewritten(headers), *rest))

    return front


def answering(app: App, status: str, *headers: tuple[str, str], path: str = "/_upload", method: str = "") -> App:
    """A proxy that answers some requests itself."""

    def front(environ: Any, start_response: Any) -> Any:
        if environ["PATH_INFO"].startswith(path) and environ["REQUEST_METHOD"].startswith(method):
            start_response(status, [("Content-Type", "text/html"), *headers])
            return [b"not here"]
        return app(environ, start_response)

    return front


def in_turn(*apps: App) -> App:
    """Processes that answer one after the other."""
    turns = itertools.cycle(apps)
    return lambda environ, start_response: next(turns)(environ, start_response)


def meta(policy: str) -> str:
    return f'<meta http-equiv="Content-Security-Policy" content="{policy}">{MARKED}'


CSP = "Content-Security-Policy"


@pytest.mark.usefixtures("swift_environ")
class TestPage:
    @pytest.fixture(autouse=True)
    def _storage(self, swift_server: SwiftServer) -> None:
        self.storage_origin = swift_server.url

    def found(self, app: App, path: str = "", **served_as: Any) -> dict[str, Result]:
        """The last result of each check, which is the worst."""
        with served(app, **served_as) as page:
            return {result.check: result for result in examine_page(page + path, self.storage_origin, {})}

    @pytest.mark.parametrize(
        "policy",
        [
            "default-src 'self'; script-src 'nonce-abc'; worker-src 'self'",
            "default-src 'self'",
            "script-src 'nonce-abc' 'strict-dynamic'",
            "img-src 'none'",
        ],
    )
    def test_a_working_page_passes_every_check(self, url: str, policy: str) -> None:
        found = {check: result.verdict for check, result in self.found(wrapped(url, MARKED, (CSP, policy))).items()}
        assert found.pop("page-nonce", "ok") == "ok"
        assert found == dict.fromkeys(
            (
                "page-script",
                "page-connect",
                "page-script-src",
                "page-worker",
                "page-asset",
                "page-api",
                "page-origin",
                "page-https",
                "page-storage",
                "page-cookie",
                "page-ticket",
            ),
            "ok",
        )

    @pytest.mark.parametrize(
        "spoil",
        [
            pytest.param(lambda url: (app_with(MARKED), "page-script"), id="not behind the middleware"),
            pytest.param(lambda url: (wrapped(url, "<p>nothing"), "page-script"), id="no marker"),
            pytest.param(
                lambda url: (adding(wrapped(url), CSP, "connect-src 'self'"), "page-connect"), id="storage forbidden"
            ),
            pytest.param(
                lambda url: (wrapped(url, meta("connect-src 'self'")), "page-connect"), id="storage forbidden by <meta>"
            ),
            pytest.param(
                lambda url: (adding(wrapped(url), CSP, "script-src 'nonce-abc'"), "page-nonce"), id="nonce missing"
            ),
            pytest.param(
                lambda url: (wrapped(url, MARKED, (CSP, "script-src https://cdn.example.com")), "page-script-src"),
                id="script forbidden",
            ),
            pytest.param(
                lambda url: (wrapped(url, meta("default-src 'none'; connect-src *")), "page-script-src"),
                id="script forbidden by <meta>",
            ),
            pytest.param(lambda url: (answering(wrapped(url), "404 No"), "page-asset"), id="mount not passed on"),
            pytest.param(
                lambda url: (changing(wrapped(url), SCRIPT_NAME="/inside"), "page-asset"), id="mounted elsewhere"
            ),
            pytest.param(
                lambda url: (answering(wrapped(url), "405 No", method="POST"), "page-api"), id="POST not passed on"
            ),
            pytest.param(
                lambda url: (
                    answering(wrapped(url), "301 Moved", ("Location", "/elsewhere"), method="POST"),
                    "page-api",
                ),
                id="POST redirected",
            ),
            pytest.param(
                lambda url: (
                    changing(wrapped(url), HTTP_HOST="inside:8000", HTTP_SEC_FETCH_SITE=None),
                    "page-origin",
                ),
                id="Host rewritten and Sec-Fetch-Site dropped",
            ),
            pytest.param(
                lambda url: (changing(wrapped(url), HTTP_HOST="inside:8000", HTTP_ORIGIN=None), "page-storage"),
                id="Host rewritten and Origin dropped",
            ),
            pytest.param(lambda url: (wrapped("local:never-used"), "page-storage"), id="another storage"),
            pytest.param(
                lambda url: (rewriting_cookies(wrapped(url), "direct_upload", "x_direct_upload"), "page-cookie"),
                id="Set-Cookie renamed",
            ),
            pytest.param(
                lambda url: (rewriting_cookies(wrapped(url), "Path=/", "Path=/inside"), "page-cookie"),
                id="path of cookies rewritten",
            ),
            pytest.param(
                lambda url: (rewriting_cookies(wrapped(url), "SameSite=Strict", "SameSite=None"), "page-cookie"),
                id="SameSite rewritten",
            ),
            pytest.param(lambda url: (changing(wrapped(url), HTTP_COOKIE=None), "page-ticket"), id="Cookie dropped"),
            pytest.param(
                lambda url: (changing(wrapped(url), HTTP_UPLOAD_TICKET=None), "page-ticket"), id="ticket dropped"
            ),
            pytest.param(
                lambda url: (in_turn(wrapped(url), wrapped(url, secret="another secret of the tests")), "page-ticket"),
                id="secrets differ among processes",
            ),
        ],
    )
    def test_each_fault_of_a_page_is_reported(
        self, url: str, spoil: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        app, check = spoil(url)
        found = self.found(app)
        assert found[check].verdict == "failure", found
        assert found[check].remedy

    @pytest.mark.parametrize(
        "spoil",
        [
            pytest.param(lambda url: (wrapped(url, meta("worker-src 'none'")), "page-worker"), id="no workers"),
            pytest.param(
                lambda url: (changing(wrapped(url), HTTP_HOST="inside:8000"), "page-origin"), id="Host rewritten"
            ),
            pytest.param(lambda url: (wrapped(url, anonymous=False), "page-cookie"), id="nobody logged in"),
            pytest.param(lambda url: (wrapped(url, accept=[".nope"]), "page-cookie"), id="file refused"),
            pytest.param(
                lambda url: (answering(wrapped(url), "303 See", ("Location", "/login"), path="/new"), "page"),
                id="led to a log-in",
            ),
        ],
    )
    def test_each_suspicion_about_a_page_is_a_warning(self, url: str, spoil: Any) -> None:
        app, check = spoil(url)
        found = self.found(app, "new")
        assert found[check].verdict == "warning", found
        assert found[check].remedy

    def test_an_application_that_cannot_begin_uploads_is_reported(self, url: str, swift_server: SwiftServer) -> None:
        with storage_behind(swift_server, drop_keys, url.removeprefix("swift://")) as storage:
            found = self.found(wrapped(storage))
        assert found["page-begin"].verdict == "failure"
        assert "seal='revoke'" in found["page-begin"].detail

    def test_the_header_option_logs_in(self, url: str) -> None:
        def identify(environ: Any) -> str | None:
            return "ann" if "session=ann" in environ.get("HTTP_COOKIE", "") else None

        with served(wrapped(url, anonymous=False, identify=identify)) as page:
            code, found = diagnose(url, "--page", page, "--header", "cookie: session=ann", origin=None)
        assert (code, found["page-cookie"]["verdict"], found["page-ticket"]["verdict"]) == (0, "ok", "ok")

    def test_an_unreachable_page_is_reported(self, url: str) -> None:
        code, found = diagnose(url, "--page", "http://127.0.0.1:9/", origin=None)
        assert (code, found["page"]["verdict"]) == (1, "failure")

    @pytest.mark.parametrize("accept", ["image/*", ".pdf,.doc", "video/mp4", "text/plain"])
    def test_begin_uses_a_file_type_that_the_page_accepts(self, url: str, accept: str) -> None:
        marked = MARKED.replace("name=a", f'name=a accept="{accept}"')
        assert self.found(wrapped(url, marked, accept=accept))["page-cookie"].verdict == "ok"

    def test_the_begun_upload_is_aborted(self, url: str) -> None:
        ended = []
        app = wrapped(url)

        def watching(environ: Any, start_response: Any) -> Any:
            def told(status: str, *rest: Any) -> Any:
                ended.append((environ["REQUEST_METHOD"], status[:3]))
                return start_response(status, *rest)

            return app(environ, told)

        self.found(watching)
        assert ended[-1] == ("DELETE", "204")

    @pytest.mark.parametrize(("hidden", "verdict"), [(False, "ok"), (True, "failure")])
    def test_a_proxy_that_hides_https_is_reported(
        self, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hidden: bool, verdict: str
    ) -> None:
        certificate = make_certificate(tmp_path / "server.pem")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        app = changing(wrapped(url), **{"wsgi.url_scheme": "http" if hidden else "https"})
        found = self.found(app, certificate=certificate)
        assert found["page-cookie"].verdict == verdict
        assert ("Secure" in found["page-cookie"].detail) is hidden

    def test_an_untrusted_certificate_is_reported(self, url: str, tmp_path: Path) -> None:
        found = self.found(wrapped(url), certificate=make_certificate(tmp_path / "server.pem"))
        assert (found["page"].verdict, "SSLError" in found["page"].detail) == ("failure", True)


def make_certificate(path: Path) -> Path:
    """Write a certificate of 127.0.0.1 and its key into one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + certificate.public_bytes(pem))
    return path


GOOD = "direct_upload=0123456789abcdef0123456789abcdef; Max-Age=86400; Path=/; Secure; HttpOnly; SameSite=Strict"
PAGE = "https://app.example.com/new"


@pytest.mark.parametrize(
    ("header", "page", "told"),
    [
        pytest.param(GOOD, PAGE, [], id="good"),
        pytest.param(GOOD.replace("Path=/", "path=/new/"), f"{PAGE}/one", [], id="below its path"),
        pytest.param(GOOD.replace("; Secure", ""), "http://localhost:8000/new", [], id="under http"),
        pytest.param(GOOD, "http://localhost:8000/new", [], id="Secure, and the host is this machine"),
        pytest.param(GOOD.replace("; Secure", ""), PAGE, ["lacks Secure"], id="lacks Secure"),
        pytest.param(GOOD, "http://app.example.com/new", ["it is Secure"], id="Secure under http"),
        pytest.param(GOOD.replace("Path=/", "Path=/ne"), PAGE, ["the path of the page is /new"], id="beside its path"),
        pytest.param(GOOD + "; Domain=example.org", PAGE, ["its domain is example.org"], id="another's domain"),
        pytest.param(GOOD + "; Domain=.example.com", PAGE, ["every host of example.com"], id="a wide domain"),
        pytest.param(GOOD.replace("; HttpOnly", ""), PAGE, ["lacks HttpOnly"], id="lacks HttpOnly"),
        pytest.param(GOOD.replace("Strict", "Lax"), PAGE, ["lacks SameSite=Strict"], id="SameSite=Lax"),
    ],
)
def test_faults_of_the_cookie_are_reported(header: str, page: str, told: list[str]) -> None:
    api = f"{page}/_upload/uploads" if "/new" in urlsplit(page).path else page
    found = list(faults(header, page, api))
    assert all(remedy for _, remedy in found)
    assert [detail for detail, _ in found if any(words in detail for words in told)] == [d for d, _ in found][-1:]
    assert bool(found) is bool(told)


@pytest.mark.parametrize("path", ["page", "redirect"])
def test_headers_are_sent_to_the_origin_of_the_page_only(path: str) -> None:
    """They may be the session of an operator. A script and a log-in page may be on other hosts."""
    asked: list[tuple[str, Any]] = []

    def recording(name: str, app: App) -> App:
        def front(environ: Any, start_response: Any) -> Any:
            asked.append((name, environ.get("HTTP_COOKIE")))
            return app(environ, start_response)

        return front

    script = "_upload/static/direct-upload.js"
    with served(recording("other", app_with(f"<script type=module src=/{script}></script>"))) as elsewhere:
        elsewhere = elsewhere.replace("127.0.0.1", "localhost")
        page = app_with(f"<script type=module src={elsewhere}{script}></script>")
        redirecting = answering(page, "302 Found", ("Location", f"{elsewhere}sign-in"), path="/redirect")
        with served(recording("page", redirecting)) as address:
            list(examine_page(address + path, "https://storage.example", {"Cookie": "session=operator"}))
    assert {cookie for name, cookie in asked if name == "page"} == {"session=operator"}
    assert [name for name, _ in asked if name == "other"]
    assert all("operator" not in (cookie or "") for name, cookie in asked if name == "other")
