"""Clusters of several versions of Swift. The old ones are in environments of their own, which clouds.mk makes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from contract.test_swift import new_storage
from helpers.storage.browser import Browser

from direct_upload_middleware.storage.swift import SwiftStorage
from direct_upload_middleware.testing.private_swift.server import SwiftServer

NEWEST = "newest"
"""The Swift of this environment."""

OLD_VERSIONS = ("2.29.0", "2.37.0")
"""The oldest Swift that runs on Python 3.11, and the last series whose temp URLs copy."""


@pytest.fixture(scope="session", params=[*OLD_VERSIONS, NEWEST])
def version(request: pytest.FixtureRequest) -> str:
    """A version of Swift."""
    text: str = request.param
    return text


@pytest.fixture(scope="session")
def server(version: str) -> Iterator[SwiftServer]:
    """A private Swift of this version."""
    with SwiftServer(python=find_python(version)) as server:
        yield server


def find_python(version: str) -> Path | None:
    """Return the interpreter of the environment that has this version; None is this environment."""
    if version == NEWEST:
        return None
    python = Path(f"{sys.prefix}-swift-{version}", "bin", "python")
    if not python.exists():
        pytest.fail(f"Swift {version} is not installed: make old-swifts")
    return python


@pytest.fixture(scope="session")
def storage(server: SwiftServer) -> SwiftStorage:
    """One storage on this Swift, shared by the tests, whose uploads have ids of their own: it is probed once."""
    return new_storage(server, "uploads")


@pytest.fixture
def http() -> Browser:
    return Browser()
