"""What a begin with 16 temp URLs costs of CPU, without what storage takes.

    python benchmarks/begin.py

The whole call is measured, from the WSGI environ to the last byte of the answer: identity, cookie, JSON, policy, plan,
ticket, 16 signatures. Storage is the real Swift adapter that has already been set up, and makes no container.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from io import BytesIO
from typing import Any
from wsgiref.util import setup_testing_defaults

from direct_upload_middleware import DirectUploadMiddleware
from direct_upload_middleware.keys import Keys
from direct_upload_middleware.storage.base import Limits, Transfer
from direct_upload_middleware.storage.swift import SwiftStorage
from direct_upload_middleware.storage.swift.client import Login
from direct_upload_middleware.storage.swift.cluster.capabilities import Capabilities
from direct_upload_middleware.storage.swift.cluster.provisioning import ClusterInfo

ROUNDS = 40
CALLS = 200
LIMIT = 300.0  # microseconds


class Known:
    """An access that has logged in long ago."""

    def login(self) -> Login:
        return Login("token", "https://swift.example.com/v1/AUTH_account")

    def forget(self, token: str) -> None:
        raise AssertionError("nothing asks Swift here")


class StillSwift(SwiftStorage):
    """Swift, as after first use; it would make a container for the segments now."""

    def __init__(self) -> None:
        super().__init__("uploads", access=Known())

    def bind(self, keys: Keys) -> None:
        super().bind(keys)
        self._provisioning._cluster = ClusterInfo("sha256", Limits(), "key", Capabilities(), time.monotonic())

    def begin(self, transfer: Transfer, *, origin: str) -> str:
        return ""


def application(environ: Any, start_response: Any) -> Any:
    raise AssertionError("a begin is not the application's")


def main() -> None:
    app = DirectUploadMiddleware(application, StillSwift(), secret="s" * 32, identify=lambda environ: "alice")
    body = json.dumps({"filename": "holiday.mp4", "size": 10 * 1024**3, "type": "video/mp4"}).encode()
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/_upload/uploads",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_HOST": "app.example.com",
        "HTTP_ORIGIN": "https://app.example.com",
        "HTTP_SEC_FETCH_SITE": "same-origin",
        "HTTP_COOKIE": "session=0123456789; direct_upload=" + "0" * 32,
    }
    setup_testing_defaults(environ)
    answered: list[str] = []

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        answered.append(status)

    times = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        for _ in range(CALLS):
            answer = b"".join(app({**environ, "wsgi.input": BytesIO(body)}, start_response))
        times.append((time.process_time() - begin) / CALLS * 1e6)
    if set(answered) != {"201 Created"} or len(json.loads(answer)["segments"]) != 16:
        sys.exit(f"not a begin: {set(answered)}")
    print(f"begin with 16 temp URLs: best {min(times):.0f} µs, median {statistics.median(times):.0f} µs of CPU")
    sys.exit(min(times) > LIMIT)


if __name__ == "__main__":
    main()
