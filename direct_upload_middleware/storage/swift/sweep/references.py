"""Find which objects of the final container refer to which uploads' segments."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from ...concurrency import map_concurrently
from ..client import SwiftClient
from ..final_objects import FinalObject, FinalObjects
from ..responses import pages, read_json

LISTINGS = 3
"""How often the final container is listed before segments of unknown origin count as abandoned."""


class References:
    """The references of the final container to segments.

    :param prefix: of the names of segment containers, ``<container>_segments``.
    """

    def __init__(self, client: SwiftClient, container: str, prefix: str, finals: FinalObjects) -> None:
        self._client = client
        self._container = container
        self._finals = finals
        self._path = re.compile(re.escape(f"/{prefix}") + "[_/]([0-9a-f]{32})/")

    def of(self, id: str, name: str) -> FinalObject | None:
        """Return the object of this name, if its manifest refers to segments of the upload."""
        return self._refers(name).get(id)

    def referring_to(self, ids: Iterable[str], *, thorough: bool) -> dict[str, tuple[str, FinalObject]]:
        """Return those of ``ids`` that an object's manifest refers to, each with the object's name.

        Listings since 2018 mark objects that have a manifest. ``thorough`` also asks for every other object, as long as
        some of ``ids`` are not found. A listing may be stale: it is read several times, and any mention counts.
        """
        wanted = set(ids)
        found: dict[str, tuple[str, FinalObject]] = {}
        for _ in range(LISTINGS if thorough else 1):
            found |= self._search(wanted - set(found), lambda item: "slo_etag" in item)
        if thorough:
            found |= self._search(wanted - set(found), lambda item: "slo_etag" not in item)
        return found

    def _search(
        self, wanted: set[str], choose: Callable[[dict[str, object]], bool]
    ) -> dict[str, tuple[str, FinalObject]]:
        found: dict[str, tuple[str, FinalObject]] = {}
        for page in pages(self._client, self._container) if wanted else ():
            names = [item["name"] for item in page if choose(item)]
            for name, finals in zip(names, map_concurrently(self._refers, names), strict=True):
                found |= {id: (name, final) for id, final in finals.items() if id in wanted}
            if wanted <= set(found):
                break
        return found

    def _refers(self, name: str) -> dict[str, FinalObject]:
        """Return the uploads whose segments the object consists of, by its metadata or else by its manifest."""
        final = self._finals.find(name)
        if final is None or not final.is_slo:
            return {}
        return dict.fromkeys([final.id] if final.id else self._read(name), final)

    def _read(self, name: str) -> set[str]:
        params = {"multipart-manifest": "get"}
        response = self._client.request("GET", self._container, name, params=params, expect=(200, 404))
        entries = read_json(response, list) if response.status_code == 200 else []
        paths = [entry.get("name") for entry in entries if isinstance(entry, dict)]
        return {match[1] for path in paths if (match := self._path.match(str(path)))}
