"""Turbo from npm: Drive, its cache, morphing, frames and streams."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from frontends.conftest import Open
from frontends.site import (
    FIELDS,
    INPUT,
    LINK,
    NOTE_ERRORS,
    POLICY,
    SECRET,
    assert_follows_policy,
    follow,
    wait_for_heading,
)
from helpers.uploads import swift_storage
from script.site import FORM, HOLD, Visitor

from direct_upload_middleware.testing.private_swift.server import SwiftServer

pytestmark = pytest.mark.browser

Files = Callable[..., Path]
BACK = '<a id=back href="/">Back</a>'
MORPH = '<meta name="turbo-refresh-method" content="morph">'


@pytest.fixture
def turbo(visit: Open, read_script: Callable[[str], bytes]) -> Open:
    script = read_script("@hotwired/turbo/dist/turbo.es2017-umd.js")

    def opened(pages: dict[str, str], **options: Any) -> Visitor:
        visitor = visit(pages, {"turbo.js": script}, **options)
        visitor.wait(lambda: visitor.js("return !!window.Turbo"))
        visitor.js("window.isFirstDocument = true")
        return visitor

    return opened


def form(field: str) -> str:
    return "<h1>Form</h1>" + FORM.format(field) + BACK


@FIELDS
def test_a_form_on_the_second_page_sends_a_receipt(turbo: Open, files: Files, field: str) -> None:
    visitor = turbo({"/": LINK, "/form": form(field)})
    follow(visitor, "#go", "Form")
    visitor.give(files("a.txt"))
    visitor.wait_for("done")
    assert visitor.send() == [("f", "a receipt of a.txt"), ("go", "yes")]
    wait_for_heading(visitor, "Thanks")
    assert visitor.js("return isFirstDocument")


@FIELDS
def test_a_form_waits_for_its_upload(turbo: Open, files: Files, field: str) -> None:
    visitor = turbo({"/": LINK, "/form": form(field)})
    follow(visitor, "#go", "Form")
    visitor.inside("input[type=file]")
    visitor.give(files("a.txt", 3_000_000))
    assert visitor.send() == [("f", "a receipt of a.txt"), ("go", "yes")]


@FIELDS
@pytest.mark.parametrize("second", [True, False], ids=["another file", "the same page only"])
def test_a_cached_page_has_no_dead_rows_and_no_second_receipt(
    turbo: Open, files: Files, field: str, second: bool
) -> None:
    visitor = turbo({"/": "<h1>First</h1>" + FORM.format(field) + LINK, "/form": form(INPUT)})
    visitor.give(files("a.txt"))
    visitor.wait_for("done")
    follow(visitor, "#go", "Form")
    assert visitor.states() == []
    visitor.browser.back()
    wait_for_heading(visitor, "First")
    visitor.wait_for()
    expected = [("f", "nothing"), ("go", "yes")] if field == INPUT else [("go", "yes")]
    if second:
        visitor.give(files("b.txt"))
        visitor.wait_for("done")
        expected = [("f", "a receipt of b.txt"), ("go", "yes")]
    assert visitor.send() == expected


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
    assert visitor.send() == [("f", "a receipt of a.txt"), ("go", "yes")]


@FIELDS
def test_a_form_in_a_frame_sends_a_receipt(turbo: Open, files: Files, field: str) -> None:
    frame = f"<turbo-frame id=x>{FORM.format(field)}</turbo-frame>"
    pages = {"/": "<h1>First</h1><turbo-frame id=x src=/frame></turbo-frame>", "/frame": frame}
    visitor = turbo(pages, inject=True)
    visitor.wait(lambda: visitor.js("return document.forms.length"))
    visitor.give(files("a.txt"))
    visitor.wait_for("done")
    assert visitor.send() == [("f", "a receipt of a.txt"), ("go", "yes")]


@FIELDS
def test_a_field_of_a_stream_uploads(turbo: Open, files: Files, field: str) -> None:
    stream = f'<turbo-stream action="update" target="here"><template>{field}</template></turbo-stream>'
    visitor = turbo({"/": "<h1>First</h1>" + FORM.format("<div id=here></div>")}, inject=True)
    visitor.js("Turbo.renderStreamMessage(arguments[0])", stream)
    visitor.give(files("a.txt"))
    visitor.wait_for("done")
    assert visitor.send() == [("f", "a receipt of a.txt"), ("go", "yes")]


@FIELDS
@pytest.mark.parametrize("inject", ["auto", True])
def test_the_policy_of_the_first_document_applies(
    turbo: Open, files: Files, swift_server: SwiftServer, field: str, inject: Any
) -> None:
    storage = swift_storage(swift_server)
    visitor = turbo({"/": LINK, "/form": form(field)}, policy=POLICY, storage=storage, inject=inject, secret=SECRET)
    visitor.js(NOTE_ERRORS)
    follow(visitor, "#go", "Form")
    visitor.give(files("a.txt"))
    assert_follows_policy(visitor, inject)
