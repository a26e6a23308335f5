"""Run the server processes of one private Swift, and stop them when their owner ends.

:mod:`.servers` starts this program in a new session, so that Ctrl-C in the terminal does not reach it. Its standard
input is a socket to the owner: each request and each answer is one line of JSON. The end of the stream, which comes
in whatever way the owner ends, stops the servers and removes the temporary directory. A process forked by the owner
may hold the socket open; therefore the supervisor also watches the owner with a pidfd, if the system has them.

It imports only the standard library, so that it starts quickly.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Supervisor:
    """The server processes, each in its own session with its output in ``log/NAME.log``."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._servers: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: list[str]) -> None:
        """Start a server."""
        log_directory = self._directory / "log"
        log_directory.mkdir(exist_ok=True)
        environ = {**os.environ, "TMPDIR": str(self._directory)}  # removed together with the directory
        with (log_directory / f"{name}.log").open("ab") as log:
            self._servers[name] = subprocess.Popen(  # noqa: S603  (our own command, no shell)
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environ, start_new_session=True
            )

    def stop(self, name: str) -> None:
        """Kill a server and wait for its end."""
        server = self._servers[name]
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()

    def stop_all(self) -> None:
        """Kill all servers."""
        for name in self._servers:
            self.stop(name)

    def state(self) -> dict[str, dict[str, int | None]]:
        """Return each server's process id and exit status: ``None`` while it runs, negative after a signal."""
        return {name: {"pid": server.pid, "status": server.poll()} for name, server in self._servers.items()}

    def obey(self, request: dict[str, Any]) -> None:
        """Carry out one request of the owner."""
        if request["do"] == "start":
            self.start(request["name"], request["command"])
        elif request["do"] == "stop":
            self.stop(request["name"])


def requests(channel: socket.socket, owner: int) -> Iterator[dict[str, Any]]:
    """Yield the owner's requests until it ends or sends ``end``."""
    lines = channel.makefile("rb")
    events = select.poll()
    events.register(channel, select.POLLIN)
    with contextlib.suppress(AttributeError, OSError):  # not Linux, or forbidden: only the socket is watched
        events.register(os.pidfd_open(owner), select.POLLIN)
    while os.getppid() == owner:
        if {fd for fd, _ in events.poll()} != {channel.fileno()}:
            return
        request = json.loads(lines.readline() or b'{"do": "end"}')
        if request["do"] == "end":
            return
        yield request


def answer(channel: socket.socket, value: object) -> None:
    """Send one line of JSON to the owner."""
    channel.sendall(json.dumps(value).encode() + b"\n")


@contextlib.contextmanager
def locked_directory(name: str) -> Iterator[Path]:
    """Lock the named directory, or a temporary one that is removed at the end."""
    directory = Path(name or tempfile.mkdtemp(prefix="swift-"))
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with (directory / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield directory
    finally:
        if not name:
            shutil.rmtree(directory, ignore_errors=True)


def handle_signals(handler: Any) -> None:
    """Handle SIGTERM, SIGHUP and SIGINT with ``handler``."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, handler)


def supervise(channel: socket.socket, owner: int, directory: Path) -> None:
    """Carry out the owner's requests; stop all servers at the end."""
    supervisor = Supervisor(directory)
    try:
        answer(channel, {"directory": str(directory)})
        for request in requests(channel, owner):
            supervisor.obey(request)
            answer(channel, supervisor.state())
    finally:
        handle_signals(signal.SIG_IGN)  # do not interrupt the cleanup
        supervisor.stop_all()


def main(owner: str, directory: str) -> None:
    """Run the supervisor; standard input is the socket to the owner."""
    handle_signals(lambda number, frame: sys.exit(128 + number))
    channel = socket.socket(fileno=0)
    with locked_directory(directory) as locked, contextlib.suppress(BrokenPipeError, ConnectionResetError):
        supervise(channel, int(owner), locked)


if __name__ == "__main__":
    main(*sys.argv[1:])
