"""A storage that forgets what it is sent, for engines that speak three languages: ours, tus 1.0 and S3's.

The page and our API are at one address, the storage at another, as they would be: browsers ask it first (CORS).
"""

from __future__ import annotations

import itertools
import json
import math
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from npm import HERE, Pages
from setting import MiB

SEGMENT = 16 * MiB
PARALLEL = 4
STATIC = HERE.parent / "static"
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": "content-type, etag, tus-resumable, upload-length, upload-offset, upload-metadata, "
    "upload-concat",
    "Access-Control-Expose-Headers": "ETag, Location, Upload-Offset, Upload-Length, Tus-Resumable",
}
XML = {"Content-Type": "application/xml"}
_read = threading.local()
_numbers = itertools.count(1)


class Site(Pages):
    """The page, our script, and as much of our API as an upload needs. ``storage`` is the sink's address."""

    storage = ""

    def do_GET(self) -> None:
        folder, _, name = self.path.rpartition("/")
        if folder == "/_upload/static":
            content = (STATIC / Path(name).name).read_bytes()
            return self.answer(200, content, {"Content-Type": "text/javascript"})
        if self.path == "/_upload/owner":
            return self._tell({"owner": None})
        return super().do_GET()

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.startswith("/_upload/batch/"):
            call = self._complete if self.path.endswith("/complete") else self._begin
            return self._tell({"uploads": [{"status": 200, **call(item)} for item in asked["uploads"]]})
        if self.path.endswith("/complete"):
            return self._tell(self._complete(asked))
        if self.path.endswith("/segments"):
            return self._tell({"segments": [self._segment(index) for index in asked["indexes"]]})
        return self._tell(self._begin(asked))

    def _begin(self, asked: dict[str, Any]) -> dict[str, Any]:
        count = math.ceil(asked["size"] / SEGMENT)
        plan = {"segment_size": SEGMENT, "segment_count": count, "parallel": PARALLEL}
        first = [self._segment(index) for index in range(min(16, count))]
        return {"id": f"{next(_numbers):x}", "ticket": "it", "expires": 9e9, **plan, "segments": first}

    def _complete(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"receipt": "it", "upload": {}, "download_url": "", "data": None}

    def _segment(self, index: int) -> dict[str, Any]:
        return {"index": index, "url": f"{self.storage}/{next(_numbers)}", "headers": {}, "expires": 9e9}

    def _tell(self, value: dict[str, Any]) -> None:
        self.answer(200, json.dumps(value).encode(), {"Content-Type": "application/json"})


class Sink(Pages):
    """The storage. ``received`` counts the bytes of all bodies."""

    received = 0

    def do_OPTIONS(self) -> None:
        self._reply(204)

    def do_PUT(self) -> None:
        self._drain()
        self._reply(201, headers={"ETag": '"it"'})

    def do_HEAD(self) -> None:
        self._reply(200, headers={"Upload-Offset": "0"})

    def do_POST(self) -> None:
        """Begins a tus upload (or joins several), and begins or completes an S3 one."""
        self._drain()
        address = urlsplit(self.path)
        if address.path == "/tus":
            return self._reply(201, headers={"Location": f"/tus/{next(_numbers)}"})
        if "uploads" in parse_qs(address.query, keep_blank_values=True):
            told = "<InitiateMultipartUploadResult><UploadId>it</UploadId></InitiateMultipartUploadResult>"
        else:
            told = (
                "<CompleteMultipartUploadResult><Location>http://it</Location><Bucket>it</Bucket><Key>it</Key>"
                "<ETag>it</ETag></CompleteMultipartUploadResult>"
            )
        return self._reply(200, told.encode(), XML)

    def do_PATCH(self) -> None:
        offset = int(self.headers["Upload-Offset"]) + self._drain()
        self._reply(204, headers={"Upload-Offset": str(offset)})

    def _drain(self) -> int:
        if not hasattr(_read, "buffer"):
            _read.buffer = memoryview(bytearray(MiB))
        left = length = int(self.headers.get("Content-Length", 0))
        while left and (got := self.rfile.readinto(_read.buffer[:left])):
            left -= got
        with _lock:
            Sink.received += length - left
        return length

    def _reply(self, status: int, content: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.answer(status, content, {**CORS, "Tus-Resumable": "1.0.0", **(headers or {})})


_lock = threading.Lock()


def site(storage: str, files: dict[str, bytes]) -> type[BaseHTTPRequestHandler]:
    """The handler of a page whose uploads go to ``storage``."""
    return type("AtSink", (Site,), {"storage": storage, "files": files})
