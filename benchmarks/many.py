"""How long many small files take, in ours and in other ways: seconds, requests, and the workers' time.

    python benchmarks/many.py [--files 200x60 50x2048] [--latency 0 30 150] [--ways …] [--rounds 1] [--picture]

Chromium uploads so many files of so many KiB; gunicorn has two sync workers, and a real Swift is near it. The browser
reaches both over a network with so many milliseconds for a round trip. "how-to" is what articles describe: a temp URL
from the application, a PUT, a record, six at once, and nothing is verified. "through" sends each file through the
application. ``GET /`` is asked five times a second meanwhile. ``--picture`` draws ``docs/_static/many.svg``.
"""

from __future__ import annotations

import argparse
import os
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from alive import meanwhile
from far import far
from npm import bundle
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait
from setting import Address, Visitor, chromium, gunicorn, machine, swift

WAYS = ["input", "uploadAll", "how-to", "through", "@uppy/aws-s3"]
NAMES = {
    "input": "ours, in a form",
    "uploadAll": "ours, uploadAll",
    "how-to": "articles' way",
    "through": "through the app",
}
"""The names in the picture."""
PATIENCE = 1200
IDLE_SECONDS = 3
PICTURE = Path(__file__).parents[1] / "docs/_static/many.svg"


class Figures(NamedTuple):
    """Of one way: seconds, calls of the application, requests to Swift, the workers' seconds, ``GET /`` in ms."""

    seconds: float
    calls: int
    swift: int
    busy: float
    page: float


class Record:
    """What the application has noted."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def clear(self) -> None:
        self._path.write_text("")

    def of(self, kind: str) -> list[float]:
        lines = (line.split() for line in self._path.read_text().splitlines())
        return [float(seconds) for name, seconds in lines if name == kind]


@contextmanager
def files(count: int, size: int) -> Iterator[list[Path]]:
    with tempfile.TemporaryDirectory() as directory:
        paths = [Path(directory) / f"{number}.bin" for number in range(count)]
        for path in paths:
            path.write_bytes(os.urandom(size * 1024))
        yield paths


def upload(visitor: Visitor, url: str, way: str, paths: list[Path]) -> float:
    """Seconds."""
    driver = visitor.driver
    driver.get(url)
    wait = WebDriverWait(driver, PATIENCE, poll_frequency=0.1)
    wait.until(lambda _: driver.execute_script("return window.isReady && document.readyState === 'complete'"))
    driver.execute_script("import('/_upload/static/direct-upload.js'); window.way = arguments[0]", way)
    time.sleep(2)  # a page is there for a while before somebody has chosen files
    name = "input" if way == "input" else "files"
    driver.find_element(By.ID, name).send_keys("\n".join(map(str, paths)))
    seconds = wait.until(lambda _: driver.execute_script("return window.outcome"))
    if not isinstance(seconds, float | int):
        sys.exit(f"{way}: {seconds}")
    return float(seconds)


def run(visitor: Visitor, url: str, near: str, way: str, paths: list[Path], record: Record) -> Figures:
    seconds = 0.0

    def work() -> None:
        nonlocal seconds
        seconds = upload(visitor, url, way, paths)

    record.clear()
    times = meanwhile(near, work)
    calls = record.of("call")
    return Figures(seconds, len(calls), len(record.of("swift")), sum(calls), statistics.median(times))


def compare(given: argparse.Namespace, latency: float, stack: ExitStack, count: int, size: int) -> dict[str, Figures]:
    """Print and return the figures of each way: the median of all rounds, by seconds."""
    server = stack.enter_context(swift())
    record = Record(Path(stack.enter_context(tempfile.TemporaryDirectory())) / "record")
    swift_port = stack.enter_context(far(server.port, latency / 1000))
    os.environ["MANY_SWIFT"] = f"http://127.0.0.1:{swift_port}"
    os.environ["MANY_RECORD"] = str(record._path)
    os.environ["MANY_CONTAINER"] = f"many-{secrets.token_hex(4)}"
    near, _ = stack.enter_context(gunicorn("application", 30, module="many_app"))
    port = stack.enter_context(far(urlsplit(near).port or 80, latency / 1000))
    visitor, _ = stack.enter_context(chromium(Address(f"http://127.0.0.1:{port}")))
    idle = statistics.median(meanwhile(near, lambda: time.sleep(IDLE_SECONDS)))
    print(f"{count} files of {size} KiB, {latency:g} ms; GET / takes {idle:.1f} ms when idle", flush=True)
    found: dict[str, list[Figures]] = {way: [] for way in given.ways}
    with files(count, size) as paths:
        upload(visitor, f"http://127.0.0.1:{port}/", given.ways[0], paths[:1])  # everything is set up
        for _ in range(given.rounds):
            for way in given.ways:
                found[way].append(run(visitor, f"http://127.0.0.1:{port}/", near, way, paths, record))
    medians = {way: sorted(rounds)[len(rounds) // 2] for way, rounds in found.items()}
    for way, f in medians.items():
        print(
            f"  {way:<14} {f.seconds:6.1f} s   {f.calls:4} calls   {f.swift:5} requests to Swift   "
            f"{f.busy:6.1f} s busy   GET / {f.page:6.1f} ms ({f.page / idle:.1f})",
            flush=True,
        )
    return medians


def draw(figures: dict[float, dict[str, Figures]], title: str) -> str:
    """Bars, by latency."""
    longest = max(f.seconds for ways in figures.values() for f in ways.values())
    parts, y = [], 40
    for latency, ways in figures.items():
        parts.append(f'<text x="10" y="{y}" font-weight="bold">round trip of {latency:g} ms</text>')
        for way, f in ways.items():
            y += 24
            colour = "#1f5f99" if way in ("input", "uploadAll") else "#9ec5e8"
            width = max(2.0, 480 * f.seconds / longest)
            parts.append(f'<text x="130" y="{y + 5}" text-anchor="end">{NAMES.get(way, way)}</text>')
            parts.append(f'<rect x="140" y="{y - 8}" width="{width:.0f}" height="16" fill="{colour}"/>')
            parts.append(f'<text x="{150 + width:.0f}" y="{y + 5}">{f.seconds:.1f} s, {f.calls} calls</text>')
        y += 40
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 780 {y}" font-family="sans-serif" font-size="14">'
        f'<title>{title}</title><rect width="780" height="{y}" fill="white"/>' + "".join(parts) + "</svg>\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", nargs="+", default=["200x60", "50x2048"], help="how many, and how many KiB each")
    parser.add_argument("--latency", nargs="+", type=float, default=[0, 30, 150], help="milliseconds")
    parser.add_argument("--ways", nargs="+", default=WAYS, choices=WAYS)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--picture", action="store_true")
    given = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "many.js"
        path.write_bytes(bundle("many"))
        os.environ["MANY_BUNDLE"] = str(path)
        drawn: dict[float, dict[str, Figures]] = {}
        for asked in given.files:
            count, size = map(int, asked.split("x"))
            for latency in given.latency:
                with ExitStack() as stack:
                    figures = compare(given, latency, stack, count, size)
                if asked == given.files[0]:
                    drawn[latency] = figures
    if given.picture:
        PICTURE.write_text(draw(drawn, f"Seconds until {given.files[0].replace('x', ' files of ')} KiB are uploaded"))


if __name__ == "__main__":
    main()
