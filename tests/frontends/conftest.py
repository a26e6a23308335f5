"""Real browsers, and sites whose pages use a library from npm."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from frontends.site import FrontEndSite
from script.conftest import browser, files
from script.site import Visitor
from selenium.webdriver.remote.webdriver import WebDriver

__all__ = ["browser", "files"]

NODE_MODULES = Path(os.environ.get("NODE_PATH", "").split(os.pathsep)[0])
Open = Callable[..., Visitor]


@pytest.fixture(scope="session")
def read_script() -> Callable[[str], bytes]:
    """Return a function that reads a file of a package of npm."""

    def read(path: str) -> bytes:
        found = NODE_MODULES / path
        if not found.is_file():
            pytest.fail(f"{path} is needed: 'make test' installs it; -m 'not browser' does without")
        return found.read_bytes()

    return read


@pytest.fixture
def visit(browser: WebDriver, tmp_path: Path) -> Iterator[Open]:
    """Return a function that opens the page ``/`` of a new site with these pages and scripts."""
    visitors: list[Visitor] = []

    def visit(pages: dict[str, str], scripts: dict[str, bytes], **options: Any) -> Visitor:
        site = FrontEndSite(tmp_path / "uploads", pages=pages, scripts=scripts, **options)
        visitors.append(Visitor(browser, site))
        browser.get(f"{site.address}/")
        return visitors[-1]

    yield visit
    for visitor in visitors:
        visitor.leave()
        visitor.site.close()
