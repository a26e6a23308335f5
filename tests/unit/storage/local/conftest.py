"""A local storage in a directory that is not there yet."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.storage.local_browser import Browser, bound

from direct_upload_middleware.storage.local import LocalStorage


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "not" / "yet there"


@pytest.fixture
def storage(directory: Path) -> LocalStorage:
    return bound(directory)


@pytest.fixture
def http(storage: LocalStorage) -> Browser:
    return Browser(storage)
