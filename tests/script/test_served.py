"""The script in a browser, as it is served with bundles and without."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from helpers.script.node import STATIC
from script.site import Visitor

from direct_upload_middleware.api import assets

pytestmark = pytest.mark.browser


@pytest.fixture(params=["bundles", "modules"])
def served(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    ignored = shutil.ignore_patterns("__pycache__", *(["dist"] if request.param == "modules" else []))
    shutil.copytree(STATIC, tmp_path / "static", ignore=ignored)
    monkeypatch.setattr(assets, "_static_directory", lambda: tmp_path / "static")
    assets._assets.cache_clear()
    yield request.param
    assets._assets.cache_clear()


SCRIPTS = """
return performance.getEntriesByType("resource").map(({ name }) => name).filter((name) => name.endsWith(".js"))
"""


@pytest.mark.parametrize(
    "field", ['<input type="file" name="f" data-direct-upload>', '<direct-upload name="f"></direct-upload>']
)
def test_a_form_sends_a_receipt(visitor: Visitor, served: str, files: Callable[..., Path], field: str) -> None:
    visitor.open_form(field)
    visitor.give(files("report.pdf", 300_000))
    visitor.wait_for("done")
    assert ("f", "a receipt of report.pdf") in visitor.send()


def test_bundles_need_fewer_requests(visitor: Visitor, served: str, files: Callable[..., Path]) -> None:
    visitor.open_form('<input type="file" name="f" data-direct-upload>')
    visitor.give(files("report.pdf"))
    visitor.wait_for("done")
    requests = len(visitor.js(SCRIPTS))
    assert requests <= 5 if served == "bundles" else requests > 20
