"""axe-core finds no violation in a page with files in every state."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from script.site import AT_REST, Visitor

pytestmark = pytest.mark.browser

Files = Callable[..., Path]
ELEMENT = '<label for=e>Papers</label><direct-upload id=e name=papers multiple accept=".txt"></direct-upload>'
INPUT = '<label for=i>Papers</label><input type=file id=i name=papers multiple accept=".txt" data-direct-upload>'
#: Set the colours of the page and its controls.
ADOPT_COLOURS = """const [colorScheme, background, color] = arguments;
for (const each of document.querySelectorAll(":root, button, input"))
  Object.assign(each.style, { colorScheme, background, color });"""
#: The upload of the larger file never ends.
STOP = """const { send } = XMLHttpRequest.prototype;
XMLHttpRequest.prototype.send = function (body) { if (body.size < 200) send.call(this, body); };"""
#: Record when the browser has saved an upload.
NOTE_SAVED = """const { transaction } = IDBDatabase.prototype;
IDBDatabase.prototype.transaction = function (...about) {
  const made = transaction.apply(this, about);
  const isSaving = about[1] === "readwrite" && about[2]?.durability === "strict";
  if (isSaving) made.addEventListener("complete", () => { window.isSaved = true; });
  return made;
};"""
RUN_AXE = """const [done] = arguments;
const summarize = ({ id, nodes }) => [id, nodes.map(({ html, failureSummary }) => [html, failureSummary])];
axe.run().then(({ violations }) => done(violations.map(summarize)));"""


@cache
def axe() -> str:
    """Return the source of axe-core, which npm has installed."""
    places = [Path(place, "axe-core", "axe.min.js") for place in os.environ.get("NODE_PATH", "").split(os.pathsep)]
    found = next((place for place in places if place.exists()), None)
    return found.read_text("utf-8") if found else pytest.fail("axe-core is needed: 'make test' brings it")


def violations(visitor: Visitor) -> list[object]:
    visitor.wait(lambda: visitor.js(AT_REST))
    visitor.js(axe())
    return list(visitor.browser.execute_async_script(RUN_AXE))


@pytest.mark.parametrize("colours", [("light", "#fff", "#111"), ("dark", "#16181d", "#eee")], ids=["light", "dark"])
@pytest.mark.parametrize("field", [ELEMENT, INPUT], ids=["element", "input"])
@pytest.mark.parametrize(("lang", "dir"), [("en", "ltr"), ("ar", "rtl")])
def test_axe_finds_no_violation(
    visitor: Visitor, files: Files, field: str, colours: tuple[str, ...], lang: str, dir: str
) -> None:
    visitor.open_form(field, lang=lang, dir=dir)
    visitor.js(ADOPT_COLOURS, *colours)
    assert violations(visitor) == []
    visitor.js(STOP)
    visitor.give(files("one.txt"), files("two.txt", 200), files("wrong.pdf"))
    visitor.wait_for("done", "busy", "failed")
    found = violations(visitor)
    assert found == [], json.dumps(found, indent=1)


def test_axe_finds_no_violation_in_unfinished_uploads(visitor: Visitor, files: Files) -> None:
    visitor.open_form(ELEMENT, path="/unfinished")
    visitor.inside("button")
    visitor.js(STOP + NOTE_SAVED)
    visitor.give(files("two.txt", 200))
    visitor.wait(lambda: visitor.js("return window.isSaved"))
    visitor.leave()
    visitor.open_form(ELEMENT, path="/unfinished")
    visitor.inside(".direct-upload-unfinished > li")
    found = violations(visitor)
    assert found == [], json.dumps(found, indent=1)
