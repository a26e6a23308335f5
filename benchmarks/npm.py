"""Other people's JavaScript, to compare ours with: from npm, on first use, into ``.venv``. None of it is shipped."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HERE = Path(__file__).parent
VENV = HERE.parent / ".venv"
OTHERS = VENV / "others"
PACKAGES = ["spark-md5@3.0.2", "hash-wasm@4.13.0", "tus-js-client@4.3.1", "@uppy/core@6.3.1", "@uppy/aws-s3@6.3.1"]
TYPES = {"html": "text/html; charset=utf-8", "js": "text/javascript"}


def bundle(name: str) -> bytes:
    """``benchmarks/{name}.js`` and all that it imports as one module."""
    esbuild = VENV / "node/node_modules/.bin/esbuild"
    if not esbuild.exists():
        sys.exit("esbuild is needed: make .venv/.test .venv/.node")
    environ = {**os.environ, "PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    if not all((OTHERS / "node_modules" / package.rpartition("@")[0]).exists() for package in PACKAGES):
        command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(OTHERS), *PACKAGES]
        subprocess.run(command, check=True, env=environ)  # noqa: S603
    command = [str(esbuild), str(HERE / f"{name}.js"), "--bundle", "--format=esm", "--external:/_upload/*"]
    environ["NODE_PATH"] = str(OTHERS / "node_modules")
    return subprocess.run(command, check=True, env=environ, capture_output=True).stdout  # noqa: S603


class Pages(BaseHTTPRequestHandler):
    """Answers with ``files``: path → content."""

    protocol_version = "HTTP/1.1"
    files: dict[str, bytes]

    def do_GET(self) -> None:
        content = self.files.get(self.path)
        kind = TYPES.get(self.path.rpartition(".")[2], TYPES["html"])
        self.answer(404 if content is None else 200, content or b"", {"Content-Type": kind})

    def answer(self, status: int, content: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Length": str(len(content)),
            "Cache-Control": "no-store",
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing: it would be in the figures."""


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """The address at which ``handler`` answers, in threads of this process."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
