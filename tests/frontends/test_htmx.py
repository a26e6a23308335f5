"""htmx 2 and 4 from npm: forms and fragments."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from frontends.conftest import Open
from frontends.site import FIELDS, RECEIPT, wait_for_heading
from script.site import FORM, HOLD

pytestmark = pytest.mark.browser

Files = Callable[..., Path]
POSTED = (
    '<h1>Form</h1><form hx-post="/save" hx-encoding="multipart/form-data" hx-target="#out" {}>{}'
    "<button name=go value=yes>Send</button></form><div id=out></div>"
)


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
