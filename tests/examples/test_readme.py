"""The example in the README does what it says."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent
from typing import Any

from webtest import TestApp

from direct_upload_middleware.testing import upload_file

README = Path(__file__).parents[2] / "README.rst"
PYTHON_BLOCK = re.compile(r"^\.\. code:: python\n\n((?: {4}.*\n|\n)+)", re.MULTILINE)


def test_the_example_of_the_readme_takes_a_file(tmp_path: Path) -> None:
    [code] = PYTHON_BLOCK.findall(README.read_text(encoding="utf-8"))
    assert '"swift://uploads"' in code
    names: dict[str, Any] = {"SECRET": "a secret of the tests", "current_user": lambda environ: "ann"}
    exec(dedent(code).replace("swift://uploads", f"local:{tmp_path}"), names)  # noqa: S102  our own text
    browser = TestApp(names["app"])
    assert "/_upload/static/direct-upload.js" in browser.get("/").text
    receipt = upload_file(browser, "Größe.txt", b"abc")
    assert browser.post("/", {"file": receipt}).text == "Größe.txt has 3 bytes"
