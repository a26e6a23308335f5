"""The pages about the code name the modules that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
PACKAGE = CHECKOUT / "direct_upload_middleware"
PAGES = [CHECKOUT / name for name in ("docs/architecture.rst", "docs/states.rst", "CONTRIBUTING.rst")]
TREES = [CHECKOUT, PACKAGE, PACKAGE / "storage", PACKAGE / "storage" / "swift", CHECKOUT / "tests"]
NAMED = re.compile(r"``([a-z_0-9/]+(?:\.py|\.rst|/))``")


@pytest.mark.parametrize("page", [pytest.param(page, id=page.name) for page in PAGES])
def test_every_file_and_folder_that_a_page_names_exists(page: Path) -> None:
    named = set(NAMED.findall(page.read_text(encoding="utf-8")))
    nested = {path.name for path in PACKAGE.rglob("*")}
    missing = [
        name for name in named if not any((tree / name).exists() for tree in TREES) and name.rstrip("/") not in nested
    ]
    assert named
    assert missing == []


@pytest.mark.parametrize("folder", ["", "storage", "storage/swift"])
def test_the_architecture_page_names_every_module(folder: str) -> None:
    text = PAGES[0].read_text(encoding="utf-8")
    modules = [
        f"{path.name}/" if path.is_dir() else path.name
        for path in (PACKAGE / folder).iterdir()
        if (path / "__init__.py").exists() or (path.suffix == ".py" and path.stem != "__init__")
    ]
    shared = {
        "urls.py",
        "temp_urls.py",
        "sending.py",
        "concurrency.py",
        "sweeping.py",
        "redaction.py",
    }  #: of all storages
    unnamed = [name for name in modules if not re.search(rf"``(?:[a-z_/]+/)?{name}``", text) and name not in shared]
    assert unnamed == []
