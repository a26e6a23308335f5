"""The Swift HTTP client: retries, renewal of the token without a herd, and the clock."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import requests
import trustme
import yaml
from helpers.faults.changed_answers import meddling
from helpers.uploads import ONE, SECRET, SEVERAL, ServerAccess, Site, new_container, swift_storage

from direct_upload_middleware import StorageError, StorageUnavailable
from direct_upload_middleware.storage import storage_from_url
from direct_upload_middleware.storage.swift import SwiftStorage
from direct_upload_middleware.storage.swift import client as swift_client
from direct_upload_middleware.storage.swift.client import Login, SwiftClient
from direct_upload_middleware.storage.swift.credentials import OpenStackAccess
from direct_upload_middleware.storage.swift.headers import ACCOUNT_KEYS
from direct_upload_middleware.testing.private_swift.server import SwiftServer

# -- against a server that answers what a test tells it to ----------------------------------------------------

Answer = tuple[int, dict[str, str]] | Callable[[BaseHTTPRequestHandler], None]


class Scripted:
    """A server that gives one answer after the other, and the last one for ever."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.tokens: list[str] = []
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                script.tokens.append(self.headers["X-Auth-Token"])
                answer = script.answers.pop(0) if len(script.answers) > 1 else script.answers[0]
                if callable(answer):
                    answer(self)
                    return
                self.send_response(answer[0])
                for name, value in answer[1].items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> Scripted:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()

    def client(self) -> tuple[SwiftClient, Numbered]:
        access = Numbered(f"http://127.0.0.1:{self.server.server_port}/v1/AUTH_test")
        return SwiftClient(access), access


class Numbered:
    """Log-ins that are counted: each token is its number."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.logins = 0
        self.forgotten: list[str] = []

    def login(self) -> Login:
        self.logins += 1
        return Login(str(self.logins), self._url)

    def forget(self, token: str) -> None:
        self.forgotten.append(token)


def reset(handler: BaseHTTPRequestHandler) -> None:
    """Break the connection instead of answering."""
    handler.close_connection = True
    handler.connection.close()


def cut_short(handler: BaseHTTPRequestHandler) -> None:
    """Announce more than is sent."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
    handler.close_connection = True


OK: Answer = (200, {})


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """How long the client would have waited between its tries."""
    waited: list[float] = []
    monkeypatch.setattr(swift_client.time, "sleep", waited.append)
    yield waited
    monkeypatch.undo()


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(reset, id="reset"),
        pytest.param(cut_short, id="cut short"),
        *(pytest.param((status, {}), id=str(status)) for status in (408, 409, 429, 498, 500, 502, 503, 504)),
    ],
)
def test_transient_errors_are_retried(fault: Answer, waits: list[float]) -> None:
    with Scripted(fault, fault, OK) as server:
        client, _ = server.client()
        assert client.request("GET", "c", expect=(200,)).status_code == 200
    assert len(server.tokens) == 3
    assert len(waits) == 2
    assert all(0 <= wait <= 5 for wait in waits)


@pytest.mark.parametrize("fault", [reset, cut_short, (503, {}), (429, {"Retry-After": "1"})])
def test_a_persistent_error_is_unavailable(fault: Answer, waits: list[float]) -> None:
    with Scripted(fault) as server:
        client, _ = server.client()
        with pytest.raises(StorageUnavailable):
            client.request("GET", "c", expect=(200,))
    assert len(server.tokens) == swift_client.ATTEMPTS
    assert len(waits) == swift_client.ATTEMPTS - 1


@pytest.mark.parametrize(("asked", "waited"), [("2", 2), ("3600", 5), ("0", 0)])
def test_swift_says_how_long_to_wait_within_reason(asked: str, waited: float, waits: list[float]) -> None:
    with Scripted((503, {"Retry-After": asked}), OK) as server:
        server.client()[0].request("GET", expect=(200,))
    assert waits == [waited]


@pytest.mark.parametrize("asked", ["Wed, 21 Oct 2015 07:28:00 GMT", "soon", "-1", "²"])
def test_the_clients_own_wait_is_used_if_retry_after_is_no_number(asked: str, waits: list[float]) -> None:
    with Scripted((503, {"Retry-After": asked}), OK) as server:
        server.client()[0].request("GET", expect=(200,))
    assert 0 <= waits[0] <= 1


@pytest.mark.parametrize("status", [400, 403, 404, 405, 412, 413, 418, 302])
def test_every_other_status_is_an_error_at_once(status: int, waits: list[float]) -> None:
    error = pytest.raises(StorageError, match=f"{status} to GET of an object")
    with Scripted((status, {"Location": "/elsewhere"}), OK) as server, error:
        server.client()[0].request("GET", "c", "a secret name", expect=(200,))
    assert (len(server.tokens), waits) == (1, [])


