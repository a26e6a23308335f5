"""What several test modules share."""

from __future__ import annotations

import pytest

from direct_upload_middleware.testing.private_swift.server import SwiftServer

pytest_plugins = ["direct_upload_middleware.testing.pytest_plugin"]


@pytest.fixture
def swift_environ(swift_server: SwiftServer, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment in which openstacksdk finds the private Swift, set for this test."""
    environ = swift_server.environ()
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return environ
