"""Fixtures that several test modules import."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from direct_upload_middleware.storage import Storage
from direct_upload_middleware.storage.local import LocalStorage
from direct_upload_middleware.testing.private_swift.server import SwiftServer
from helpers.uploads import Site, swift_storage

MakeStorage = Callable[[], Storage]

_shared: dict[str, Storage] = {}


@pytest.fixture(params=["local", "swift"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """Each storage in turn; the Swift one is shared by the tests, whose uploads have names of their own."""
    if request.param == "local":
        return LocalStorage(tmp_path / "uploads")
    server: SwiftServer = request.getfixturevalue("swift_server")
    return _shared.setdefault(server.url, swift_storage(server))


@pytest.fixture(params=["local", "swift"])
def new_storage(request: pytest.FixtureRequest, tmp_path: Path) -> MakeStorage:
    """Makes a storage with nothing in it, the same again for each call: as several processes would."""
    if request.param == "local":
        return lambda: LocalStorage(tmp_path / "uploads")
    server: SwiftServer = request.getfixturevalue("swift_server")
    container = swift_storage(server).container
    return lambda: swift_storage(server, container)


@pytest.fixture
def site(storage: Storage) -> Site:
    return Site(storage)


@pytest.fixture
def local_site(tmp_path: Path) -> Site:
    return Site(LocalStorage(tmp_path / "uploads"))
