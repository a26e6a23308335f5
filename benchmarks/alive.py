"""How quick the application answers others while files are uploaded: straight into Swift, and through the application.

    python benchmarks/alive.py [--size 1]

gunicorn with two sync workers; eight files at once. All the while ``GET /`` is asked five times a second, whether those
before were answered or not, as many visitors would: one visitor who waits would ask nothing while it is worst. Draws
``docs/_static/alive.svg``.
"""

from __future__ import annotations

import math
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests
from setting import GiB, gunicorn, large_file, machine, options, swift
from throughput import by_curl

UPLOADS = 8
PAUSE = 0.2
MOST_WAITING = 1000
IDLE_SECONDS = 5
SCALE = 65  # pixels for ten times as long
PICTURE = Path(__file__).parents[1] / "docs/_static/alive.svg"


def ask(url: str, until: threading.Event) -> list[float]:
    """Milliseconds of each ``GET /``."""
    with ThreadPoolExecutor(MOST_WAITING) as pool:
        asked = []
        while not until.wait(PAUSE):
            asked.append(pool.submit(_timed, url, time.monotonic()))
        return [answered.result() for answered in asked]


def _timed(url: str, begin: float) -> float:
    requests.get(url, timeout=3600).raise_for_status()
    return (time.monotonic() - begin) * 1000


def meanwhile(url: str, work: Callable[[], object]) -> list[float]:
    over = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask, url, over)
        try:
            work()
        finally:
            over.set()
        return asking.result()


def straight(url: str, size: int) -> None:
    with ThreadPoolExecutor(UPLOADS) as pool:
        list(pool.map(lambda _: by_curl(url, size, complete=True), range(UPLOADS)))


def through(url: str, path: Path) -> None:
    command = ["curl", "--silent", "--fail", "--output", "/dev/null", "--form", f"file=@{path}", url]
    processes = [subprocess.Popen(command) for _ in range(UPLOADS)]  # noqa: S603
    for process in processes:
        process.wait()
    if any(process.returncode for process in processes):
        sys.exit("an upload through the application failed")


def figures(times: list[float]) -> tuple[float, float]:
    """Median and 95th percentile."""
    return statistics.median(times), sorted(times)[int(len(times) * 0.95)]


def _text(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.1f} s" if milliseconds >= 1000 else f"{milliseconds:.0f} ms"


def draw(rows: dict[str, tuple[float, float]]) -> str:
    """Bars, on a logarithmic scale: dark for the median, light for the 95th percentile."""
    parts = []
    for number, (name, (median, p95)) in enumerate(rows.items()):
        y = 30 + number * 46
        for value, colour, height in ((p95, "#9ec5e8", 26), (median, "#1f5f99", 12)):
            width = max(2.0, SCALE * math.log10(max(value, 0.1) / 0.1))
            parts.append(f'<rect x="190" y="{y - height / 2}" width="{width:.0f}" height="{height}" fill="{colour}"/>')
        parts.append(f'<text x="180" y="{y + 5}" text-anchor="end">{name}</text>')
        end = 200 + SCALE * math.log10(max(p95, 0.1) / 0.1)
        parts.append(f'<text x="{end:.0f}" y="{y + 5}">median {_text(median)}, 95 of 100 within {_text(p95)}</text>')
    height = 30 + len(rows) * 46
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 {height}" font-family="sans-serif" font-size="14">'
        f"<title>GET / while {UPLOADS} files are uploaded, on a logarithmic scale</title>"
        f'<rect width="860" height="{height}" fill="white"/>' + "".join(parts) + "</svg>\n"
    )


def main() -> None:
    given = options("1", __doc__)
    print(machine())
    rows: dict[str, tuple[float, float]] = {}
    with swift(), large_file(given.size) as path:
        with gunicorn("direct") as (url, _):
            rows["idle"] = figures(meanwhile(url, lambda: time.sleep(IDLE_SECONDS)))
            rows["straight into Swift"] = figures(meanwhile(url, lambda: straight(url, int(given.size * GiB))))
        with gunicorn("through") as (url, _):
            rows["through the application"] = figures(meanwhile(url, lambda: through(url, path)))
    print(f"GET / while {UPLOADS} files of {given.size} GiB are uploaded")
    for name, (median, p95) in rows.items():
        print(f"{name:<24} median {median:10.1f} ms   p95 {p95:10.1f} ms")
    PICTURE.write_text(draw(rows))


if __name__ == "__main__":
    main()
