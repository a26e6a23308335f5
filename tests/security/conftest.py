"""What the attacks share: an application on the real Swift, and what an operator sees of the account."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
from helpers.uploads import Site, new_container, swift_storage

from direct_upload_middleware.storage.swift import SwiftStorage
from direct_upload_middleware.storage.swift.tombstones import NAME as TOMBSTONE
from direct_upload_middleware.testing.private_swift.server import SwiftServer

MakeSite = Callable[..., Site]

_shared: dict[str, SwiftStorage] = {}


@pytest.fixture
def swift(swift_server: SwiftServer) -> SwiftStorage:
    """A storage that the attacks share; their uploads have names of their own."""
    return _shared.setdefault(swift_server.url, swift_storage(swift_server))


@pytest.fixture
def site(swift: SwiftStorage) -> Site:
    return Site(swift)


@pytest.fixture
def new_site(swift_server: SwiftServer) -> MakeSite:
    """Makes an application with containers of its own, or with the same ones when ``container`` is given."""

    def make(*, container: str | None = None, **options: Any) -> Site:
        return Site(swift_storage(swift_server, container or new_container()), **options)

    return make


class Account:
    """The account as an operator sees it."""

    def __init__(self, server: SwiftServer) -> None:
        self.server = server

    def request(self, method: str, path: str, **request: Any) -> requests.Response:
        headers = {"X-Auth-Token": self.server.token(), **request.pop("headers", {})}
        return requests.request(method, f"{self.server.storage_url}/{path}", headers=headers, timeout=30, **request)

    def names(self, container: str) -> list[str]:
        """The objects of a container; none where there is no container."""
        response = self.request("GET", container)
        return response.text.splitlines() if response.status_code == 200 else []

    def everything_of(self, site: Site) -> list[str]:
        """List every object and every container of single uploads of the site, except tombstones and registers."""
        container = site.storage.container
        listed = self.request("GET", "", params={"prefix": f"{container}_segments_"}).text.splitlines()
        # A container that is gone may stand in the account's listing for a moment.
        found = [own for own in listed if self.request("HEAD", own).status_code != 404]
        for shared in (container, f"{container}_staging", f"{container}_segments"):
            found += [f"{shared}/{name}" for name in self.names(shared) if not TOMBSTONE.fullmatch(name)]
        return found

    def metadata(self, path: str) -> dict[str, str]:
        return {name.lower(): value for name, value in self.request("HEAD", path).headers.items()}


@pytest.fixture
def account(swift_server: SwiftServer) -> Account:
    return Account(swift_server)
