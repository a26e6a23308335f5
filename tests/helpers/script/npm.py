"""The programs of npm's packages, and applications that use the package of the script."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from helpers.script.node import node

NAME = "direct-upload-middleware"
NODE_MODULES = Path(os.environ.get("NODE_PATH", "").split(os.pathsep)[0])
MEDIA_TYPES = {".html": "text/html", ".js": "text/javascript"}


def run(*command: str | Path, cwd: Path) -> str:
    """Return what a command prints; fail with it where the command fails."""
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
    assert done.returncode == 0, done.stdout
    return done.stdout


def tool(name: str) -> Path:
    found = NODE_MODULES / ".bin" / name
    if not found.exists():
        pytest.fail(f"{name} is needed: 'make test' installs it")
    return found


def serve_folder(folder: Path) -> Callable[..., Iterable[bytes]]:
    """Return an application that serves the files of a folder."""

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = folder / (environ["PATH_INFO"].lstrip("/") or "index.html")
        if not path.is_file():
            start_response("404 Not Found", [("Content-Type", "text/plain"), ("Content-Length", "0")])
            return []
        media_type = MEDIA_TYPES.get(path.suffix, "application/octet-stream")
        start_response("200 OK", [("Content-Type", f"{media_type}; charset=utf-8")])
        return [path.read_bytes()]

    return serve


@contextmanager
def development_server(project: Path) -> Iterator[str]:
    """Run the development server of Vite and yield its address."""
    command = [node(), tool("vite").resolve(), project]
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "start_new_session": True}
    with subprocess.Popen(command, env={**os.environ, "NO_COLOR": "1"}, **output) as server:
        try:
            printed = []
            for line in server.stdout or ():
                printed.append(line)
                if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                    yield found[0]
                    return
            pytest.fail("".join(printed))
        finally:
            os.killpg(server.pid, signal.SIGKILL)  # node may be the child of a script that is named node
