"""What begin and complete of a small file cost: requests to storage, and time, on Swift and on S3 (SeaweedFS).

    python benchmarks/small.py [--rounds 100]

The application runs in this process, storage on this machine. The time of the PUT between the two calls does not count.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from setting import Site, machine, s3_storage, swift

from direct_upload_middleware.storage import Storage, storage_from_url
from direct_upload_middleware.testing.private_s3.server import S3Server

SMALL = b"a small file"


@contextmanager
def counted(client: Any, method: str) -> Iterator[list[None]]:
    """A list with an entry for each request that a storage's client makes."""
    made: list[None] = []
    call: Callable[..., Any] = getattr(client, method)

    def count(*arguments: Any, **options: Any) -> Any:
        made.append(None)
        return call(*arguments, **options)

    setattr(client, method, count)
    yield made
    setattr(client, method, call)


def measure(name: str, storage: Storage, method: str, rounds: int) -> None:
    """Print the requests and the time of one upload."""
    site = Site(storage, segment_size=16 * 1024**2)
    _upload(site)  # the first one finds out what the server can do
    client: Any = storage._client  # type: ignore[attr-defined]
    with counted(client, method) as made:
        times = [_upload(site) for _ in range(rounds)]
    begin, complete = (statistics.median(each) * 1000 for each in zip(*times, strict=True))
    print(f"{name}: {len(made) / rounds:.1f} requests, begin {begin:.1f} ms, complete {complete:.1f} ms", flush=True)


def _upload(site: Site) -> tuple[float, float]:
    """Return the seconds of begin and of complete."""
    start = time.perf_counter()
    begun = site.begin(SMALL)
    began = time.perf_counter()
    begun.send()
    sent = time.perf_counter()
    answer = begun.complete()
    completed = time.perf_counter()
    if answer.status_int != 200:
        raise SystemExit(answer.text)
    return began - start, completed - sent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    rounds = parser.parse_args().rounds
    print(machine())
    with swift():
        measure("Swift", storage_from_url("swift://benchmark"), "_try", rounds)
    with S3Server() as server:
        measure("S3", s3_storage(server), "call", rounds)


if __name__ == "__main__":
    main()
