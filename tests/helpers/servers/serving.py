"""Servers for test applications, each in a process of its own, and an upload over HTTP as the script makes it."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import requests

from helpers.uploads import until_sealed

TESTS = Path(__file__).parents[2]
APP = "helpers.servers.served:app"
TIMEOUT = 30
GUNICORN = ["-m", "gunicorn", "--bind", "127.0.0.1:0", "--no-control-socket"]
WAITRESS = ["-m", "waitress", "--listen=127.0.0.1:0"]
UWSGI = [
    f"{sysconfig.get_path('scripts')}/pyuwsgi",
    *("--master", "--processes=2", "--threads=2", "--die-on-term", "--need-app", "--disable-logging"),
    "--buffer-size=32768",
]


@contextmanager
def serving(command: Sequence[str], directory: Path, **options: str) -> Iterator[str]:
    """Runs a server, until the context ends, and gives its address, which it prints.

    :param command: the arguments of Python, or a program of its own with its arguments.
    :param directory: where the application keeps its files.
    :param options: environment variables for the application.
    """
    environ = {**os.environ, "SERVED_FROM": str(directory), "PYTHONPATH": str(TESTS.parent), **options}
    program = command if command[0].startswith("/") else [sys.executable, *command]
    with subprocess.Popen(
        program, cwd=TESTS, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        assert server.stdout is not None
        printed = []
        for line in server.stdout:
            printed.append(line)
            if found := re.search(r"127\.0\.0\.1:([1-9]\d*)", line):
                break
        else:
            pytest.fail(f"{command} did not start:\n{''.join(printed)}")
        try:
            yield f"http://127.0.0.1:{found[1]}"
        finally:
            server.send_signal(signal.SIGTERM)
            server.communicate(timeout=TIMEOUT)


def upload(browser: requests.Session, address: str, data: bytes, filename: str = "ü.bin") -> dict[str, Any]:
    """What complete answers. ``address`` is the application's root."""
    calls = f"{address}/_upload/uploads"
    begun = browser.post(calls, json={"filename": filename, "size": len(data), "type": ""}, timeout=TIMEOUT)
    assert begun.status_code == 201, begun.text
    declared = []
    for segment in begun.json()["segments"]:
        piece = data[segment["offset"] : segment["offset"] + segment["size"]]
        etag = hashlib.md5(piece, usedforsecurity=False).hexdigest()
        url = urljoin(address, segment["url"])
        put = browser.put(url, data=piece, headers={"ETag": etag}, timeout=TIMEOUT)
        assert put.status_code == 201, put.text
        declared.append({"index": segment["index"], "etag": etag})
    headers = {"Upload-Ticket": begun.json()["ticket"]}
    url, body = f"{calls}/{begun.json()['id']}/complete", {"segments": declared}
    done = until_sealed(lambda: browser.post(url, json=body, headers=headers, timeout=TIMEOUT))
    assert done.status_code == 200, done.text
    completed: dict[str, Any] = done.json()
    return completed
