"""What the benchmarks share: a private Swift, gunicorn, a browser, large files, and memory."""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from helpers.browsers.engines import ENGINES, Visitor, started
from helpers.browsers.website import Website
from helpers.faults.fault_proxy import Connection, Fault, Proxy
from helpers.storage.s3 import s3_storage
from helpers.uploads import Site

from direct_upload_middleware.testing.private_swift.server import SwiftServer

__all__ = ["ENGINES", "Connection", "Fault", "Proxy", "Site", "Visitor", "Website", "s3_storage", "started"]

HERE = Path(__file__).parent
MiB, GiB = 1024**2, 1024**3


def options(size: str, description: str | None) -> argparse.Namespace:
    """``--size``, of a file, in GiB; by default that of the project's aims."""
    return size_option(size, description).parse_args()


def size_option(size: str, description: str | None) -> argparse.ArgumentParser:
    """A parser of ``--size``, for what takes more options."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--size", type=float, default=float(size), help="GiB of a file")
    return parser


def machine() -> str:
    """For the figures."""
    with open("/proc/cpuinfo") as file:
        models = {line.partition(":")[2].strip() for line in file if line.startswith("model name")}
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} × {', '.join(models)}, Linux {platform.release()}, load before: {load:.1f}"


@contextmanager
def swift() -> Iterator[SwiftServer]:
    """A private Swift; its credentials are in the environment."""
    with SwiftServer() as server:
        os.environ.update(server.environ())
        yield server


@contextmanager
def gunicorn(
    app: str, timeout: int = 600, *, module: str = "applications", **options: Any
) -> Iterator[tuple[str, int]]:
    """An application of :mod:`applications` with two sync workers: its address and its process id.

    ``timeout``, in seconds, is the workers'; ``options`` are the application's.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = ", ".join(f"{name}={value!r}" for name, value in options.items())
    command = [sys.executable, "-m", "gunicorn", "--workers", "2", "--timeout", str(timeout)]
    path = os.pathsep.join(map(str, (HERE, HERE.parent / "tests", HERE.parent)))
    environ = {**os.environ, "PYTHONPATH": path, "BENCHMARK_SECRET": secrets.token_urlsafe()}
    command += ["--bind", f"127.0.0.1:{port}", "--log-level", "warning", f"{module}:{app}({arguments})"]
    with subprocess.Popen(command, env=environ) as process:  # noqa: S603
        try:
            url = f"http://127.0.0.1:{port}"
            deadline = time.monotonic() + 60
            while not _answers(url):
                if time.monotonic() > deadline:
                    sys.exit("gunicorn does not answer")
                time.sleep(0.1)
            yield url, process.pid
        finally:
            process.terminate()


def _answers(url: str) -> bool:
    with contextlib.suppress(requests.RequestException):
        return requests.get(url, timeout=10).ok
    return False


@contextmanager
def large_file(size: float) -> Iterator[Path]:
    """A sparse file of so many GiB: reading it costs no disk."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "large.bin"
        with path.open("wb") as file:
            file.truncate(int(size * GiB))
        yield path


@contextmanager
def chromium(website: Any) -> Iterator[tuple[Visitor, int]]:
    """A visitor of ``website``, and the browser's process id."""
    engine = ENGINES[0]
    with tempfile.TemporaryDirectory() as directory:
        profile = Path(directory) / "profile"
        with started(engine, profile) as driver:
            yield Visitor(driver, website), engine.pid(driver, profile)


class Narrow(Proxy):
    """A network that passes on ``rate`` bytes a second, over all connections together."""

    def __init__(self, port: int, rate: float) -> None:
        self._rate = rate
        self._turn = threading.Lock()
        self._free = 0.0
        super().__init__(port)

    def count(self, connection: Connection, passed: int) -> None:
        super().count(connection, passed)
        with self._turn:
            now = time.monotonic()
            self._free = max(self._free, now) + passed / self._rate
            wait = self._free - now
        time.sleep(wait)


@contextmanager
def narrow_website(server: SwiftServer, rate: float) -> Iterator[str]:
    """The address of an application whose browsers reach Swift through a network of ``rate`` bytes a second."""
    with Website(server, segment_size=16 * MiB, parallel=4) as website, Narrow(server.port, rate) as narrow:
        website.storage_way.__exit__()
        website.storage_way = narrow
        website.renew()
        yield website.front.url


class Address:
    """A website, as far as its visitor needs one."""

    def __init__(self, url: str) -> None:
        self._url = url

    def url(self, path: str = "/") -> str:
        return self._url + path


def memory_of(root: int) -> float:
    """MiB of a process and all that it has started, shared pages counted once."""
    return sum(_pss(pid) for pid in _family(root)) / 1024


def cpu_of(root: int) -> float:
    """Seconds of CPU that a process and all that it has started, as far as they still run, have taken."""
    ticks = 0
    for pid in _family(root):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _family(root: int) -> list[int]:
    found = [root]
    for pid in found:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def _pss(pid: int) -> int:
    """KiB, 0 of a process that has ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0
