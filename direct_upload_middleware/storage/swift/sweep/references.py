"""Which objects of the final container refer to which uploads' segments."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from ...concurrency import map_concurrently
from ..client import SwiftClient
from ..final_objects import FinalObject, FinalObjects
from ..listings import pages


class References:
    """Looks through the final container.

    :param prefix: of the names of segment containers, ``<container>_segments``.
    """

    def __init__(self, client: SwiftClient, container: str, prefix: str, finals: FinalObjects) -> None:
        self._client = client
        self._container = container
        self._finals = finals
        self._path = re.compile(re.escape(f"/{prefix}") + "[_/]([0-9a-f]{32})/")

    def of(self, id: str, name: str) -> FinalObject | None:
        """The object of this name, if its manifest refers to segments of the upload."""
        return self._refers(name).get(id)

    def referring_to(self, ids: Iterable[str], *, thorough: bool) -> dict[str, tuple[str, FinalObject]]:
        """Those of ``ids`` that any object has a manifest of, each with the object's name.

        Since 2018 a listing tells which objects have a manifest. One that was written before does not: ``thorough``
        asks for every other object too, as long as some of ``ids`` have not been found.
        """
        wanted = set(ids)
        found = self._search(wanted, lambda item: "slo_etag" in item)
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
        """The uploads whose segments the object is made of. Its metadata tell, unless somebody has replaced them."""
        final = self._finals.find(name)
        if final is None or not final.is_slo:
            return {}
        return dict.fromkeys([final.id] if final.id else self._read(name), final)

    def _read(self, name: str) -> set[str]:
        params = {"multipart-manifest": "get"}
        response = self._client.request("GET", self._container, name, params=params, expect=(200, 404))
        paths = [segment.get("name", "") for segment in response.json()] if response.status_code == 200 else []
        return {match[1] for path in paths if (match := self._path.match(path))}
