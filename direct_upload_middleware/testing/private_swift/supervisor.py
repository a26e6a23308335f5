"""Keeps the server processes of one private Swift, and ends them when their owner is gone.

A program that :mod:`.servers` starts in a session of its own, out of reach of the terminal's Ctrl-C. Its
standard input is a socket to the owner: a line of JSON asks, a line of JSON answers, and the end of the stream,
which comes however the owner dies, ends the servers and removes the temporary directory. Since a process that the
owner has forked may hold the socket open, the owner is watched by a pidfd as well, where the system has that.

It imports nothing but the standard library, not even its own package, so that it starts at once.
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
    """Starts and kills the servers, each in a session of its own with its output in ``log/NAME.log``."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._servers: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: list[str]) -> None:
        log_directory = self._directory / "log"
        log_directory.mkdir(exist_ok=True)
        environ = {**os.environ, "TMPDIR": str(self._directory)}  # what is left there goes with the directory
        with (log_directory / f"{name}.log").open("ab") as log:
            self._servers[name] = subprocess.Popen(  # noqa: S603  (our own command, no shell)
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environ, start_new_session=True
            )

    def stop(self, name: str) -> None:
        server = self._servers[name]
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()

    def stop_all(self) -> None:
        for name in self._servers:
            self.stop(name)

    def state(self) -> dict[str, dict[str, int | None]]:
        """The process id of each server and its exit status: ``None`` while it runs, negative after a signal."""
        return {name: {"pid": server.pid, "status": server.poll()} for name, server in self._servers.items()}

    def obey(self, request: dict[str, Any]) -> None:
        if request["do"] == "start":
            self.start(request["name"], request["command"])
        elif request["do"] == "stop":
            self.stop(request["name"])


def requests(channel: socket.socket, owner: int) -> Iterator[dict[str, Any]]:
    """What the owner asks, one thing at a time, until it is no more or says ``end``."""
    lines = channel.makefile("rb")
    events = select.poll()
    events.register(channel, select.POLLIN)
    with contextlib.suppress(AttributeError, OSError):  # not Linux, or forbidden: the socket alone must tell
        events.register(os.pidfd_open(owner), select.POLLIN)
    while os.getppid() == owner:
        if {fd for fd, _ in events.poll()} != {channel.fileno()}:
            return
        request = json.loads(lines.readline() or b'{"do": "end"}')
        if request["do"] == "end":
            return
        yield request


def answer(channel: socket.socket, value: object) -> None:
    channel.sendall(json.dumps(value).encode() + b"\n")


@contextlib.contextmanager
def locked_directory(name: str) -> Iterator[Path]:
    """The named directory, or a temporary one that is removed in the end; one user of it at a time."""
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
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, handler)


def supervise(channel: socket.socket, owner: int, directory: Path) -> None:
    supervisor = Supervisor(directory)
    try:
        answer(channel, {"directory": str(directory)})
        for request in requests(channel, owner):
            supervisor.obey(request)
            answer(channel, supervisor.state())
    finally:
        handle_signals(signal.SIG_IGN)  # nothing shall interrupt the cleaning up
        supervisor.stop_all()


def main(owner: str, directory: str) -> None:
    handle_signals(lambda number, frame: sys.exit(128 + number))
    channel = socket.socket(fileno=0)
    with locked_directory(directory) as locked, contextlib.suppress(BrokenPipeError, ConnectionResetError):
        supervise(channel, int(owner), locked)


if __name__ == "__main__":
    main(*sys.argv[1:])
