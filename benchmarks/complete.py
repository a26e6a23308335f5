"""How long ``complete`` takes of the largest upload that there is, a thousand segments, under gunicorn as it comes.

    python benchmarks/complete.py [--segments 1000] [--rounds 3]

Sync workers with their 30 seconds; segments are small, since what counts is the work for each. With ``on_complete``
("told") and without ("direct"), the first time and when it is repeated, with Swift near the application and far away.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import secrets
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import requests
from setting import Fault, Proxy, gunicorn, machine, swift

TIMEOUT = 30  # seconds: gunicorn's default
LAGS = (0, 0.1)  # seconds that the application waits for each answer of Swift, beside what Swift takes
SEGMENT = 1024  # bytes
SENDERS = 8
SIGNED_AT_ONCE = 100


class Sender:
    """A browser's side of an upload, without the browser."""

    def __init__(self, url: str, swift_url: str, segments: int) -> None:
        self._swift_url = swift_url
        self._uploads = f"{url}/_upload/uploads"
        self._session = requests.Session()
        self._data = secrets.token_bytes(segments * SEGMENT)
        self._count = segments

    def send(self) -> None:
        """Begin, and send every segment."""
        body = {"filename": "large.bin", "size": len(self._data), "type": ""}
        self._begun = self._call("POST", "", body)
        with ThreadPoolExecutor(SENDERS) as pool:
            for _ in pool.map(self._put, self._signed()):
                pass

    def _signed(self) -> Iterator[dict[str, Any]]:
        for start in range(0, self._count, SIGNED_AT_ONCE):
            indexes = list(range(start, min(start + SIGNED_AT_ONCE, self._count)))
            yield from self._call("POST", f"/{self._begun['id']}/segments", {"indexes": indexes})["segments"]

    def _piece(self, index: int) -> bytes:
        return self._data[index * SEGMENT :][:SEGMENT]

    def _put(self, segment: dict[str, Any]) -> None:
        piece = self._piece(segment["index"])
        headers = {**segment["headers"], "ETag": _md5(piece)}
        url = self._swift_url + urlsplit(segment["url"])._replace(scheme="", netloc="").geturl()  # by a way of its own
        requests.put(url, data=piece, headers=headers, timeout=60).raise_for_status()

    def complete(self) -> float:
        """The seconds that it takes."""
        segments = [{"index": index, "etag": _md5(self._piece(index))} for index in range(self._count)]
        begin = time.monotonic()
        while self._call("POST", f"/{self._begun['id']}/complete", {"segments": segments}).get("state") == "sealing":
            time.sleep(1)  # Retry-After
        return time.monotonic() - begin

    def _call(self, method: str, path: str, body: dict[str, Any]) -> Any:
        headers = {"Upload-Ticket": self._begun["ticket"]} if path else {}
        answer = self._session.request(method, self._uploads + path, json=body, headers=headers, timeout=300)
        answer.raise_for_status()
        return answer.json()


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--segments", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    print(machine())
    with swift() as server:
        for lag in LAGS:
            with Proxy(server.port, lambda lag=lag: Fault("lag", seconds=lag, answer=True)) as way:
                os.environ["OS_AUTH_URL"] = f"{way.url}/auth/v1.0"
                for app in ("direct", "told"):
                    with gunicorn(app, TIMEOUT, segment_size=SEGMENT) as (url, _):
                        rounds = [_round(url, server.url, asked.segments) for _ in range(asked.rounds)]
                    first, again = zip(*rounds, strict=True)
                    print(
                        f"Swift {lag * 1000:.0f} ms away, {app}: {_seconds(first)}; again {_seconds(again)}", flush=True
                    )


def _round(url: str, swift_url: str, segments: int) -> tuple[float, float]:
    """Seconds of the first complete of an upload, and of the second."""
    sender = Sender(url, swift_url, segments)
    sender.send()
    return sender.complete(), sender.complete()


def _seconds(times: tuple[float, ...]) -> str:
    return f"median {statistics.median(times):.1f} s, worst {max(times):.1f} s"


if __name__ == "__main__":
    main()
