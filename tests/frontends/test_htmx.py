"""htmx 2 and 4 from npm: boosted links, forms, fragments and its history."""

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
    RECEIPT,
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
POSTED = (
    '<h1>Form</h1><form hx-post="/save" hx-encoding="multipart/form-data" hx-target="#out" {}>{}'
    "<button name=go value=yes>Send</button></form><div id=out></div>"
)


@pytest.fixture(params=["htmx2", "htmx.org"], ids=["2", "4"])
def htmx(request: pytest.FixtureRequest, visit: Open, read_script: Callable[[str], bytes]) -> Open:
    script = read_script(f"{request.param}/dist/htmx.min.js")

    def opened(pages: dict[str, str], **options: Any) -> Visitor:
        boosted = {
            path: body if "<!--" in body else f"<div hx-boost:inherited=true hx-boost=true>{body}</div>"
            for path, body in pages.items()
        }
        visitor = visit(boosted, {"htmx.js": script}, **options)
        visitor.wait(lambda: visitor.js("return !!window.htmx"))
        return visitor

    return opened


def form(field: str) -> str:
    return "<h1>Form</h1>" + FORM.format(field)


@FIELDS
def test_a_posted_form_sends_a_receipt(htmx: Open, files: Files, field: str) -> None:
    visitor = htmx({"/": POSTED.format("", field)})
    visitor.give(files("a.txt"))
    visitor.wait_for("done")
    assert visitor.send() == RECEIPT


@FIELDS
def test_a_posted_form_waits_for_its_upload(htmx: Open, files: Files, field: str) -> None:
    visitor = htmx({"/": POSTED.format("", field)})
    visitor.inside("input[type=file]")
    visitor.js(HOLD)
    visitor.give(files("a.txt"))
    visitor.wait_for("busy")
    visitor.one("[name=go]").click()
    assert visitor.site.forms == []
    visitor.js("release()")
    visitor.wait(lambda: visitor.site.forms)
    assert visitor.site.forms == [RECEIPT]


@FIELDS
def test_a_form_that_is_posted_after_its_uploads_sends_a_receipt(htmx: Open, files: Files, field: str) -> None:
    visitor = htmx({"/": POSTED.format('hx-trigger="direct-uploads:end"', field)})
    visitor.give(files("a.txt"))
    visitor.wait(lambda: visitor.site.forms)
    assert visitor.site.forms == [RECEIPT[:1]]


@FIELDS
def test_a_form_on_the_second_page_sends_a_receipt(htmx: Open, files: Files, field: str) -> None:
    visitor = htmx({"/": LINK, "/form": form(field)})
    follow(visitor, "#go", "Form")
    visitor.give(files("a.txt"))
    visitor.wait_for("done")
    assert visitor.send() == RECEIPT


@FIELDS
@pytest.mark.parametrize("second", [True, False], ids=["another file", "the same page only"])
def test_a_page_of_the_history_has_no_dead_rows_and_no_second_receipt(
    htmx: Open, files: Files, field: str, second: bool
) -> None:
    visitor = htmx({"/": "<h1>First</h1>" + FORM.format(field) + LINK, "/form": form(INPUT)})
    visitor.give(files("a.txt"))
    visitor.wait_for("done")
    follow(visitor, "#go", "Form")
    assert visitor.states() == []
    visitor.browser.back()
    wait_for_heading(visitor, "First")
    visitor.wait_for()
    expected = []
    if second:
        visitor.give(files("b.txt"))
        visitor.wait_for("done")
        expected = [("f", "a receipt of b.txt")]
    sent = visitor.send()
    assert [entry for entry in sent if entry != ("f", "nothing")] == [*expected, ("go", "yes")]


@FIELDS
def test_a_form_of_a_fragment_sends_a_receipt(htmx: Open, files: Files, field: str) -> None:
    """The fragment contains a marker, so that the script is added to it."""
    visitor = htmx(
        {
            "/": '<button id=load hx-get="/fragment" hx-target="#here">Load</button><div id=here></div>',
            "/fragment": "<!--fragment-->" + FORM.format(field),
        }
    )
    visitor.one("#load").click()
    visitor.wait(lambda: visitor.js("return document.forms.length"))
    visitor.give(files("a.txt"))
    visitor.wait_for("done")
    assert visitor.send() == RECEIPT


@FIELDS
def test_a_form_that_is_swapped_again_has_no_receipts_of_before(htmx: Open, files: Files, field: str) -> None:
    load = '<button id=load hx-get="/fragment" hx-target="#here">Load</button>'
    fragment = FORM.format(field)
    visitor = htmx({"/": f"{load}<div id=here>{fragment}</div>", "/fragment": "<!--fragment--><h1>New</h1>" + fragment})
    visitor.give(files("b.txt"))
    visitor.wait_for("done")
    visitor.one("#load").click()
    wait_for_heading(visitor, "New")
    visitor.wait_for()
    visitor.give(files("a.txt"))
    visitor.wait_for("done")
    assert visitor.send() == RECEIPT


@FIELDS
@pytest.mark.parametrize("inject", ["auto", True])
def test_the_policy_of_the_first_document_applies(
    htmx: Open, files: Files, swift_server: SwiftServer, field: str, inject: Any
) -> None:
    storage = swift_storage(swift_server)
    visitor = htmx({"/": LINK, "/form": form(field)}, policy=POLICY, storage=storage, inject=inject, secret=SECRET)
    visitor.js(NOTE_ERRORS)
    follow(visitor, "#go", "Form")
    visitor.give(files("a.txt"))
    assert_follows_policy(visitor, inject)
