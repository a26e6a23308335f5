"""What the steps of the sweep of a Swift storage share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ...concurrency import PARALLEL, imap_concurrently
from ...sweeping import Finding, Progress, ignore_progress
from ..client import SwiftClient
from ..final_objects import FinalObjects
from ..responses import Item, last_modified, pages
from ..segment_containers import SegmentContainers

T = TypeVar("T")

ID = re.compile(r"[0-9a-f]{32}")


@dataclass
class Sweeping:
    """One sweep: the parts of a storage, the time (Unix seconds), and the age of what is removed."""

    client: SwiftClient
    container: str
    staging: str
    finals: FinalObjects
    segments: SegmentContainers
    older_than: int
    dry_run: bool = False
    progress: Progress = ignore_progress
    now: int = field(init=False)
    _done: int = field(default=0, init=False)
    _total: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._total = sum(map(self._count, (self.container, self.staging, self.segments.prefix)))
        self.now = self.client.now()

    def _count(self, container: str) -> int:
        response = self.client.request("HEAD", container, expect=(200, 204, 404))
        count = response.headers.get("X-Container-Object-Count", "0")
        return int(count) if count.isdecimal() else 0

    def pages(self, *path: str, prefix: str = "") -> Iterator[list[dict[str, Any]]]:
        """Yield the pages of a listing, and report the progress."""
        for page in pages(self.client, *path, prefix=prefix):
            yield page
            self._done += len(page)
            self.progress(self._done, max(self._done, self._total))

    def age(self, moment: float) -> int:
        """Return the seconds since then."""
        return max(0, int(self.now - moment))

    def is_old(self, moment: float) -> bool:
        """Return whether that was long enough ago."""
        return self.age(moment) >= self.older_than

    def finding(self, kind: Any, place: str, item: Item) -> Finding:
        """Return the finding of an object that is not needed."""
        return Finding(kind, f"{place}/{item['name']}", item["bytes"], self.age(last_modified(item)))

    def remove(self, finding: Finding, remove: Callable[[], bool]) -> Finding | None:
        """Remove it, unless this is a dry run. See :meth:`.sweeping.Finding.removed_by`."""
        return finding if self.dry_run else finding.removed_by(remove)

    def remove_tombstone(self, kind: Any, container: str, item: Item) -> Finding | None:
        """Remove a tombstone. An expired one is listed until the expirer or a DELETE removes it."""

        def remove() -> bool:
            self.client.request("DELETE", container, item["name"], expect=(204, 404))
            return True

        return self.remove(self.finding(kind, container, item), remove)

    def map_concurrently(
        self, sweep: Callable[[T], Finding | None], items: Iterable[T], parallel: int = PARALLEL
    ) -> Iterator[Finding]:
        """Call ``sweep`` for the items concurrently, and yield the findings."""
        yield from filter(None, imap_concurrently(sweep, list(items), parallel))