def test_an_expected_status_is_an_answer(waits: list[float]) -> None:
    with Scripted((404, {}), (409, {})) as server:
        client, _ = server.client()
        assert client.request("GET", expect=(200, 404)).status_code == 404
        assert client.request("GET", expect=(204, 409)).status_code == 409
    assert waits == []


def test_a_slow_response_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(swift_client, "READ_TIMEOUT", 0.05)
    with Scripted(lambda handler: reset(handler) if release.wait(10) else None, OK) as server:
        assert server.client()[0].request("GET", expect=(200,)).status_code == 200
        release.set()


def test_an_unreachable_server_is_unavailable(waits: list[float]) -> None:
    with Scripted(OK) as server:
        client, _ = server.client()
    with pytest.raises(StorageUnavailable):
        client.request("GET", expect=(200,))


def test_a_token_that_is_refused_is_renewed() -> None:
    with Scripted((401, {}), OK) as server:
        client, access = server.client()
        client.request("GET", expect=(200,))
    assert server.tokens == ["1", "2"]
    assert access.forgotten == ["1"]


def test_a_token_is_renewed_once_for_each_request() -> None:
    with Scripted((401, {})) as server:
        client, access = server.client()
        with pytest.raises(StorageError, match="401"):
            client.request("GET", expect=(200,))
    assert access.logins == 2


def test_sixteen_threads_log_in_once() -> None:
    threads = 16
    together = Barrier(threads)

    def refuse_the_first_token(handler: BaseHTTPRequestHandler) -> None:
        first = handler.headers["X-Auth-Token"] == "1"
        if first:
            together.wait(10)  # all of them are refused
        handler.send_response(401 if first else 200)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    with Scripted(refuse_the_first_token) as server:
        client, access = server.client()
        with ThreadPoolExecutor(threads) as pool:
            answers = list(pool.map(lambda _: client.request("GET", expect=(200,)), range(threads)))
    assert [answer.status_code for answer in answers] == [200] * threads
    assert access.logins == 2
    assert access.forgotten == ["1"]


@pytest.mark.parametrize("ahead", [-3600, 0, 3600])
def test_the_clock_is_swifts(ahead: int) -> None:
    def at(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response_only(200)
        handler.send_header("Date", handler.date_time_string(time.time() + ahead))
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    with Scripted(at) as server:
        client, _ = server.client()
        client.request("GET", expect=(200,))
        assert abs(client.now() - (time.time() + ahead)) < 2


# -- against the real one ------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [ONE, SEVERAL], ids=["one segment", "several"])
@pytest.mark.parametrize("skew", [-3600, 3600], ids=["an hour behind", "an hour ahead"])
def test_our_clock_may_be_wrong_by_an_hour(
    swift_server: SwiftServer, monkeypatch: pytest.MonkeyPatch, data: bytes, skew: int
) -> None:
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + skew)
    site = Site(swift_storage(swift_server), url_ttl=60)
    done = site.upload(data)
    assert done.status_int == 200, done.text
    assert site.download(done.json["download_url"]) == data


def test_an_upload_continues_after_the_proxy_lost_all_tokens(swift_server: SwiftServer) -> None:
    access = ServerAccess(swift_server)
    site = Site(SwiftStorage(new_container(), access=access))
    begun = site.begin(SEVERAL)
    begun.put(0, SEVERAL[:10])

    swift_server.restart_proxy()

    assert [segment["index"] for segment in begun.status()["stored"]] == [0]
    begun.send()
    done = begun.complete()
    assert (done.status_int, access.logins) == (200, 2)
    assert site.download(done.json["download_url"]) == SEVERAL


def test_sixteen_threads_renew_a_forgotten_token_once(swift_server: SwiftServer) -> None:
    access = ServerAccess(swift_server)
    client = SwiftClient(access)
    client.request("HEAD", expect=(204,))
    swift_server.restart_proxy()
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: client.request("HEAD", expect=(204,)), range(32)))
    assert len(answers) == 32
    assert access.logins == 2


def test_while_swift_is_down_calls_answer_503_and_a_retry_finishes(swift_server: SwiftServer) -> None:
    site = Site(swift_storage(swift_server))
    begun = site.begin(SEVERAL)
    begun.send()
    swift_server.stop_proxy()
    try:
        answers = [site.call(call, begun) for call in ("status", "sign", "complete", "abort")]
    finally:
        swift_server.start_proxy()
    assert [(answer.status_int, answer.json["code"]) for answer in answers] == [(503, "storage-unavailable")] * 4
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers)
    done = begun.complete()
    assert done.status_int == 200, done.text
    assert site.download(done.json["download_url"]) == SEVERAL


