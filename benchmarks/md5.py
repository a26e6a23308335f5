"""How quick our MD5 is, against spark-md5 (JavaScript) and hash-wasm (WebAssembly): in node, and in browsers' workers.

    python benchmarks/md5.py [--browsers chromium firefox webkit]

They take turns, so that a noisy machine is noisy for all: what counts is the median of the rounds' ratios. node tells
CPU time, browsers only what passed. On an idle machine the two agree.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from npm import VENV, Pages, bundle, serving
from setting import ENGINES, machine, started

ROUNDS = 21
SIZE = 32  # MiB
PAGE = b"<!doctype html><title>MD5</title>"
START = 'window.worker = new Worker("/md5.js", { type: "module" })'
ROUND = """
const [size, done] = arguments;
worker.onmessage = ({ data }) => done(data);
worker.onerror = ({ message }) => done(String(message));
worker.postMessage(size);
"""
Times = dict[str, float]


def in_node(module: bytes) -> list[Times]:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "md5.mjs"
        path.write_bytes(module)
        command = [str(VENV / "bin/node"), str(path), str(SIZE), str(ROUNDS)]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
    return [json.loads(line) for line in told.splitlines()]


def in_browser(engine: Any, module: bytes) -> list[Times]:
    handler = type("Site", (Pages,), {"files": {"/": PAGE, "/md5.js": module}})
    with (
        tempfile.TemporaryDirectory() as directory,
        serving(handler) as url,
        started(engine, Path(directory) / "profile") as driver,
    ):
        driver.get(url)
        driver.execute_script(START)
        rounds = [driver.execute_async_script(ROUND, SIZE) for _ in range(ROUNDS)]
    if wrong := [each for each in rounds if not isinstance(each, dict)]:
        sys.exit(f"{engine.name}: {wrong[0]}")
    return rounds


def report(place: str, rounds: list[Times]) -> bool:
    """Prints the figures; whether ours is the quicker JavaScript."""
    counted = rounds[1:]  # the first one is for the compiler
    ratios: dict[str, float] = {}
    for name in ("ours", "spark-md5", "hash-wasm"):
        times = [each[name] for each in counted]
        best, median = (SIZE / each * 1000 for each in (min(times), statistics.median(times)))
        ratios[name] = statistics.median(each[name] / each["ours"] for each in counted)
        print(
            f"{place:<9} {name:<10} best {best:5.0f} MiB/s   median {median:5.0f} MiB/s   "
            f"ours is {ratios[name]:.2f} times as quick"
        )
    return ratios["spark-md5"] >= 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--browsers", nargs="*", default=["chromium"], help="chromium, firefox, webkit")
    given = parser.parse_args()
    print(machine())
    module = bundle("md5")
    won = [report("node", in_node(module))]
    won += [report(engine.name, in_browser(engine, module)) for engine in ENGINES if engine.name in given.browsers]
    sys.exit(not all(won))


if __name__ == "__main__":
    main()
