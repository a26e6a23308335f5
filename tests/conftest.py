"""What several test modules share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from direct_upload_middleware.testing.swift_server import SwiftServer


@pytest.fixture(scope="session")
def swift_server() -> Iterator[SwiftServer]:
    """A real, private Swift, the same one for all tests: each makes containers of its own."""
    with SwiftServer() as server:
        yield server


@pytest.fixture
def swift_environ(swift_server: SwiftServer, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment in which openstacksdk finds the private Swift, set for this test."""
    environ = swift_server.environ()
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return environ
