"""How quick our engine sends, against those of tus-js-client and Uppy, all to the same plain sink.

    python benchmarks/uploaders.py [--size 4]

Chromium sends one file of ``--size`` GiB, and then four files that have as much together, four at a time.
The engines take turns; the best round of each counts. Ours hashes every segment meanwhile, which the others do not; the
sink reads and forgets.
"""

from __future__ import annotations

import statistics
import sys
from contextlib import ExitStack
from pathlib import Path

from npm import bundle, serving
from selenium.webdriver.support.wait import WebDriverWait
from setting import Address, GiB, MiB, Visitor, chromium, cpu_of, large_file, machine, options
from sink import PARALLEL, SEGMENT, Sink, site

ENGINES = ["ours", "tus-js-client", "@uppy/aws-s3"]
ROUNDS = 3
PATIENCE = 1200
PAGE = b"""<!doctype html>
<title>A race</title>
<input type="file" id="file" multiple>
<script type="module" src="/all.js"></script>
"""


class Race:
    """A browser at a page that has all engines."""

    def __init__(self, visitor: Visitor, browser: int, url: str, sink: str) -> None:
        self._driver = visitor.driver
        self._visitor = visitor
        self._browser = browser
        self._url = url
        self._setting = {"sink": sink, "segment": SEGMENT, "parallel": PARALLEL}

    def run(self, engine: str, files: list[Path]) -> tuple[float, float]:
        """Seconds, and seconds of the browser's CPU."""
        self._driver.get(self._url)
        self._wait("return !!window.race")
        self._visitor.choose(*files)
        before, cpu = Sink.received, cpu_of(self._browser)
        self._driver.execute_script("race(...arguments)", engine, self._setting)
        seconds = self._wait("return window.outcome")
        if not isinstance(seconds, float):
            sys.exit(f"{engine}: {seconds}")
        if Sink.received - before < sum(path.stat().st_size for path in files):
            sys.exit(f"{engine} has not sent everything")
        return seconds, cpu_of(self._browser) - cpu

    def _wait(self, script: str) -> object:
        return WebDriverWait(self._driver, PATIENCE, poll_frequency=0.2).until(
            lambda _: self._driver.execute_script(script)
        )


def compare(race: Race, files: list[Path], size: float) -> float:
    """Prints the figures; ours against the best of the others."""
    taken: dict[str, list[tuple[float, float]]] = {engine: [] for engine in ENGINES}
    for _ in range(ROUNDS):
        for engine in ENGINES:
            taken[engine].append(race.run(engine, files))
    speeds = {engine: [size * GiB / MiB / seconds for seconds, _ in rounds] for engine, rounds in taken.items()}
    for engine in ENGINES:
        cpu = min(cpu for _, cpu in taken[engine]) / size
        best, median = max(speeds[engine]), statistics.median(speeds[engine])
        print(
            f"  {engine:<14} best {best:5.0f} MiB/s   median {median:5.0f} MiB/s   CPU of the browser {cpu:.1f} s/GiB"
        )
    return max(speeds["ours"]) / max(max(speeds[engine]) for engine in ENGINES[1:])


def main() -> None:
    given = options("4", __doc__)
    print(machine())
    with ExitStack() as stack:
        sink = stack.enter_context(serving(Sink))
        url = stack.enter_context(serving(site(sink, {"/": PAGE, "/all.js": bundle("uploaders")})))
        visitor, browser = stack.enter_context(chromium(Address(url)))
        race = Race(visitor, browser, url, sink)
        for count in (1, PARALLEL):
            files = [stack.enter_context(large_file(given.size / count)) for _ in range(count)]
            print(f"{given.size} GiB in {count} file{'s' * (count > 1)}")
            print(f"  ours / the best of the others: {compare(race, files, given.size):.2f}")


if __name__ == "__main__":
    main()
