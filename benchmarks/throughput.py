"""How quick a browser sends a large file into Swift, hashing included, against curl with the same segments.

    python benchmarks/throughput.py [--size 4]

Both send to the same temp URLs' containers, segments of 16 MiB, four at a time. They take turns, and the best of each
counts; curl does not hash.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import requests
from setting import Address, GiB, MiB, Visitor, chromium, gunicorn, large_file, machine, options, swift

ROUNDS = 3
AIM = 0.9


def by_curl(url: str, size: int) -> float:
    """Seconds that curl takes for all segments."""
    session = requests.Session()
    headers = {"Origin": url}
    body = {"filename": "large.bin", "size": size, "type": ""}
    begun = session.post(f"{url}/_upload/uploads", json=body, headers=headers, timeout=60).json()
    ticket = {**headers, "Upload-Ticket": begun["ticket"]}
    address = f"{url}/_upload/uploads/{begun['id']}"
    segments: list[dict[str, Any]] = []
    for first in range(0, begun["segment_count"], 100):
        indexes = list(range(first, min(first + 100, begun["segment_count"])))
        signed = session.post(f"{address}/segments", json={"indexes": indexes}, headers=ticket, timeout=60)
        segments += signed.json()["segments"]
    seconds = _curl(segments)
    if len(session.get(address, headers=ticket, timeout=60).json()["stored"]) != len(segments):
        sys.exit("curl has not sent everything")
    session.delete(address, headers=ticket, timeout=600).raise_for_status()
    return seconds


def _curl(segments: list[dict[str, Any]]) -> float:
    with tempfile.TemporaryDirectory() as directory:
        lines = []
        for size in {segment["size"] for segment in segments}:
            with (Path(directory) / str(size)).open("wb") as file:
                file.truncate(size)
        for segment in segments:
            lines += [
                f'upload-file = "{directory}/{segment["size"]}"',
                f'url = "{segment["url"]}"',
                'output = "/dev/null"',
            ]
        config = Path(directory) / "config"
        config.write_text("\n".join(lines))
        command = [
            "curl",
            "--silent",
            "--no-progress-meter",
            "--fail",
            "--parallel",
            "--parallel-max",
            "4",
            "--config",
            str(config),
        ]
        begin = time.monotonic()
        subprocess.run(command, check=True)  # noqa: S603
        return time.monotonic() - begin


def by_browser(visitor: Visitor, path: Path) -> float:
    """Seconds from the choice of the file until all is stored, without the completion."""
    visitor.visit()
    begin = time.monotonic()
    visitor.choose(path)
    visitor.wait(lambda: visitor.upload()["state"] == "finishing" or visitor.upload()["failure"], timeout=3600)
    seconds = time.monotonic() - begin
    visitor.result()
    return seconds


def main() -> None:
    given = options("4", __doc__)
    size = int(given.size * GiB)
    print(machine())
    times: dict[str, list[float]] = {"curl": [], "Chromium": []}
    with (
        swift(),
        gunicorn("direct") as (url, _),
        large_file(given.size) as path,
        chromium(Address(url)) as (visitor, _),
    ):
        for _ in range(ROUNDS):
            times["curl"].append(by_curl(url, size))
            times["Chromium"].append(by_browser(visitor, path))
    for name, seconds in times.items():
        best, median = (size / MiB / each for each in (min(seconds), statistics.median(seconds)))
        print(f"{name:<9} best {best:6.0f} MiB/s   median {median:6.0f} MiB/s")
    ratio = min(times["curl"]) / min(times["Chromium"])
    print(f"Chromium / curl, best of {ROUNDS}: {ratio:.2f}")
    sys.exit(ratio < AIM)


if __name__ == "__main__":
    main()
