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


#: Add files as a script does. With ``refuse``, the server refuses the uploads.
ADD_MANY = """const [count, refuse] = arguments;
if (refuse) window.fetch = async () => Response.json({ code: "refused" }, { status: 403 });
const files = Array.from({ length: count }, (_, index) => new File(["x".repeat(300)], `${index}.txt`));
document.querySelector("direct-upload").add(files);"""


def many_busy(visitor: Visitor) -> None:
    visitor.js(STOP)
    visitor.js(ADD_MANY, 30, False)
    visitor.inside(".direct-upload-pauseAll:not([hidden])")


def many_paused(visitor: Visitor) -> None:
    many_busy(visitor)
    visitor.js("arguments[0].click()", visitor.inside(".direct-upload-pauseAll"))
    visitor.inside("[data-paused]")
    visitor.one("[name=go]").click()
    visitor.inside("[data-notice=held]")


def many_failed(visitor: Visitor) -> None:
    visitor.js(ADD_MANY, 30, True)
    visitor.inside(".direct-upload-retryAll:not([hidden])")
    visitor.inside("[data-state=failed] summary")


def many_done(visitor: Visitor) -> None:
    visitor.js(ADD_MANY, 30, False)
    visitor.inside(".direct-upload-summary[data-complete]")


def limited(visitor: Visitor) -> None:
    visitor.js("document.querySelector('direct-upload').setAttribute('max-files', '2')")
    visitor.js(ADD_MANY, 3, False)
    visitor.inside("[data-notice=limit]")
    visitor.wait_for("done", "done")


def unfolded(visitor: Visitor) -> None:
    visitor.js(ADD_MANY, 1, True)
    visitor.js("arguments[0].click()", visitor.inside("summary"))


def dragged(visitor: Visitor) -> None:
    visitor.js(
        """const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File(["a"], "a.txt"));
        const event = new DragEvent("dragenter", { bubbles: true, dataTransfer });
        document.querySelector("direct-upload").dispatchEvent(event);"""
    )
    visitor.inside("[data-dragging]")


def disabled(visitor: Visitor) -> None:
    many_done(visitor)
    visitor.js("document.querySelector('direct-upload').disabled = true")


def restored(visitor: Visitor) -> None:
    limited(visitor)
    visitor.browser.refresh()
    visitor.wait_for("done", "done")


@pytest.mark.parametrize("colours", [("light", "#fff", "#111"), ("dark", "#16181d", "#eee")], ids=["light", "dark"])
@pytest.mark.parametrize(
    "reach",
    [many_busy, many_paused, many_failed, many_done, limited, unfolded, dragged, disabled, restored],
    ids=lambda reach: reach.__name__.replace("_", " "),
)
def test_axe_finds_no_violation_in_any_state(
    visitor: Visitor, reach: Callable[[Visitor], None], colours: tuple[str, ...]
) -> None:
    visitor.open_form(ELEMENT)
    visitor.inside("button")
    reach(visitor)
    visitor.js(ADOPT_COLOURS, *colours)
    found = violations(visitor)
    assert found == [], json.dumps(found, indent=1)
    visitor.leave()
