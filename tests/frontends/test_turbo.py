"""Turbo from npm: Drive, morphing, frames and streams."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from frontends.conftest import Open
from frontends.site import FIELDS, LINK, RECEIPT, follow, wait_for_heading
from script.site import FORM, HOLD

pytestmark = pytest.mark.browser

Files = Callable[..., Path]
MORPH = '<meta name="turbo-refresh-method" content="morph">'


@FIELDS
def test_a_form_waits_for_its_upload(turbo: Open, files: Files, field: str) -> None:
    visitor = turbo({"/": LINK, "/form": "<h1>Form</h1>" + FORM.format(field)})
    follow(visitor, "#go", "Form")
    visitor.inside("input[type=file]")
    visitor.give(files("a.txt", 3_000_000))
    assert visitor.send() == RECEIPT


@FIELDS
@pytest.mark.parametrize("moment", ["during the upload", "after the upload"])
def test_a_page_that_is_morphed_keeps_its_uploads(turbo: Open, files: Files, field: str, moment: str) -> None:
    visitor = turbo({"/": "<h1>Before</h1>" + FORM.format(field)}, head=MORPH)
    visitor.inside("input[type=file]")
    visitor.js(HOLD)
    visitor.give(files("a.txt"))
    visitor.wait_for("busy")
    if moment == "after the upload":
        visitor.js("release()")
        visitor.wait_for("done")
    state = visitor.states()
    visitor.site.pages["/"] = "<h1>After</h1>" + FORM.format(field)  # type: ignore[attr-defined]
    visitor.js("Turbo.visit(location.href, { action: 'replace' })")
    wait_for_heading(visitor, "After")
    visitor.wait_for(*state)
    visitor.js("release()")
    visitor.wait_for("done")
    assert visitor.send() == RECEIPT


@FIELDS
def test_a_form_in_a_frame_sends_a_receipt(turbo: Open, files: Files, field: str) -> None:
    frame = f"<turbo-frame id=x>{FORM.format(field)}</turbo-frame>"
    pages = {"/": "<h1>First</h1><turbo-frame id=x src=/frame></turbo-frame>", "/frame": frame}
    visitor = turbo(pages, inject=True)
    visitor.wait(lambda: visitor.js("return document.forms.length"))
    visitor.give(files("a.txt"))
    visitor.wait_for("done")
    assert visitor.send() == RECEIPT


@FIELDS
def test_a_field_of_a_stream_uploads(turbo: Open, files: Files, field: str) -> None:
    stream = f'<turbo-stream action="update" target="here"><template>{field}</template></turbo-stream>'
    visitor = turbo({"/": "<h1>First</h1>" + FORM.format("<div id=here></div>")}, inject=True)
    visitor.js("Turbo.renderStreamMessage(arguments[0])", stream)
    visitor.give(files("a.txt"))
    visitor.wait_for("done")
    assert visitor.send() == RECEIPT
