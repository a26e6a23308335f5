"""What several test modules share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from direct_upload_middleware.testing.private_swift.server import SwiftServer

if TYPE_CHECKING:
    from helpers.clouds.rgw import Rgw

pytest_plugins = ["direct_upload_middleware.testing.pytest_plugin"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the unit tests last: they are quick, so that at the end no process is left alone with a slow file."""
    items.sort(key=lambda item: "unit" in item.path.parts)


@pytest.fixture
def swift_environ(swift_server: SwiftServer, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment in which openstacksdk finds the private Swift, set for this test."""
    environ = swift_server.environ()
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return environ


@pytest.fixture(scope="session")
def rgw() -> Iterator[Rgw]:
    """Run one Ceph RGW for all tests."""
    from helpers.clouds.rgw import rgw_server

    with rgw_server() as server:
        yield server
