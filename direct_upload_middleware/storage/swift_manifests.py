"""Which uploads' segments the manifests of the final container refer to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from .swift_client import SwiftClient
from .swift_final import FinalObjects
from .swift_listing import pages
from .swift_parallel import each


class Manifests:
    """Looks through the final container.

    :param prefix: of the names of segment containers, ``<container>_segments``.
    """

    def __init__(self, client: SwiftClient, container: str, prefix: str, finals: FinalObjects) -> None:
        self._client = client
        self._container = container
        self._finals = finals
        self._path = re.compile(re.escape(f"/{prefix}") + "[_/]([0-9a-f]{32})/")

    def is_referred_to(self, id: str, name: str) -> bool:
        """Whether the object of this name has a manifest that refers to segments of the upload."""
        return id in self._ids_in(name)

    def referred_to(self, ids: Iterable[str], *, thorough: bool) -> set[str]:
        """Those of ``ids`` that a manifest anywhere in the container refers to.

        Since 2018 a listing tells which objects have a manifest. One that was written before does not: ``thorough``
        asks for every other object too, as long as some of ``ids`` have not been found.
        """
        wanted = set(ids)
        found = self._found(wanted, lambda item: "slo_etag" in item)
        if thorough:
            found |= self._found(wanted - found, lambda item: "slo_etag" not in item)
        return found

    def _found(self, wanted: set[str], choose: Callable[[Mapping[str, Any]], bool]) -> set[str]:
        found: set[str] = set()
        for names in self._names(choose) if wanted else ():
            found.update(*each(self._ids_in, names))
            if wanted <= found:
                break
        return wanted & found

    def _names(self, choose: Callable[[Mapping[str, Any]], bool]) -> Iterator[list[str]]:
        for page in pages(self._client, self._container):
            yield [item["name"] for item in page if choose(item)]

    def _ids_in(self, name: str) -> set[str]:
        """The uploads whose segments the object is made of. Its metadata tell, unless somebody has replaced them."""
        final = self._finals.find(name)
        if final is None or not final.is_slo:
            return set()
        return {final.id} if final.id else self._read(name)

    def _read(self, name: str) -> set[str]:
        params = {"multipart-manifest": "get"}
        response = self._client.request("GET", self._container, name, params=params, expect=(200, 404))
        paths = [segment.get("name", "") for segment in response.json()] if response.status_code == 200 else []
        return {match[1] for path in paths if (match := self._path.match(path))}
