"""The private Swift comes up, is a Swift, and leaves nothing behind, however its owner ends."""

from __future__ import annotations

import errno
import hashlib
import hmac
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import pytest
from helpers.waiting import wait_until

from direct_upload_middleware.testing.private_swift import machine
from direct_upload_middleware.testing.private_swift.server import SwiftServer, SwiftUnavailable

CHECKOUT = Path(machine.__file__).parents[3]


@pytest.fixture(scope="module")
def swift() -> Iterator[SwiftServer]:
    with SwiftServer() as server:
        yield server


def request(
    method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> tuple[int, http.client.HTTPMessage, bytes]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    try:
        connection.request(method, url.removeprefix(f"http://{parts.netloc}"), body, dict(headers or {}))
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def put(swift: SwiftServer, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
    status, _, answer = request("PUT", swift.storage_url + path, body, {**authorized(swift), **(headers or {})})
    assert status in (201, 202), answer


def authorized(swift: SwiftServer) -> dict[str, str]:
    return {"X-Auth-Token": swift.token()}


def get(swift: SwiftServer, path: str) -> tuple[int, bytes]:
    status, _, body = request("GET", swift.storage_url + path, headers=authorized(swift))
    return status, body


def md5(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def is_running(pid: int) -> bool:
    """Whether the process is there and no zombie, which an orphan stays where nobody reaps it."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def assert_gone(pids: Mapping[str, int], directory: Path) -> None:
    assert [name for name, pid in pids.items() if is_running(pid)] == []
    assert not directory.exists()


def test_it_starts_within_twenty_seconds() -> None:
    began = time.monotonic()
    with SwiftServer():
        assert time.monotonic() - began < 20


def test_a_stored_object_can_be_read_back(swift: SwiftServer) -> None:
    put(swift, "/round-trip")
    put(swift, "/round-trip/jokes.pdf", b"your mom")
    assert get(swift, "/round-trip/jokes.pdf") == (200, b"your mom")
    assert get(swift, "/round-trip") == (200, b"jokes.pdf\n")


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha512"])
def test_a_temp_url_lets_its_holder_put_one_object(swift: SwiftServer, digest: str) -> None:
    put(swift, "/temp-urls", headers={"X-Container-Meta-Temp-URL-Key": "temp-url-key"})
    path, expires = f"/v1/AUTH_test/temp-urls/{digest}", int(time.time()) + 60
    signature = hmac.new(b"temp-url-key", f"PUT\n{expires}\n{path}".encode(), digest).hexdigest()
    temp_url = f"{swift.url}{path}?temp_url_sig={signature}&temp_url_expires={expires}"

    assert request("PUT", temp_url, b"bytes", {"ETag": md5(b"other")})[0] == 422
    assert request("PUT", temp_url, b"bytes", {"ETag": md5(b"bytes")})[0] == 201
    assert request("GET", temp_url)[0] == 401
    assert get(swift, f"/temp-urls/{digest}") == (200, b"bytes")


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        pytest.param("https://app.example.com", 200, id="an origin of the container's"),
        pytest.param("https://evil.example.com", 401, id="another"),
    ],
)
def test_a_browser_from_a_listed_origin_may_put(swift: SwiftServer, origin: str, status: int) -> None:
    put(swift, "/cors", headers={"X-Container-Meta-Access-Control-Allow-Origin": "https://app.example.com"})
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "etag",
    }
    assert request("OPTIONS", f"{swift.storage_url}/cors/o", headers=headers)[0] == status


def test_the_other_user_has_an_account_of_its_own_and_no_access_to_the_first(swift: SwiftServer) -> None:
    put(swift, "/private")
    theirs = {"X-Auth-Token": swift.token(swift.other_username, swift.other_key)}
    assert request("PUT", f"{swift.other_storage_url}/private", headers=theirs)[0] == 201
    assert request("GET", f"{swift.storage_url}/private", headers=theirs)[0] == 403


def test_a_wrong_key_gets_no_token(swift: SwiftServer) -> None:
    with pytest.raises(PermissionError, match="401 to the log-in of test:tester"):
        swift.token(key="guessed")


@pytest.mark.filterwarnings("ignore")  # those of openstacksdk at its own dependencies
@pytest.mark.parametrize("cloud", [None, "envvars", "swift"])
def test_openstacksdk_finds_it(swift: SwiftServer, monkeypatch: pytest.MonkeyPatch, cloud: str | None) -> None:
    import openstack

    put(swift, "/found-by-openstacksdk")
    for name, value in swift.environ().items():
        monkeypatch.setenv(name, value)
    connection = openstack.connect(cloud=cloud)
    try:
        assert "found-by-openstacksdk" in [container.name for container in connection.object_store.containers()]
    finally:
        connection.close()


def test_two_run_side_by_side(swift: SwiftServer) -> None:
    put(swift, "/only-in-the-first")
    with SwiftServer() as second:
        assert get(second, "/only-in-the-first")[0] == 404
        assert get(swift, "/only-in-the-first")[0] == 204


def test_the_given_limits_are_in_info() -> None:
    with SwiftServer(allowed_digests="sha512", max_manifest_segments=7, max_file_size=1000, token_life=9) as swift:
        info = json.loads(request("GET", f"{swift.url}/info")[2])
        login = {"X-Auth-User": swift.username, "X-Auth-Key": swift.key}
        token_life = request("GET", swift.auth_url, headers=login)[1]["X-Auth-Token-Expires"]
    assert info["tempurl"]["allowed_digests"] == ["sha512"]
    assert info["slo"]["max_manifest_segments"] == 7
    assert info["swift"]["max_file_size"] == 1000
    assert int(token_life) <= 9


def test_the_default_limits_are_swifts_own(swift: SwiftServer) -> None:
    info = json.loads(request("GET", f"{swift.url}/info")[2])
    assert info["slo"]["max_manifest_segments"] == 1000
    assert info["swift"]["max_file_size"] == 5 * 2**30 + 2
    assert {"sha1", "sha256", "sha512"} <= set(info["tempurl"]["allowed_digests"])


def test_the_expirer_removes_expired_objects() -> None:
    with SwiftServer(expirer=True) as swift:
        put(swift, "/expiring")
        put(swift, "/expiring/o", b"bytes", {"X-Delete-After": "1"})
        assert get(swift, "/expiring")[1] == b"o\n"
        wait_until(lambda: get(swift, "/expiring")[1] == b"")


def test_a_restarted_proxy_keeps_data_and_port(swift: SwiftServer) -> None:
    put(swift, "/kept")
    put(swift, "/kept/o", b"bytes")
    url, pid = swift.url, swift.pids["proxy"]
    swift.stop_proxy()
    with pytest.raises(ConnectionRefusedError):
        request("GET", f"{url}/healthcheck")
    assert not is_running(pid)
    swift.start_proxy()
    assert swift.url == url
    assert get(swift, "/kept/o") == (200, b"bytes")
    swift.restart_proxy()
    assert get(swift, "/kept/o") == (200, b"bytes")


def test_a_given_directory_keeps_its_data(tmp_path: Path) -> None:
    directory = tmp_path / "kept"
    with SwiftServer(directory) as swift:
        put(swift, "/container")
        put(swift, "/container/o", b"bytes")
    with SwiftServer(directory) as swift:
        assert get(swift, "/container/o") == (200, b"bytes")


def test_after_the_context_nothing_is_left() -> None:
    with SwiftServer() as swift:
        pids, directory = swift.pids, swift.directory
        assert pids.keys() == {"supervisor", "proxy", "account", "container", "object"}
        assert all(is_running(pid) for pid in pids.values())
    assert_gone(pids, directory)


def test_after_an_exception_nothing_is_left() -> None:
    class Interrupted(Exception):
        """What a test may raise."""

    def use() -> None:
        with SwiftServer() as swift:
            seen.update(pids=swift.pids, directory=swift.directory)
            raise Interrupted

    seen: dict[str, Any] = {}
    with pytest.raises(Interrupted):
        use()
    assert_gone(**seen)


OWNER = """
import json, os, signal
from direct_upload_middleware.testing import SwiftServer

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
with SwiftServer() as swift:
    forked = os.fork() if {forks} else None
    readable, writable = os.pipe()
    os.set_blocking(writable, False)
    signal.set_wakeup_fd(writable)
    if forked != 0:
        print(json.dumps([swift.pids, str(swift.directory), forked]), flush=True)
    os.read(readable, 1)  # unlike signal.pause(), it ends at a signal that came right before it too
"""


@pytest.fixture
def owner() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts processes that hold a private Swift, each in a process group of its own, as a terminal's job is."""
    processes = []

    def start(*, forks: bool = False) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", OWNER.format(forks=forks)]
        environ = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
        processes.append(
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ, start_new_session=True)
        )
        return processes[-1]

    yield start
    for process in processes:
        with process:
            process.kill()


def read_report(stream: IO[str] | None) -> tuple[dict[str, int], Path, int | None]:
    assert stream is not None
    pids, directory, forked = json.loads(stream.readline())
    assert all(is_running(pid) for pid in pids.values())
    return pids, Path(directory), forked


def test_after_a_sigkill_of_the_owner_nothing_is_left(owner: Callable[..., subprocess.Popen[str]]) -> None:
    process = owner()
    pids, directory, _ = read_report(process.stdout)
    process.kill()
    wait_until(lambda: not is_running(pids["supervisor"]))
    assert_gone(pids, directory)


def test_a_forked_child_of_the_owner_does_not_keep_it_alive(
    owner: Callable[..., subprocess.Popen[str]],
) -> None:
    process = owner(forks=True)
    pids, directory, forked = read_report(process.stdout)
    assert forked is not None
    try:
        process.kill()
        wait_until(lambda: not is_running(pids["supervisor"]))
        assert is_running(forked)
        assert_gone(pids, directory)
    finally:
        os.kill(forked, signal.SIGKILL)


def test_after_ctrl_c_in_the_terminal_nothing_is_left(owner: Callable[..., subprocess.Popen[str]]) -> None:
    process = owner()
    pids, directory, _ = read_report(process.stdout)
    os.killpg(process.pid, signal.SIGINT)
    process.wait(timeout=60)
    assert_gone(pids, directory)


def test_without_the_swift_package_the_error_names_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "program_directories", lambda: [tmp_path])
    with (
        pytest.raises(SwiftUnavailable, match=r"pip install 'swift>=2.33'"),
        SwiftServer(),
    ):
        pytest.fail("it runs without its programs")


def test_without_extended_attributes_the_error_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(os, "setxattr", refuse)
    with (
        pytest.raises(SwiftUnavailable, match=r"without user extended attributes.*TMPDIR"),
        SwiftServer(tmp_path),
    ):
        pytest.fail("it runs without extended attributes")


def test_a_port_in_use_is_an_error(swift: SwiftServer) -> None:
    with pytest.raises(SwiftUnavailable, match=rf"port {swift.port} .*in use"), SwiftServer(port=swift.port):
        pytest.fail("it shares its port")


def test_a_given_port_can_be_used_again(swift: SwiftServer) -> None:
    with SwiftServer() as first:
        port = first.port
    with SwiftServer(port=port) as second:
        assert second.port == port


def test_a_directory_in_use_is_an_error(swift: SwiftServer) -> None:
    second = SwiftServer(swift.directory, start_timeout=0.5)
    with pytest.raises(SwiftUnavailable, match="in use by another private Swift"), second:
        pytest.fail("it shares its directory")


def test_a_server_that_does_not_start_shows_its_log() -> None:
    with (
        pytest.raises(SwiftUnavailable, match=r"(?s)proxy exited.*No valid digest"),
        SwiftServer(allowed_digests="md6"),
    ):
        pytest.fail("it runs without digests")
