"""Swift fails, at every single request of every call: the upload is finished all the same, or it is said why not and a
retry finishes it. Nothing is ever half there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

import pytest
import requests
from helpers.faults.connections import FAULTS, assert_calls_survive, begin_and_send
from helpers.faults.fault_proxy import Fault, Proxy, no_fault
from helpers.faults.storage_faults import Applications, Trouble, Troubled
from helpers.uploads import ONE, SEVERAL, BegunUpload, ServerAccess, Site, assert_problem
from webtest import TestResponse

from direct_upload_middleware import StorageError, StorageUnavailable
from direct_upload_middleware.storage.swift import client as swift_client
from direct_upload_middleware.storage.swift.client import Login
from direct_upload_middleware.storage.swift.credentials import OpenStackAccess
from direct_upload_middleware.storage.swift.tombstones import NAME as REGISTER
from direct_upload_middleware.testing.private_swift.server import SwiftServer

SIZES = [pytest.param(ONE, id="one segment"), pytest.param(SEVERAL, id="several")]
CALLS = ("sign", "status", "complete", "abort")
TROUBLES = [
    pytest.param(Trouble(503), id="503"),
    pytest.param(Trouble(done=True, lasting=False), id="one answer lost"),
    pytest.param(Trouble(done=True), id="answers lost"),
]
MORE_TROUBLES = [
    pytest.param(Trouble(507), id="507"),
    pytest.param(Trouble(429, lasting=False), id="429 once"),
    pytest.param(Trouble(401, lasting=False), id="token expired"),
    pytest.param(Trouble(401), id="tokens refused"),
    pytest.param(Trouble(), id="cut"),
]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swift_client, "_wait", lambda *_: None)


@pytest.fixture
def applications(swift_server: SwiftServer) -> Applications:
    return Applications(swift_server)


def is_storage_problem(answer: TestResponse) -> bool:
    return answer.status_int in (502, 503) and answer.json["code"] in ("storage-error", "storage-unavailable")


def assert_finished(applications: Applications, site: Site, begun: BegunUpload) -> None:
    """The upload can be completed, or is complete, and but for registers it is the only thing that Swift holds."""
    done = begun.complete()
    assert done.status_int == 200, done.text
    assert done.json["data"] == {"seen": begun.id}
    assert site.download(done.json["download_url"]) == begun.data
    assert begun.status()["state"] == "complete"
    assert applications.told[begun.id] >= 1
    applications.finished.add(done.json["upload"]["name"])
    assert set(applications.names(applications.container)) == applications.finished
    staged = applications.names(f"{applications.container}_staging")
    assert [name for name in staged if not REGISTER.fullmatch(name)] == []


def assert_aborted(applications: Applications, site: Site, begun: BegunUpload) -> None:
    assert_problem(site.call("status", begun), 404, "not-found")
    assert_problem(begun.complete(), 404, "not-found")
    if len(begun.pieces()) > 1:
        assert begun.put(0, begun.pieces()[0]).status in (401, 404)
        assert applications.names(f"{applications.container}_segments_{begun.id}") == []
    assert begun.id not in applications.names(f"{applications.container}_staging")
    assert applications.told[begun.id] == 0


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("data", SIZES)
def test_a_fault_at_any_request_of_a_call(applications: Applications, data: bytes, call: str, trouble: Trouble) -> None:
    fails_at_every_request(applications, data, call, trouble)


@pytest.mark.parametrize("trouble", MORE_TROUBLES)
def test_other_faults_at_any_request_of_complete(applications: Applications, trouble: Trouble) -> None:
    fails_at_every_request(applications, SEVERAL, "complete", trouble)


def requests_for(trouble: Trouble) -> Iterator[int]:
    """Return the numbers of the requests that this trouble meets, where there are many: each request meets one."""
    troubles = [param.values[0] for param in TROUBLES]
    return count(troubles.index(trouble), len(troubles))


def fails_at_every_request(applications: Applications, data: bytes, call: str, trouble: Trouble) -> None:
    site = applications.new()
    troubled = Troubled(site.storage)
    for number in requests_for(trouble) if (data, call) == (SEVERAL, "abort") else count():
        begun = site.begin(data)
        begun.send()
        with troubled.at(number, trouble) as counts:
            answer = site.call(call, begun)
        assert answer.status_int < 300 or is_storage_problem(answer), answer.text
        again = site.call(call, begun)
        assert again.status_int < 300, (number, again.text)
        (assert_aborted if call == "abort" else assert_finished)(applications, site, begun)
        if not counts["failed"]:
            break
    assert number > 0, "the call made no request"


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_fault_at_any_request_of_the_very_first_begin(swift_server: SwiftServer, trouble: Trouble) -> None:
    for number in requests_for(trouble):
        applications = Applications(swift_server)
        site = applications.new()
        with Troubled(site.storage).at(number, trouble) as counts:
            body = {"filename": "report.pdf", "size": len(SEVERAL), "type": "application/pdf"}
            answer = site.request("POST", "/uploads", json=body)
        assert answer.status_int == 201 or is_storage_problem(answer), answer.text
        if not counts["failed"]:
            break
        begun = site.begin(SEVERAL)
        begun.send()
        assert_finished(applications, site, begun)
    assert number > 4, "the first begin sets everything up"


# -- processes come and go -----------------------------------------------------------------------------------


@pytest.mark.parametrize("data", SIZES)
def test_the_application_is_restarted_between_any_two_calls(applications: Applications, data: bytes) -> None:
    begun = applications.new().begin(data)
    for index, piece in enumerate(begun.pieces()):
        begun.site = applications.new()
        begun.sign([index])
        assert begun.put(index, piece).status == 201
        begun.site = applications.new()
        assert len(begun.status()["stored"]) == index + 1
    begun.site = applications.new()
    assert begun.complete().status_int == 200
    assert_finished(applications, applications.new(), begun)


@pytest.mark.parametrize("data", SIZES)
def test_two_processes_complete_the_same_upload_at_once(applications: Applications, data: bytes) -> None:
    sites = [applications.new(), applications.new()]
    for _ in range(5):
        begun = sites[0].begin(data)
        begun.send()
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(Site.call, sites * 2, ["complete"] * 4, [begun] * 4))
        assert {answer.status_int for answer in answers} <= {200, 503}, [answer.text for answer in answers]
        receipts = {answer.json["receipt"] for answer in answers if answer.status_int == 200}
        assert_finished(applications, sites[1], begun)
        assert receipts == {begun.status()["receipt"]}


@pytest.mark.parametrize("data", SIZES)
def test_one_process_completes_what_another_aborts(swift_server: SwiftServer, data: bytes) -> None:
    """Whichever is first, the other gets a problem, and nothing is left half done."""
    for _ in range(4):
        applications = Applications(swift_server)
        sites = [applications.new(), applications.new()]
        begun = sites[0].begin(data)
        begun.send()
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(Site.call, sites, ("complete", "abort"), [begun] * 2))
        codes = {answer.json["code"] if answer.status_int >= 300 and answer.body else "ok" for answer in answers}
        assert codes <= {"ok", "already-complete", "not-found", "segments-missing", "storage-unavailable"}
        if sites[0].call("status", begun).json.get("state") == "complete":
            assert_finished(applications, sites[1], begun)
        else:
            assert sites[0].call("abort", begun).status_int == 204
            assert_problem(sites[1].call("status", begun), 404, "not-found")


# -- Swift comes and goes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", SIZES)
def test_swift_is_restarted_in_the_middle_and_has_forgotten_all_tokens(
    swift_server: SwiftServer, applications: Applications, data: bytes
) -> None:
    site = applications.new()
    begun = site.begin(data)
    begun.put(0, begun.pieces()[0])
    swift_server.stop_proxy()
    assert_problem(site.call("sign", begun), 503, "storage-unavailable")
    assert_problem(begun.complete(), 503, "storage-unavailable")
    swift_server.start_proxy()
    begun.send()
    assert_finished(applications, site, begun)


@pytest.mark.parametrize("call", CALLS)
def test_swift_is_restarted_in_the_middle_of_a_call(
    swift_server: SwiftServer, applications: Applications, call: str
) -> None:
    """Between its first request and its second, or before the only one: it waits, and goes on with a new token."""
    site = applications.new()
    begun = site.begin(SEVERAL)
    begun.send()
    client = site.storage._client
    carry_out, tries = client._try, count()

    def attempt(*request: Any) -> requests.Response | None:
        if next(tries) == (1 if call in ("complete", "abort") else 0):
            swift_server.restart_proxy()
        return carry_out(*request)

    client._try = attempt
    assert site.call(call, begun).status_int < 300
    assert next(tries) > 1, "the token was renewed"
    (assert_aborted if call == "abort" else assert_finished)(applications, site, begun)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("data", SIZES)
def test_the_token_has_expired(applications: Applications, data: bytes, call: str) -> None:
    site = applications.new()
    begun = site.begin(data)
    begun.send()
    client = site.storage._client
    client._login = Login("expired", client.public_url())
    assert site.call(call, begun).status_int < 300


@pytest.mark.parametrize("removed", ["", "_staging"])
@pytest.mark.parametrize("data", SIZES)
def test_a_container_that_an_operator_has_removed_is_made_again(
    applications: Applications, data: bytes, removed: str
) -> None:
    goes_on_without(removed, applications, data)


@pytest.mark.parametrize("removed", ["", "_segments"])
def test_a_container_of_pinned_segments_too(swift_server: SwiftServer, removed: str) -> None:
    goes_on_without(removed, Applications(swift_server, seal="pin"), SEVERAL)


def goes_on_without(removed: str, applications: Applications, data: bytes) -> None:
    """As the script goes about it: what storage refuses is signed anew, and what is missing sent again."""
    site = applications.new()
    begun = site.begin(data)
    applications.remove(applications.container + removed)
    for index, piece in enumerate(begun.pieces()):
        if begun.put(index, piece).status != 201:
            begun.sign([index])
            assert begun.put(index, piece).status == 201
    assert_finished(applications, site, begun)
    assert_origin_may_send(begun)


def assert_origin_may_send(begun: BegunUpload) -> None:
    asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "etag"}
    preflight = begun.site.fetch("OPTIONS", begun.urls[0], headers={"Origin": "http://localhost", **asked})
    assert preflight.status == 200


def test_staging_that_was_removed_with_a_file_in_it(applications: Applications) -> None:
    site = applications.new()
    begun = site.begin(ONE)
    begun.send()
    applications.remove(f"{applications.container}_staging")
    assert_problem(begun.complete(), 409, "segments-missing", indexes=[0])
    begun.sign([0])
    begun.send()
    assert_finished(applications, site, begun)


def test_an_upload_is_aborted_though_the_final_container_is_gone(applications: Applications) -> None:
    site = applications.new()
    begun = site.begin(ONE)
    begun.send()
    applications.remove(applications.container)
    assert begun.abort().status_int == 204
    assert_aborted(applications, site, begun)


def test_removed_segments_are_reported(applications: Applications) -> None:
    site = applications.new()
    begun = site.begin(SEVERAL)
    begun.send()
    applications.remove(f"{applications.container}_segments_{begun.id}")
    for call in ("sign", "status", "complete"):
        assert_problem(site.call(call, begun), 404, "not-found")
    assert begun.abort().status_int == 204


# -- connections that are slow, stall or break in the middle -----------------------------------------------------


class ProxyAccess(ServerAccess):
    """Swift by way of the proxy."""

    def __init__(self, server: SwiftServer, proxy: Proxy) -> None:
        super().__init__(server)
        self._proxy = proxy

    def login(self) -> Login:
        return Login(super().login().token, f"{self._proxy.url}/v1/AUTH_test")


@pytest.fixture
def proxy(swift_server: SwiftServer) -> Iterator[Proxy]:
    with Proxy(swift_server.port) as proxy:
        yield proxy


@pytest.mark.parametrize(
    "fault",
    [
        *FAULTS,
        pytest.param(Fault("cut", after=400, answer=True), id="cut in the answer"),
        pytest.param(Fault("throttle", rate=2000, answer=True), id="throttled"),
        pytest.param(Fault("status", status=429), id="429"),
    ],
)
@pytest.mark.parametrize("data", SIZES)
def test_a_connection_that_fails_is_made_anew(
    applications: Applications, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, data: bytes, fault: Fault
) -> None:
    monkeypatch.setattr(swift_client, "READ_TIMEOUT", 1)
    site = applications.new(ProxyAccess(applications.server, proxy))
    begun = begin_and_send(site, data)
    assert_calls_survive(fault, proxy, site, begun)
    assert_finished(applications, site, begun)


@pytest.mark.parametrize(
    ("status", "code"), [(503, "storage-unavailable"), (429, "storage-unavailable"), (507, "storage-error")]
)
@pytest.mark.parametrize("call", ["begin", *CALLS])
@pytest.mark.parametrize("data", SIZES)
def test_a_swift_that_answers_only_errors_is_reported_and_changes_nothing(
    applications: Applications, proxy: Proxy, data: bytes, call: str, status: int, code: str
) -> None:
    site = applications.new(ProxyAccess(applications.server, proxy))
    if call != "begin":
        begun = site.begin(data)
        begun.send()
    proxy.cut()
    proxy.choose = lambda: Fault("status", status=status)
    body = {"filename": "report.pdf", "size": len(data), "type": ""}
    answer = site.request("POST", "/uploads", json=body) if call == "begin" else site.call(call, begun)
    assert_problem(answer, 503 if status < 507 else 502, code)
    assert ("Retry-After" in answer.headers) == (answer.status_int == 503)
    proxy.choose = no_fault
    if call == "begin":
        begun = site.begin(data)
        begun.send()
    if call == "abort":
        assert site.call("abort", begun).status_int == 204
        assert_aborted(applications, site, begun)
    else:
        assert_finished(applications, site, begun)


def test_a_swift_that_stalls_is_not_waited_for_without_end(
    applications: Applications, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = applications.new(ProxyAccess(applications.server, proxy))
    begun = site.begin(SEVERAL)
    monkeypatch.setattr(swift_client, "READ_TIMEOUT", 0.2)
    monkeypatch.setattr(swift_client, "PATIENCE", 0.1)
    proxy.cut()
    proxy.choose = lambda: Fault("stall")
    assert_problem(site.call("sign", begun), 503, "storage-unavailable")
    assert len(proxy.faults) == 1, "the first attempt took all the patience that there is"


# -- logging in ----------------------------------------------------------------------------------------------------


def log_in_at(auth_url: str, swift_environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Login:
    monkeypatch.setenv("OS_AUTH_URL", auth_url)
    return OpenStackAccess().login()


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault("cut"), id="cut at once"),
        pytest.param(Fault("cut", after=100, answer=True), id="cut in the answer"),
    ],
)
def test_a_log_in_that_is_cut_can_be_tried_again(
    proxy: Proxy, swift_environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    proxy.choose = lambda: fault
    with pytest.raises(StorageUnavailable):
        log_in_at(f"{proxy.url}/auth/v1.0", swift_environ, monkeypatch)
    proxy.choose = no_fault
    assert log_in_at(f"{proxy.url}/auth/v1.0", swift_environ, monkeypatch).token


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (503, StorageUnavailable),
        (500, StorageUnavailable),
        (429, StorageUnavailable),
        (401, StorageError),
        (404, StorageError),
    ],
)
def test_the_status_of_the_identity_service_decides_about_a_retry(
    swift_environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, status: int, error: type[Exception]
) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        with pytest.raises(error):
            log_in_at(f"http://127.0.0.1:{server.server_port}/auth/v1.0", swift_environ, monkeypatch)
        server.shutdown()
