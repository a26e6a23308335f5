"""An application for servers to run: pages of several kinds, wrapped. The directory comes from the environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import parse_qs
from wsgiref.simple_server import make_server

from direct_upload_middleware import DirectUploadMiddleware

SEGMENT = 256 * 1024
FORM = b'<!doctype html><form><input type="file" name="document" data-direct-upload></form>'


def page(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/submit":
        receipt = parse_qs(environ["QUERY_STRING"])["document"][0]
        uploads = environ["direct_upload.uploads"]
        with uploads.open(uploads.verify(receipt)) as file:
            return answer(start_response, "text/plain", [str(len(file.read())).encode()])
    if environ["PATH_INFO"] == "/stream":
        return answer(start_response, "text/html; charset=utf-8", pieces())
    body = answer(start_response, "text/html; charset=utf-8", [FORM])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else body  # waitress would send it


def pieces() -> Iterator[bytes]:
    for number in range(100):
        yield b"<p>%d</p>" % number
    yield FORM


def answer(start_response: Callable[..., Any], type: str, body: Iterable[bytes]) -> Iterable[bytes]:
    length = [("Content-Length", str(sum(map(len, body))))] if isinstance(body, list) else []
    start_response("200 OK", [("Content-Type", type), *length])
    return body


DIRECTORY = os.environ.get("SERVED_FROM", "not served")
app = DirectUploadMiddleware(
    page,
    f"local:{DIRECTORY}",
    identify=lambda environ: "ann",
    segment_size=SEGMENT,
    bind_ip=bool(os.environ.get("SERVED_BIND_IP")),
)

if __name__ == "__main__":
    with make_server("127.0.0.1", 0, app) as server:
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()
