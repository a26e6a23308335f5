"""Two processes of one application, real ones: they share a secret and Swift, and any of them may be killed."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import count, cycle
from pathlib import Path
from typing import Any

import pytest
import requests
from helpers.faults.fault_proxy import Connection, Proxy
from helpers.uploads import ONE, SEVERAL, md5, new_container, until_sealed

from direct_upload_middleware.testing.private_swift.server import SwiftServer

TESTS = Path(__file__).parents[1]
TIMEOUT = 60
GUNICORN = [
    "gunicorn",
    "--bind",
    "127.0.0.1:0",
    "--no-control-socket",
    "--log-level",
    "info",
    "helpers.servers.served_swift:app",
]
SIZES = [pytest.param(ONE, id="one segment"), pytest.param(SEVERAL, id="several")]


class Server:
    """gunicorn with one worker, which it replaces when it dies."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stderr is not None
        found = next(filter(None, (re.search(r"127\.0\.0\.1:([1-9]\d*)", line) for line in process.stderr)))
        self.calls = f"http://127.0.0.1:{found[1]}/_upload/uploads"

    def kill_worker(self) -> None:
        [worker] = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        os.kill(int(worker), signal.SIGKILL)


class Way(Proxy):
    """The way to Swift; may end a server at the moment when Swift has got its so manieth request."""

    def __init__(self, port: int) -> None:
        self._left = -1
        self._server: Server | None = None
        super().__init__(port)

    def kill_at(self, number: int, server: Server) -> None:
        self._left, self._server = number, server

    @property
    def was_reached(self) -> bool:
        return self._left < 0

    def count(self, connection: Connection, passed: int) -> None:
        super().count(connection, passed)
        with self._lock:
            self._left -= 1
            is_now = self._left == 0
            if is_now:
                self._left = -1
        if is_now and self._server is not None:
            self._server.kill_worker()


@pytest.fixture
def way(swift_server: SwiftServer) -> Iterator[Way]:
    with Way(swift_server.port) as way:
        yield way


@pytest.fixture
def told(tmp_path: Path) -> Path:
    return tmp_path / "told"


@pytest.fixture
def servers(way: Way, swift_environ: dict[str, str], told: Path) -> Iterator[list[Server]]:
    environ = {**os.environ, "OS_AUTH_URL": f"{way.url}/auth/v1.0", "CONTAINER": new_container(), "TOLD": str(told)}
    environ["PYTHONPATH"] = os.pathsep.join(map(str, (TESTS, TESTS.parent)))
    command = [sys.executable, "-m", *GUNICORN]
    with contextlib.ExitStack() as stack:
        processes = [
            stack.enter_context(subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True))
            for _ in range(2)
        ]
        for process in processes:
            stack.callback(process.terminate)
        yield [Server(process) for process in processes]


class Upload:
    """A browser's side of an upload, any of whose calls may go to any server."""

    def __init__(self, data: bytes, server: Server) -> None:
        self._data = data
        self._browser = requests.Session()
        begun = self._browser.post(server.calls, json={"filename": "a", "size": len(data), "type": ""}, timeout=TIMEOUT)
        assert begun.status_code == 201, begun.text
        self.id = begun.json()["id"]
        self._ticket = begun.json()["ticket"]
        self.count = begun.json()["segment_count"]

    def ask(self, server: Server, path: str, body: Any = None) -> requests.Response:
        method, headers = "GET" if body is None else "POST", {"Upload-Ticket": self._ticket}
        url = f"{server.calls}/{self.id}{path}"
        return self._browser.request(method, url, json=body, headers=headers, timeout=TIMEOUT)

    def send(self, server: Server, index: int) -> None:
        [segment] = self.ask(server, "/segments", {"indexes": [index]}).json()["segments"]
        piece = self._piece(index)
        put = self._browser.put(segment["url"], data=piece, headers={"ETag": md5(piece)}, timeout=TIMEOUT)
        assert put.status_code == 201, put.text

    def _piece(self, index: int) -> bytes:
        return self._data[index * 10 :][:10]

    def complete(self, server: Server) -> requests.Response:
        segments = [{"index": index, "etag": md5(self._piece(index))} for index in range(self.count)]
        return until_sealed(lambda: self.ask(server, "/complete", {"segments": segments}))

    def assert_finished(self, server: Server) -> str:
        """What completion answers: the receipt."""
        done = self.complete(server)
        assert done.status_code == 200, done.text
        assert done.json()["data"] == {"seen": self.id}
        assert self._browser.get(done.json()["download_url"], timeout=TIMEOUT).content == self._data
        receipt: str = done.json()["receipt"]
        return receipt


@pytest.mark.parametrize("data", SIZES)
def test_tabs_take_turns(servers: list[Server], told: Path, data: bytes) -> None:
    turn = cycle(servers)
    upload = Upload(data, next(turn))
    for index in range(upload.count):
        upload.send(next(turn), index)
        assert len(upload.ask(next(turn), "").json()["stored"]) == index + 1
    receipts = {upload.assert_finished(next(turn)) for _ in range(2)}
    receipts |= {upload.ask(next(turn), "").json()["receipt"] for _ in range(2)}
    assert len(receipts) == 1
    assert upload.id in told.read_text().split()


@pytest.mark.parametrize("data", SIZES)
def test_a_complete_killed_at_any_request_is_continued_by_another(
    way: Way, servers: list[Server], told: Path, data: bytes
) -> None:
    for number in count(1):
        upload = Upload(data, servers[0])
        for index in range(upload.count):
            upload.send(servers[1], index)
        way.kill_at(number, servers[0])
        with contextlib.suppress(requests.ConnectionError):
            upload.complete(servers[0])
        killed = way.was_reached
        way.kill_at(-1, servers[0])
        upload.assert_finished(servers[1])
        assert upload.id in told.read_text().split()
        if not killed:
            break
    assert number > 3