@pytest.mark.usefixtures("swift_environ")
def test_openstacksdk_finds_the_credentials_and_renews_them(swift_server: SwiftServer) -> None:
    site = Site(storage_from_url(f"swift://{new_container()}"), secret=SECRET)
    begun = site.begin(ONE)
    begun.send()
    swift_server.restart_proxy()
    assert begun.complete().status_int == 200


@pytest.mark.usefixtures("swift_environ")
def test_clouds_yaml_names_the_cloud(swift_server: SwiftServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OS_CLOUD", "OS_AUTH_TYPE", "OS_AUTH_URL", "OS_USERNAME", "OS_PASSWORD"):
        monkeypatch.delenv(name)
    assert Site(storage_from_url(f"swift://{new_container()}?cloud=swift")).upload(ONE).status_int == 200
    answer = Site(storage_from_url(f"swift://{new_container()}?cloud=nowhere")).request(
        "POST", "/uploads", json={"filename": "a", "size": 1, "type": ""}
    )
    assert (answer.status_int, answer.json["code"]) == (502, "storage-error")


@pytest.mark.usefixtures("swift_environ")
def test_a_wrong_password_is_a_storage_error_that_does_not_tell_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_PASSWORD", "a wrong password")
    answer = Site(storage_from_url(f"swift://{new_container()}")).request(
        "POST", "/uploads", json={"filename": "a", "size": 1, "type": ""}
    )
    assert (answer.status_int, answer.json["code"]) == (502, "storage-error")
    assert "wrong password" not in answer.text


def test_an_untrusted_certificate_of_the_identity_service_is_told_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is not called unavailable: no retry helps."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)
    with meddling("http://127.0.0.1:1", lambda exchange: None, tls) as url:
        auth = {"auth_url": f"{url}/v3", "application_credential_id": "a", "application_credential_secret": "b"}
        cloud = {"auth_type": "v3applicationcredential", "auth": auth, "region_name": "a"}
        configuration = tmp_path / "clouds.yaml"
        configuration.write_text(yaml.safe_dump({"clouds": {"untrusted": cloud}}))
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(configuration))
        with pytest.raises(StorageError, match=r"certificate of the identity service is not trusted.*cacert"):
            OpenStackAccess("untrusted").login()


# -- setting up ----------------------------------------------------------------------------------------------


def test_processes_may_set_up_at_once(swift_server: SwiftServer) -> None:
    container = new_container()
    sites = [Site(swift_storage(swift_server, container)) for _ in range(4)]
    barrier = Barrier(len(sites))

    def upload(site: Site) -> bytes:
        barrier.wait(30)
        return site.download(site.upload(ONE).json["download_url"])

    with ThreadPoolExecutor(len(sites)) as pool:
        assert list(pool.map(upload, sites)) == [ONE] * len(sites)


def preflight(url: str, origin: str) -> requests.Response:
    """As a browser asks before it PUTs a segment."""
    asked = {"Method": "PUT", "Headers": "content-type,etag"}
    headers = {"Origin": origin} | {f"Access-Control-Request-{name}": value for name, value in asked.items()}
    return requests.options(url, headers=headers, timeout=30)


@pytest.mark.parametrize("data", [ONE, SEVERAL], ids=["one segment", "several"])
@pytest.mark.parametrize("seal", ["revoke", "pin"])
def test_a_browser_may_send_from_the_origin_of_the_page(swift_server: SwiftServer, data: bytes, seal: str) -> None:
    site = Site(swift_storage(swift_server), seal=seal)
    url = site.begin(data).urls[0]
    passed, refused = preflight(url, "http://localhost"), preflight(url, "https://evil.example.net")
    assert passed.status_code == 200
    assert passed.headers["Access-Control-Allow-Origin"] == "http://localhost"
    assert {"etag", "content-type"} <= set(passed.headers["Access-Control-Allow-Headers"].split(", "))
    assert "PUT" in passed.headers["Access-Control-Allow-Methods"]
    assert refused.status_code == 401


def test_a_page_may_read_how_long_storage_wants_it_to_wait(swift_server: SwiftServer) -> None:
    for data in (ONE, SEVERAL):
        url = Site(swift_storage(swift_server)).begin(data).urls[0]
        answer = requests.put(url, data=b"any", headers={"Origin": "http://localhost"}, timeout=30)
        exposed = {name.strip().lower() for name in answer.headers["Access-Control-Expose-Headers"].split(",")}
        assert {"retry-after", "date"} <= exposed


