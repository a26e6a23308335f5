"""React from npm: the element, the file input and ``upload()`` in components."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from frontends.conftest import NODE_MODULES, Open
from frontends.site import RECEIPT
from script.site import HOLD, Visitor

pytestmark = pytest.mark.browser

Files = Callable[..., Path]
FIELDS = pytest.mark.parametrize("field", ["input", "element"])
APPLICATION = Path(__file__).with_name("application.jsx")
STATIC = Path(__file__).parents[2] / "static"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return the application's scripts by path."""
    esbuild = NODE_MODULES / ".bin" / "esbuild"
    if not esbuild.exists():
        pytest.fail("esbuild is needed: 'make test' installs it; -m 'not browser' does without")
    project = tmp_path_factory.mktemp("react")
    shutil.copy(APPLICATION, project)
    modules = project / "node_modules"
    modules.mkdir()
    (modules / "direct-upload-middleware").symlink_to(STATIC)
    command = [esbuild, "js/application=application.jsx", "hashing/hash-worker=direct-upload-middleware/hash-worker"]
    options = ["--bundle", "--splitting", "--format=esm", "--jsx=automatic", "--outdir=dist", "--log-level=warning"]
    environ = {**os.environ, "NODE_PATH": str(NODE_MODULES)}
    done = subprocess.run([*command, *options], cwd=project, env=environ, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    made = project / "dist"
    return {path.relative_to(made).as_posix(): path.read_bytes() for path in made.rglob("*.js")}


@pytest.fixture
def react(visit: Open, bundle: dict[str, bytes]) -> Callable[[str], Visitor]:
    """Return a function that opens the application; ``#input``, ``#element`` or ``#own`` is its form."""

    def opened(which: str) -> Visitor:
        body = '<div id=root></div><script type=module src="/js/application.js"></script>'
        visitor = visit({"/": body}, bundle, loads=())
        visitor.js("location.hash = arguments[0]; location.reload()", which)
        visitor.wait(lambda: visitor.js("return !!document.querySelector('#root > *') && location.hash") == f"#{which}")
        return visitor

    return opened


@FIELDS
def test_a_form_sends_a_receipt(react: Callable[[str], Visitor], files: Files, field: str) -> None:
    visitor = react(field)
    visitor.give(files("a.txt"))
    visitor.wait_for("done")
    if field == "element":
        visitor.wait(lambda: visitor.one("#names").text == "a.txt")
    assert visitor.send() == RECEIPT


@FIELDS
def test_a_form_waits_and_may_be_rendered_again(react: Callable[[str], Visitor], files: Files, field: str) -> None:
    visitor = react(field)
    visitor.inside("input[type=file]")
    visitor.js(HOLD)
    visitor.give(files("a.txt"))
    visitor.wait_for("busy")
    visitor.js("document.querySelector('[name=go]').click()")
    rendered = int(visitor.one("#count").text)
    visitor.js("document.querySelector('#render').click()")
    visitor.wait(lambda: int(visitor.one("#count").text) > rendered)
    assert visitor.states() == ["busy"]
    assert visitor.site.forms == []
    visitor.js("release()")
    visitor.wait(lambda: visitor.site.forms)
    assert visitor.site.forms == [RECEIPT]


@FIELDS
def test_a_form_with_a_new_key_begins_empty(react: Callable[[str], Visitor], files: Files, field: str) -> None:
    visitor = react(field)
    visitor.give(files("b.txt"))
    visitor.wait_for("done")
    visitor.send()
    visitor.wait(lambda: visitor.one("#key").text == "1")
    visitor.wait_for()
    visitor.site.forms.clear()
    visitor.give(files("a.txt"))
    visitor.wait_for("done")
    assert visitor.send() == RECEIPT


@pytest.mark.parametrize("size", [0, 100, 3_000_000])
def test_a_component_uploads_by_itself(react: Callable[[str], Visitor], files: Files, size: int) -> None:
    visitor = react("own")
    visitor.wait(lambda: visitor.js("return document.querySelector('input')")).send_keys(str(files("a.txt", size)))
    visitor.wait(lambda: visitor.one("output").text == "sent")
    assert visitor.site.forms == [RECEIPT[:1]]
