"""Many uploads through random faults, on all ways and of all kinds: in the end every file is right, and nothing else is
left in storage once it has been swept.

    python tests/faults/soak.py [UPLOADS [SEED]]

The same seed gives the same files and the same faults, as far as chance in the machine lets it.
"""

from __future__ import annotations

import random
import sys
import tempfile
import threading
from collections import Counter, deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from helpers.browsers.engines import ENGINES, Visitor, started
from helpers.browsers.website import SEGMENT, KiB, Website
from helpers.faults.fault_proxy import Choose, Fault

from direct_upload_middleware.testing.private_swift.server import SwiftServer

AT_ONCE = 4
ATTEMPTS = 30

#: Makes a file of its number, the same again each time, and sends it.
START = """
const [number, size] = arguments;
const bytes = new Uint8Array(size);
for (let at = 0, x = number * 2654435761 + 1; at < size; at += 1) {
  x ^= x << 13; x ^= x >>> 17; x ^= x << 5;
  bytes[at] = x;
}
const file = new File([bytes], `file ${number}.bin`, { lastModified: number });
const seen = start(file, { retries: 8, stall: 2000 });
seen.number = number;
crypto.subtle.digest("SHA-256", bytes).then((digest) => {
  seen.sha256 = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
});
"""
ABORT = """
for (const [at, { number }] of uploads.entries()) if (number === arguments[0]) tasks[at].abort();
"""


@dataclass(frozen=True)
class File:
    """One to upload, or to give up on the way."""

    number: int
    size: int
    is_aborting: bool

    @property
    def name(self) -> str:
        return f"file {self.number}.bin"


def segment_count(size: int) -> int:
    """Of a file of so many bytes."""
    return max(1, -(-size // SEGMENT))


class Soak:
    """``uploads`` files at the website."""

    def __init__(self, visitor: Visitor, website: Website, *, uploads: int, seed: int) -> None:
        self._visitor = visitor
        self._website = website
        self._chance = random.Random(seed)
        self._files = [self._file(number) for number in range(uploads)]
        self._attempts: Counter[int] = Counter()
        self.finished: dict[File, dict[str, Any]] = {}
        self.failures: Counter[str] = Counter()
        self._sha256: dict[str, str] = {}

    def _file(self, number: int) -> File:
        size = self._chance.choice([0, 1, self._chance.randrange(SEGMENT), self._chance.randrange(6 * SEGMENT)])
        return File(number, size, is_aborting=self._chance.randrange(10) == 0)

    def run(self) -> None:
        """Send them all, whatever happens."""
        self._let_fail()
        waiting = deque(self._files)
        running: dict[int, File] = {}
        self._visitor.visit()
        while waiting or running:
            while waiting and len(running) < AT_ONCE:
                file = waiting.popleft()
                running[file.number] = file
                self._start(file)
            self._take(self._visitor.wait(lambda: self._ended(running)), running, waiting)
            self._make_trouble()
            if self._happens(15):
                self._take(self._ended(running), running, waiting)
                self._visitor.visit()
                waiting.extend(running.values())  # the page has forgotten them
                running.clear()

    def _take(self, ended: list[dict[str, Any]], running: dict[int, File], waiting: deque[File]) -> None:
        """What has ended is over, or has to be sent again."""
        for seen in ended:
            file = running.pop(seen["number"])
            self._sha256[file.name] = seen["sha256"]
            if not self._is_over(file, seen):
                waiting.append(file)

    def _let_fail(self) -> None:
        """Every way has its faults, that between browser and storage the most."""
        website = self._website
        website.storage_way.choose = self._faults(1, ("cut", "cut", "stall", "corrupt"), 10 * SEGMENT)
        website.front.choose = self._faults(2, ("cut",), 32 * KiB)
        website.back.choose = self._faults(2, ("cut",), 32 * KiB)

    def _faults(self, every: int, kinds: tuple[Any, ...], reach: int) -> Choose:
        chance = random.Random(self._chance.random())
        lock = threading.Lock()

        def choose() -> Fault | None:
            with lock:
                kind, after = chance.choice(kinds), chance.randrange(reach)
                if chance.randrange(every):
                    return None
                if kind == "corrupt":  # of the body: who speaks HTTP over TCP has the head checked
                    return Fault(kind, after=4 * KiB + after)
                return Fault(kind, after=after, answer=kind == "cut" and chance.randrange(3) == 0)

        return choose

    def _start(self, file: File) -> None:
        self._attempts[file.number] += 1
        assert self._attempts[file.number] <= ATTEMPTS, f"{file} never arrives"
        self._visitor.driver.execute_script(START, file.number, file.size)
        if file.is_aborting:
            self._visitor.driver.execute_script(ABORT, file.number)

    def _ended(self, running: dict[int, File]) -> list[dict[str, Any]]:
        seen = [seen for seen in self._visitor.uploads() if seen["number"] in running and "sha256" in seen]
        latest = {each["number"]: each for each in seen}
        return [each for each in latest.values() if each["result"] or each["failure"]]

    def _is_over(self, file: File, seen: dict[str, Any]) -> bool:
        if seen["result"]:
            self.finished[file] = seen
            return True
        if seen["failure"] == "aborted":
            return True
        self.failures[seen["failure"]] += 1
        return False

    def _make_trouble(self) -> None:
        """Now and then somebody restarts something."""
        if self._happens(12):
            self._website.restart()
        if self._happens(60):
            self._website.server.restart_proxy()

    def _happens(self, every: int) -> bool:
        return self._chance.randrange(every) == 0

    # -- in the end ------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Every file is what it was, the application knows of it, and there is nothing else."""
        website = self._website
        for proxy in (website.front, website.storage_way, website.back):
            proxy.choose = lambda: None
            proxy.cut()
        assert {file for file in self._files if not file.is_aborting} <= set(self.finished)
        for seen in self.finished.values():
            assert website.told[seen["result"]["upload"]["id"]] >= 1
        list(website.storage.sweep(older_than=0))
        names = website.names(website.container)
        assert {seen["result"]["upload"]["name"] for seen in self.finished.values()} <= set(names)
        uploads = [website.completed[name] for name in names]  # a page that was left may have had its receipt already
        for upload in uploads:
            assert website.sha256(upload.name) == self._sha256[upload.filename], upload
        assert website.names(f"{website.container}_staging") == []
        several = {upload.id: upload for upload in uploads if upload.size > SEGMENT}
        segments = [name for name in website.segments() if not name.endswith("/confirmed")]
        assert len(segments) == sum(segment_count(upload.size) for upload in several.values())
        assert {name.partition("/")[0].rpartition("_")[2] for name in segments} == set(several)


def main() -> None:
    uploads, seed = [*map(int, sys.argv[1:]), *(200, 1)[len(sys.argv) - 1 :]]
    chromium = ENGINES[0]
    with tempfile.TemporaryDirectory() as directory, SwiftServer() as server, Website(server) as website:
        with started(chromium, Path(directory) / "profile") as driver:
            soak = Soak(Visitor(driver, website), website, uploads=uploads, seed=seed)
            soak.run()
        soak.check()
        faults = sum(len(proxy.faults) for proxy in (website.front, website.storage_way, website.back))
    print(f"{len(soak.finished)} of {uploads} uploads finished, the others were given up; seed {seed}")
    print(f"{faults} connections failed; uploads that were started again, by reason: {dict(soak.failures)}")


if __name__ == "__main__":
    main()
