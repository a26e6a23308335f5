"""The sweep of uploads of one segment: staged objects, claimed names, and tombstones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

import requests

from ...concurrency import map_concurrently
from ...sweeping import Finding
from ..final_objects import SEALING_TYPE, FinalObject
from ..headers import NEWEST
from ..responses import Item, last_modified, read_timestamp
from ..tombstones import NAME as TOMBSTONE
from .common import ID, Sweeping


def sweep_staged(sweeping: Sweeping) -> Iterator[Finding]:
    """Sweep staged objects with final objects that were never confirmed, claimed names without data, and tombstones."""
    sweep = _StagedSweep(sweeping)
    staged, tombstones = sweep.staged()
    placeholders, sealed = sweep.finals(staged)
    yield from sweeping.map_concurrently(sweep.remove_sealed, sealed)
    yield from sweeping.map_concurrently(sweep.remove_staged, staged.values())
    yield from sweeping.map_concurrently(sweep.remove_placeholder, placeholders)
    yield from sweeping.map_concurrently(partial(sweeping.remove_tombstone, "staged", sweeping.staging), tombstones)


class _StagedSweep:
    def __init__(self, sweeping: Sweeping) -> None:
        self._sweeping = sweeping
        self._client = sweeping.client
        self._finals = sweeping.finals
        self._needed: set[str] = set()

    def staged(self) -> tuple[dict[str, Item], list[Item]]:
        """Return old staged objects by their uploads' ids, and tombstones that are as old."""
        items = (item for page in self._sweeping.pages(self._sweeping.staging) for item in page)
        old = [item for item in items if self._sweeping.is_old(last_modified(item))]
        return {i["name"]: i for i in old if ID.fullmatch(i["name"])}, [
            i for i in old if TOMBSTONE.fullmatch(i["name"])
        ]

    def finals(self, staged: dict[str, Item]) -> tuple[list[Item], list[tuple[Item, FinalObject]]]:
        """Return old final objects whose type marks a claimed name, and copies of staged objects."""
        bytes_of = {(item["hash"], item["bytes"]) for item in staged.values()}
        placeholders: list[Item] = []
        copies: list[tuple[Item, FinalObject]] = []
        for page in self._sweeping.pages(self._sweeping.container):
            typed = [item for item in page if item["content_type"] == SEALING_TYPE]
            placeholders += [item for item in typed if self._sweeping.is_old(last_modified(item))]
            copies += self._copies([item for item in page if (item["hash"], item["bytes"]) in bytes_of], staged)
        return placeholders, copies

    def _copies(self, items: Iterable[Item], staged: dict[str, Item]) -> Iterator[tuple[Item, FinalObject]]:
        items = list(items)
        for item, final in zip(
            items, map_concurrently(lambda item: self._finals.find(item["name"]), items), strict=True
        ):
            if final is not None and final.id in staged and final.state == "sealed":
                yield item, final

    # -- removing ------------------------------------------------------------------------------------------------

    def remove_sealed(self, copy: tuple[Item, FinalObject]) -> Finding | None:
        """Remove a sealed upload that was not confirmed, as its staged object shows. One staged later shows nothing."""
        item, final = copy
        staged = self._head_staged(final.id)
        if staged is None or read_timestamp(staged.headers) > final.timestamp:
            return None
        if not self._sweeping.is_old(final.timestamp):
            self._needed.add(final.id)
            return None

        def remove() -> bool:
            self._needed.add(final.id)  # until the final object is gone
            if self._head_staged(final.id) is None:
                return False
            self._finals.delete(item["name"])
            self._needed.discard(final.id)
            return True

        return self._sweeping.remove(self._sweeping.finding("unfinished", self._sweeping.container, item), remove)

    def remove_staged(self, item: Item) -> Finding | None:
        """Remove a staged object, unless it was sent again since it was listed."""
        if item["name"] in self._needed:
            return None

        def remove() -> bool:
            staged = self._head_staged(item["name"])
            if staged is not None and not self._sweeping.is_old(read_timestamp(staged.headers)):
                return False
            self._client.request("DELETE", self._sweeping.staging, item["name"], expect=(204, 404))
            return True

        return self._sweeping.remove(self._sweeping.finding("staged", self._sweeping.staging, item), remove)

    def remove_placeholder(self, item: Item) -> Finding | None:
        """Remove a claimed name without data, if its metadata say so too."""
        name = item["name"]
        final = self._finals.find(name)
        if final is None or not final.id or final.state != "sealing" or self._is_being_sent(final.id):
            return None

        def remove() -> bool:
            if self._finals.find(name) != final:
                return False
            self._finals.delete(name)
            return True

        return self._sweeping.remove(self._sweeping.finding("unfinished", self._sweeping.container, item), remove)

    def _is_being_sent(self, id: str) -> bool:
        staged = self._head_staged(id)
        return staged is not None and not self._sweeping.is_old(read_timestamp(staged.headers))

    def _head_staged(self, id: str) -> requests.Response | None:
        response = self._client.request("HEAD", self._sweeping.staging, id, headers=NEWEST, expect=(200, 404))
        return response if response.status_code == 200 else None
