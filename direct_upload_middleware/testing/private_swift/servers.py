"""The client of :mod:`.supervisor`, in the owner's process."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

SUPERVISOR = Path(__file__).with_name("supervisor.py")
PACKAGE_PARENT = Path(__file__).parents[3]


class Servers:
    """Server processes by name. They end when this context or this process ends, in any way.

    :param directory: a directory that is kept; by default a temporary one, which is removed.
    :param timeout: the timeout of the supervisor's answers in seconds; a :exc:`TimeoutError` on entry means that
        another process uses the directory.
    """

    def __init__(self, directory: Path | None = None, *, timeout: float = 30) -> None:
        self._socket, supervisors_end = socket.socketpair()
        self._socket.settimeout(timeout)
        self._channel = self._socket.makefile("rwb")
        command = [sys.executable, "-P", str(SUPERVISOR), str(os.getpid()), str(directory or "")]
        with supervisors_end:
            self._supervisor = subprocess.Popen(  # noqa: S603  (our own command, no shell)
                command, stdin=supervisors_end.fileno(), env=_environ(), start_new_session=True
            )
        self._state: dict[str, dict[str, Any]] = {}

    def __enter__(self) -> Servers:
        try:
            self.directory = Path(self._receive()["directory"])
        except BaseException:
            self._supervisor.terminate()  # it may be waiting for the directory; it has started nothing yet
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self, name: str, command: list[str]) -> None:
        """Start a server."""
        self._ask({"do": "start", "name": name, "command": command})

    def stop(self, name: str) -> None:
        """Kill the server and wait for its end."""
        self._ask({"do": "stop", "name": name})

    def exit_status(self, name: str) -> int | None:
        """Return the exit status: ``None`` while the server runs, negative if a signal ended it."""
        self._ask({"do": "state"})
        status: int | None = self._state[name]["status"]
        return status

    def failed(self) -> list[str]:
        """Return the names of the servers that ended with an error."""
        self._ask({"do": "state"})
        return [name for name, server in self._state.items() if server["status"] not in (None, 0)]

    def pids(self) -> dict[str, int]:
        """Return the process ids of the running servers and of the supervisor."""
        running = {name: server["pid"] for name, server in self._state.items() if server["status"] is None}
        return {"supervisor": self._supervisor.pid, **running}

    @property
    def log_directory(self) -> Path:
        """The directory of the servers' logs."""
        return self.directory / "log"

    def close(self) -> None:
        """Stop every server; return when all have ended and a temporary directory is removed."""
        # Closing the socket is not enough if a forked process holds it open. The supervisor may have ended already.
        with contextlib.suppress(OSError, ValueError):
            self._send({"do": "end"})
        with contextlib.suppress(OSError):
            self._channel.close()
        self._socket.close()
        self._supervisor.wait()

    def _ask(self, request: dict[str, Any]) -> None:
        self._send(request)
        self._state = self._receive()

    def _send(self, request: dict[str, Any]) -> None:
        self._channel.write(json.dumps(request).encode() + b"\n")
        self._channel.flush()

    def _receive(self) -> dict[str, Any]:
        line = self._channel.readline()
        if not line:
            raise ConnectionError("the supervisor of the Swift servers has exited")
        answer: dict[str, Any] = json.loads(line)
        return answer


def _environ() -> dict[str, str]:
    """Return this process's environment with this package on the path, and without PYTHONWARNINGS."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    path = [str(PACKAGE_PARENT), environ.get("PYTHONPATH", "")]
    environ["PYTHONPATH"] = os.pathsep.join(filter(None, path))
    return environ
