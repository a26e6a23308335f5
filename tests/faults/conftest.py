"""Browsers, and a website for them to fail at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from helpers.browsers.engines import ENGINES, Engine, Visitor, started
from helpers.browsers.website import Website

from direct_upload_middleware.testing.private_swift.server import SwiftServer

#: Chromium in every run; all three in ``make test-browsers``.
BROWSERS = os.environ.get("BROWSERS", "chromium").split()


@pytest.fixture(scope="session", params=[e for e in ENGINES if e.name in BROWSERS], ids=lambda engine: engine.name)
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each browser engine in turn."""
    engine: Engine = request.param
    return engine


@pytest.fixture(scope="session")
def driver(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A browser of this engine, the same for all tests."""
    with started(engine, tmp_path_factory.mktemp(engine.name) / "profile") as driver:
        yield driver


@pytest.fixture
def website(swift_server: SwiftServer) -> Iterator[Website]:
    with Website(swift_server) as website:
        yield website


@pytest.fixture
def visitor(driver: Any, website: Website) -> Iterator[Visitor]:
    """Every website has a port of its own, and so an origin of its own: nothing is left of earlier tests."""
    yield Visitor(driver, website)
    driver.get("about:blank")
    driver.delete_all_cookies()
