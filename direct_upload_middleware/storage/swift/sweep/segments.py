"""The sweep of segments that no finished upload's manifest refers to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from ...concurrency import imap_concurrently
from ...sweeping import Finding
from ..final_objects import FinalObject
from ..headers import CONTAINER_KEYS
from ..listings import changed, pages
from ..segment_containers import CONFIRMED, GENERATION, SWEPT, name_of
from ..tombstones import NAME as WORD
from .common import ID, Item, Sweeping
from .references import References

_CONTAINERS_AT_ONCE = 4  # each deletes its segments in parallel


@dataclass(frozen=True, slots=True)
class _Candidate:
    """Old segments, of the upload ``id``. ``name`` is its final object's, where the container tells; ``confirmed``,
    whether there is word that the application has taken it."""

    id: str
    name: str | None
    confirmed: bool
    finding: Finding


def sweep_segments(sweeping: Sweeping) -> Iterator[Finding]:
    """Segments in containers of their own and in the shared one. Most are some finished upload's."""
    sweep = _SegmentSweep(sweeping)
    yield from sweeping.map_concurrently(sweep.remove, sweep.garbage(), _CONTAINERS_AT_ONCE)
    yield from sweeping.map_concurrently(
        partial(sweeping.remove_tombstone, "segments", sweeping.segments.prefix), sweep.tombstones
    )


class _SegmentSweep:
    def __init__(self, sweeping: Sweeping) -> None:
        self._sweeping = sweeping
        self._client = sweeping.client
        self._segments = sweeping.segments
        self._manifests = References(sweeping.client, sweeping.container, self._segments.prefix, sweeping.finals)
        self._names: dict[str, str] = {}
        self.tombstones: list[
            Item
        ] = []  #: that uploads with segments in the shared container are over, found by garbage()

    def garbage(self) -> list[_Candidate]:
        """Those that no manifest anywhere refers to, but one that is old and was never confirmed."""
        candidates = [*self._containers(), *self._groups()]
        needed: set[str] = set()
        for thorough in (False, True):  # where the name of the final object is not known, each one is asked
            of_these = {c.id: c for c in candidates if (c.name is None) is thorough}
            found = self._manifests.referring_to(of_these, thorough=thorough)
            needed |= {id for id, (_, final) in found.items() if not self._is_unconfirmed(of_these[id], final)}
            self._names |= {id: name for id, (name, _) in found.items()}
        return [c for c in candidates if c.id not in needed]

    def _is_unconfirmed(self, candidate: _Candidate, final: FinalObject) -> bool:
        return final.state == "sealed" and not candidate.confirmed and self._sweeping.is_old(final.timestamp)

    # -- looking -------------------------------------------------------------------------------------------------

    def _containers(self) -> Iterator[_Candidate]:
        """Uploads with a container of their own that may be old and unfinished."""
        prefix = self._segments.container_of("")
        for page in self._sweeping.pages(prefix=prefix):
            ids = [item["name"].removeprefix(prefix) for item in page]
            yield from filter(None, imap_concurrently(self._look_at, list(filter(ID.fullmatch, ids))))

    def _look_at(self, id: str) -> _Candidate | None:
        container = self._segments.container_of(id)
        response = self._client.request("HEAD", container, expect=(200, 204, 404))
        begun = float(response.headers.get("X-Timestamp", self._sweeping.now))
        if response.status_code == 404 or not self._sweeping.is_old(begun):
            return None
        name = name_of(response.headers)
        final = self._manifests.of(id, name) if name is not None else None
        if final is not None and final.state == "complete":
            return None
        items = [item for page in pages(self._client, container) for item in page]
        return self._candidate(id, name, container, begun, items)

    def _groups(self) -> Iterator[_Candidate]:
        """Uploads with segments in the shared container."""
        prefix = self._segments.prefix
        items = (item for page in self._sweeping.pages(prefix) for item in page)
        for id, group in groupby(items, lambda item: item["name"].partition("/")[0]):
            if WORD.fullmatch(id):
                self.tombstones += [item for item in group if self._sweeping.is_old(changed(item))]
            elif ID.fullmatch(id) and (candidate := self._candidate(id, None, f"{prefix}/{id}", 0, list(group))):
                yield candidate

    def _candidate(
        self, id: str, name: str | None, place: str, begun: float, items: Sequence[Item]
    ) -> _Candidate | None:
        newest = max([begun, *map(changed, items)])
        confirmed = any(item["name"].rpartition("/")[2] == CONFIRMED for item in items)
        if not self._sweeping.is_old(newest):
            return None
        size = sum(item["bytes"] for item in items)
        return _Candidate(id, name, confirmed, Finding("segments", place, size, self._sweeping.age(newest)))

    # -- removing ------------------------------------------------------------------------------------------------

    def remove(self, candidate: _Candidate) -> Finding | None:
        """Remove the segments, and before them the manifest of what was never confirmed."""
        return self._sweeping.remove(candidate.finding, lambda: self._remove(candidate))

    def _remove(self, candidate: _Candidate) -> bool:
        id = candidate.id
        name = self._names.get(id, candidate.name)
        if not self._remove_unconfirmed(candidate, name):
            return False
        self._condemn(id)
        if name is not None and self._manifests.of(id, name):
            return False
        self._segments.remove(id)
        if name is not None and self._manifests.of(id, name):
            self._sweeping.finals.delete(name)  # by a call that found out afterwards, and gave it up
        return True

    def _remove_unconfirmed(self, candidate: _Candidate, name: str | None) -> bool:
        """Whether there is no manifest any more."""
        final = self._manifests.of(candidate.id, name) if name is not None else None
        if name is None or final is None:
            return True
        if not self._is_unconfirmed(candidate, final) or self._is_confirmed(candidate.id):
            return False
        self._sweeping.finals.delete(name)
        return True

    def _is_confirmed(self, id: str) -> bool:
        """Whether there is word by now that the application has taken the upload."""
        containers = ((self._segments.container_of(id), CONFIRMED), (self._segments.prefix, f"{id}/{CONFIRMED}"))
        heads = [self._client.request("HEAD", *place, expect=(200, 404)) for place in containers]
        return any(head.status_code == 200 for head in heads)

    def _condemn(self, id: str) -> None:
        """End every temp URL of the upload, and every call that would complete it."""
        headers = {CONTAINER_KEYS[0]: "", GENERATION: SWEPT}
        self._client.request("POST", self._segments.container_of(id), headers=headers, expect=(204, 404))
