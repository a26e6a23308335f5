"""Two middlewares in one application: a field says whose it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from script.site import FORM, Site, Visitor
from selenium.webdriver.remote.webdriver import WebDriver

from direct_upload_middleware import DirectUploadMiddleware, InvalidReceipt

pytestmark = pytest.mark.browser

Files = Callable[..., Path]
FIELD = pytest.mark.parametrize(
    "field",
    [
        "<input type=file name={} data-direct-upload aria-label=F {}>",
        "<direct-upload name={} aria-label=F {}></direct-upload>",
    ],
    ids=["input", "element"],
)
#: The file input of the field with this name.
CHOOSER = """const field = document.querySelector(`[name=${arguments[0]}]`);
return field.localName === "input" ? field : field.shadowRoot?.querySelector("input")"""


class SiteWithTwoMounts(Site):
    """The default mount around ``/other``, each with a storage of its own."""

    def __init__(self, directory: Path) -> None:
        self._other = DirectUploadMiddleware(
            super()._answer, f"local:{directory / 'other'}", mount="/other", anonymous=True
        )
        super().__init__(directory / "default")

    def _answer(self, environ: Any, start_response: Any) -> Any:
        environ["test.default"] = environ["direct_upload.uploads"]
        return self._other(environ, start_response)

    def _describe(self, environ: Any, value: Any) -> str:
        if not isinstance(value, str) or not value.startswith("."):
            return super()._describe(environ, value)
        try:
            return f"default: {environ['test.default'].verify(value).filename}"
        except InvalidReceipt:
            return f"other: {environ['direct_upload.uploads'].verify(value).filename}"


@pytest.fixture
def mounts(browser: WebDriver, tmp_path: Path) -> Iterator[Visitor]:
    visitor = Visitor(browser, SiteWithTwoMounts(tmp_path))
    yield visitor
    visitor.leave()
    visitor.site.close()


def choose(visitor: Visitor, name: str, file: Path) -> None:
    visitor.wait(lambda: visitor.js(CHOOSER, name)).send_keys(str(file))


@FIELD
@pytest.mark.parametrize("other", ["/other", "/other/"])
@pytest.mark.parametrize("default", ["", "data-direct-upload-mount=/_upload"], ids=["default", "named"])
def test_each_field_uploads_to_its_mount(mounts: Visitor, files: Files, field: str, other: str, default: str) -> None:
    fields = field.format("f", default) + field.format("g", f'data-direct-upload-mount="{other}"')
    mounts.open(FORM.format(fields))
    [mount] = {mounts.wait(lambda: mounts.js("return window[Symbol.for('direct-upload')]"))}
    choose(mounts, "f", files("a.txt"))
    choose(mounts, "g", files("b.txt"))
    first = "default" if default or mount.endswith("/_upload/") else "other"
    assert mounts.send() == [("f", f"{first}: a.txt"), ("g", "other: b.txt"), ("go", "yes")]


@FIELD
def test_a_field_that_a_script_moves_to_another_mount_uploads_there(mounts: Visitor, files: Files, field: str) -> None:
    mounts.open(FORM.format(field.format("f", "data-direct-upload-mount=/_upload")))
    mounts.wait(lambda: mounts.js(CHOOSER, "f"))
    mounts.js("document.querySelector('[name=f]').dataset.directUploadMount = '/other'")
    choose(mounts, "f", files("a.txt"))
    assert mounts.send() == [("f", "other: a.txt"), ("go", "yes")]
