"""The sweep of segments that no finished upload's manifest refers to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby

from ...concurrency import imap_concurrently
from ...sweeping import Finding
from ..final_objects import FinalObject
from ..headers import NEWEST
from ..responses import Item, last_modified, pages, read_timestamp
from ..segment_containers import CONFIRMED, name_of
from ..tombstones import NAME as TOMBSTONE
from .common import ID, Sweeping
from .references import References

_CONTAINERS_AT_ONCE = 4  # each deletes its segments in parallel


@dataclass(frozen=True, slots=True)
class _Candidate:
    """Old segments of the upload ``id``.

    ``name`` is its final object's, where it is recorded; ``confirmed`` is whether the application has confirmed the
    upload.
    """

    id: str
    name: str | None
    confirmed: bool
    finding: Finding


def sweep_segments(sweeping: Sweeping) -> Iterator[Finding]:
    """Sweep segments in containers of their own and in the shared one. Most belong to finished uploads."""
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
        self.tombstones: list[Item] = []
        """Those in the shared container, which garbage() finds: earlier versions wrote them there."""

    def garbage(self) -> list[_Candidate]:
        """Return the segments that no manifest refers to, except an old one that was never confirmed."""
        candidates = [*self._containers(), *self._groups()]
        needed: set[str] = set()
        for thorough in (False, True):  # where the name of the final object is not recorded, each one is read
            of_these = {c.id: c for c in candidates if (c.name is None) is thorough}
            found = self._manifests.referring_to(of_these, thorough=thorough)
            needed |= {id for id, (_, final) in found.items() if not self._is_unconfirmed(of_these[id], final)}
            self._names |= {id: name for id, (name, _) in found.items()}
        return [c for c in candidates if c.id not in needed]

    def _is_unconfirmed(self, candidate: _Candidate, final: FinalObject) -> bool:
        return final.state == "sealed" and not candidate.confirmed and self._sweeping.is_old(final.timestamp)

    # -- search --------------------------------------------------------------------------------------------------

    def _containers(self) -> Iterator[_Candidate]:
        """Yield uploads with a container of their own that may be old and unfinished."""
        prefix = self._segments.container_of("")
        for page in self._sweeping.pages(prefix=prefix):
            ids = [item["name"].removeprefix(prefix) for item in page]
            yield from filter(None, imap_concurrently(self._look_at, list(filter(ID.fullmatch, ids))))

    def _look_at(self, id: str) -> _Candidate | None:
        container = self._segments.container_of(id)
        response = self._client.request("HEAD", container, headers=NEWEST, expect=(200, 204, 404))
        if response.status_code == 404:
            return None
        begun = read_timestamp(response.headers)
        if not self._sweeping.is_old(begun):
            return None
        name = name_of(response.headers)
        final = self._manifests.of(id, name) if name is not None else None
        if final is not None and final.state == "complete":
            return None
        items = [item for page in pages(self._client, container) for item in page]
        return self._candidate(id, name, container, begun, items)

    def _groups(self) -> Iterator[_Candidate]:
        """Yield uploads with segments in the shared container that may be old and unfinished."""
        prefix = self._segments.prefix
        items = (item for page in self._sweeping.pages(prefix) for item in page)
        for id, group in groupby(items, lambda item: item["name"].partition("/")[0]):
            if TOMBSTONE.fullmatch(id):
                self.tombstones += [item for item in group if self._sweeping.is_old(last_modified(item))]
            elif ID.fullmatch(id) and (candidate := self._look_at_pinned(id, list(group))):
                yield candidate

    def _look_at_pinned(self, id: str, items: Sequence[Item]) -> _Candidate | None:
        """Return old segments, unless the final object that they record is complete."""
        candidate = self._candidate(id, None, f"{self._segments.prefix}/{id}", 0, items)
        name = self._segments.recorded_name(id) if candidate is not None else None
        if candidate is None or name is None:
            return candidate
        final = self._manifests.of(id, name)
        return None if final is not None and final.state == "complete" else replace(candidate, name=name)

    def _candidate(
        self, id: str, name: str | None, place: str, begun: float, items: Sequence[Item]
    ) -> _Candidate | None:
        newest = max([begun, *map(last_modified, items)])
        confirmed = any(item["name"].rpartition("/")[2] == CONFIRMED for item in items)
        if not self._sweeping.is_old(newest):
            return None
        size = sum(item["bytes"] for item in items)
        return _Candidate(id, name, confirmed, Finding("segments", place, size, self._sweeping.age(newest)))

    # -- removal -------------------------------------------------------------------------------------------------

    def remove(self, candidate: _Candidate) -> Finding | None:
        """Remove the segments, and before them the manifest of what was never confirmed."""
        return self._sweeping.remove(candidate.finding, lambda: self._remove(candidate))

    def _remove(self, candidate: _Candidate) -> bool:
        id = candidate.id
        name = self._names.get(id, candidate.name)
        if not self._remove_unconfirmed(candidate, name):
            return False
        self._segments.condemn(id)
        if name is not None and self._manifests.of(id, name):
            return False
        self._segments.remove(id)
        if name is not None and self._manifests.of(id, name):
            self._sweeping.finals.delete(name)  # which a call has written meanwhile that fails now
        return True

    def _remove_unconfirmed(self, candidate: _Candidate, name: str | None) -> bool:
        """Delete a manifest that was never confirmed. Return whether there is none now."""
        final = self._manifests.of(candidate.id, name) if name is not None else None
        if name is None or final is None:
            return True
        if not self._is_unconfirmed(candidate, final) or self._is_confirmed(candidate.id):
            return False
        self._sweeping.finals.delete(name)
        return True

    def _is_confirmed(self, id: str) -> bool:
        """Return whether the application has confirmed the upload by now."""
        containers = ((self._segments.container_of(id), CONFIRMED), (self._segments.prefix, f"{id}/{CONFIRMED}"))
        heads = [self._client.request("HEAD", *place, headers=NEWEST, expect=(200, 404)) for place in containers]
        return any(head.status_code == 200 for head in heads)
