"""The npm package, and Chromium."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.browsers.engines import Chromium, started
from helpers.script.node import STATIC, node
from helpers.script.npm import run


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the package as npm packs and installs it."""
    folder = tmp_path_factory.mktemp("npm")
    npm = Path(node()).with_name("npm")
    run(npm, "pack", "--silent", "--pack-destination", folder, cwd=STATIC)
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with started(Chromium(), tmp_path_factory.mktemp("chromium") / "profile") as driver:
        yield driver