def test_origins_are_added_up_to_256_bytes_and_the_list_never_allows_every_one(swift_server: SwiftServer) -> None:
    origins = [f"https://{number:03}.{'x' * 50}.example.com" for number in range(4)]
    container = new_container()
    site = Site(swift_storage(swift_server, container), origins=origins)
    body = {"filename": "a", "size": 1, "type": ""}

    def url_for(origin: str) -> str:
        url: str = site.request("POST", "/uploads", json=body, headers={"Origin": origin}).json["segments"][0]["url"]
        return url

    for count, origin in enumerate(origins[:3], 1):
        url = url_for(origin)
        assert [preflight(url, known).status_code for known in origins[:count]] == [200] * count
    assert preflight(url, origins[3]).status_code == 401
    url = url_for(origins[3])
    assert [preflight(url, known).status_code for known in origins] == [200, 200, 200, 401]
    assert preflight(url, "https://anybody.example").status_code == 401


def account_keys(client: SwiftClient) -> list[str | None]:
    headers = client.request("HEAD", expect=(204,)).headers
    return [headers.get(name) for name in ACCOUNT_KEYS]


def test_an_accounts_own_key_is_used_and_kept(swift_server: SwiftServer) -> None:
    """Others may sign with it: it is never replaced."""
    client = SwiftClient(ServerAccess(swift_server))
    Site(swift_storage(swift_server)).upload(ONE)
    keys = account_keys(client)
    site = Site(swift_storage(swift_server), secret="another application's")
    assert site.download(site.upload(ONE).json["download_url"]) == ONE
    assert account_keys(client) == keys


@pytest.mark.parametrize("container", ["dépôt 1", "100%41", "a+b&c?d#e"])
def test_a_container_may_have_any_name(swift_server: SwiftServer, container: str) -> None:
    site = Site(swift_storage(swift_server, f"{container} {new_container()}"))
    for data in (b"", ONE, SEVERAL):
        assert site.download(site.upload(data).json["download_url"]) == data


# -- how many requests ---------------------------------------------------------------------------------------


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The methods of all requests to Swift."""
    methods: list[str] = []
    send = SwiftClient._try

    def counted(self: SwiftClient, method: str, *rest: Any) -> Any:
        methods.append(method)
        return send(self, method, *rest)

    monkeypatch.setattr(SwiftClient, "_try", counted)
    return methods


@pytest.mark.parametrize("tells", [False, True], ids=["", "with on_complete"])
@pytest.mark.parametrize("size", [0, 8], ids=["no bytes", "one segment"])
def test_an_upload_of_one_segment_takes_five_requests_at_most(
    swift_server: SwiftServer, asked: list[str], tells: bool, size: int
) -> None:
    site = Site(swift_storage(swift_server), on_complete=(lambda *_: None) if tells else None)
    site.begin(ONE)
    asked.clear()

    begun = site.begin(b"x" * size)
    assert asked == []
    begun.send()
    assert begun.complete().status_int == 200
    assert len(asked) <= 5, asked


@pytest.mark.parametrize("tells", [False, True], ids=["", "with on_complete"])
def test_an_upload_of_several_takes_six_and_one_for_each_segment(
    swift_server: SwiftServer, asked: list[str], tells: bool
) -> None:
    site = Site(swift_storage(swift_server), on_complete=(lambda *_: None) if tells else None)
    site.begin(ONE)
    asked.clear()

    begun = site.begin(b"x" * 100)
    assert asked == ["PUT"]
    begun.send()
    assert begun.complete().status_int == 200
    assert len(asked) <= 1 + 6 + 10, asked


def test_download_urls_and_pages_take_none(swift_server: SwiftServer, asked: list[str]) -> None:
    site = Site(swift_storage(swift_server))
    receipt = site.upload(ONE).json["receipt"]
    asked.clear()
    site.uploads(lambda uploads: uploads.download_url(uploads.verify(receipt)))
    site.request("GET", "/static/direct-upload.js")
    assert asked == []
    site.request("GET", f"/files/{receipt}")
    assert asked == ["HEAD"], "whether the name still has this upload"


def test_the_clouds_own_certificates_are_used(
    swift_server: SwiftServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clouds = yaml.safe_load(swift_server.clouds_yaml.read_text())
    certificate = tmp_path / "client.pem"
    certificate.touch()
    clouds["clouds"]["swift"] |= {"verify": False, "cert": str(certificate)}
    configuration = tmp_path / "clouds.yaml"
    configuration.write_text(yaml.safe_dump(clouds))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(configuration))
    login = OpenStackAccess("swift").login()
    assert (login.verify, login.cert) == (False, str(certificate))
