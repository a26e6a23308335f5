"""Real browsers, and sites whose pages use a library from npm."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from frontends.site import FrontEndSite
from script.conftest import browser, files
from script.site import BUTTON_ABOVE, Visitor
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
        visitors[-1].js(BUTTON_ABOVE)
        return visitors[-1]

    yield visit
    for visitor in visitors:
        visitor.leave()
        visitor.site.close()


def open_with_htmx(visit: Open, script: bytes) -> Open:
    """Return ``visit`` for pages that htmx loads: each page is boosted."""

    def opened(pages: dict[str, str], **options: Any) -> Visitor:
        boosted = {
            path: body if "<!--" in body else f"<div hx-boost:inherited=true hx-boost=true>{body}</div>"
            for path, body in pages.items()
        }
        visitor = visit(boosted, {"htmx.js": script}, **options)
        visitor.wait(lambda: visitor.js("return !!window.htmx"))
        return visitor

    return opened


def open_with_turbo(visit: Open, script: bytes) -> Open:
    """Return ``visit`` for pages that Turbo loads."""

    def opened(pages: dict[str, str], **options: Any) -> Visitor:
        visitor = visit(pages, {"turbo.js": script}, **options)
        visitor.wait(lambda: visitor.js("return !!window.Turbo"))
        visitor.js("window.isFirstDocument = true")
        return visitor

    return opened


HTMX = {"htmx 2": "htmx2/dist/htmx.min.js", "htmx 4": "htmx.org/dist/htmx.min.js"}
TURBO = "@hotwired/turbo/dist/turbo.es2017-umd.js"


@pytest.fixture(params=HTMX)
def htmx(request: pytest.FixtureRequest, visit: Open, read_script: Callable[[str], bytes]) -> Open:
    """Open pages that htmx loads."""
    return open_with_htmx(visit, read_script(HTMX[request.param]))


@pytest.fixture
def turbo(visit: Open, read_script: Callable[[str], bytes]) -> Open:
    """Open pages that Turbo loads."""
    return open_with_turbo(visit, read_script(TURBO))


@pytest.fixture(params=[*HTMX, "Turbo"])
def library(request: pytest.FixtureRequest, visit: Open, read_script: Callable[[str], bytes]) -> Open:
    """Open pages that a library loads within the document."""
    if request.param in HTMX:
        return open_with_htmx(visit, read_script(HTMX[request.param]))
    return open_with_turbo(visit, read_script(TURBO))
