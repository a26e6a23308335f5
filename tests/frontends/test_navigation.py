"""htmx and Turbo from npm: pages that they load within the document, and their histories."""

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
from script.site import FORM

from direct_upload_middleware.testing.private_swift.server import SwiftServer

pytestmark = pytest.mark.browser

Files = Callable[..., Path]


def form(field: str) -> str:
    return "<h1>Form</h1>" + FORM.format(field)


@FIELDS
def test_a_form_on_the_second_page_sends_a_receipt(library: Open, files: Files, field: str) -> None:
    visitor = library({"/": LINK, "/form": form(field)})
    follow(visitor, "#go", "Form")
    visitor.give(files("a.txt"))
    visitor.wait_for("done")
    assert visitor.send() == RECEIPT
    wait_for_heading(visitor, "Thanks")
    assert visitor.js("return isFirstDocument")


@FIELDS
@pytest.mark.parametrize("second", [True, False], ids=["another file", "the same page only"])
def test_a_page_of_the_history_has_no_dead_rows_and_no_second_receipt(
    library: Open, files: Files, field: str, second: bool
) -> None:
    visitor = library({"/": "<h1>First</h1>" + FORM.format(field) + LINK, "/form": form(INPUT)})
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
@pytest.mark.parametrize("inject", ["auto", True])
def test_the_policy_of_the_first_document_applies(
    library: Open, files: Files, swift_server: SwiftServer, field: str, inject: Any
) -> None:
    storage = swift_storage(swift_server)
    visitor = library({"/": LINK, "/form": form(field)}, policy=POLICY, storage=storage, inject=inject, secret=SECRET)
    visitor.js(NOTE_ERRORS)
    follow(visitor, "#go", "Form")
    visitor.give(files("a.txt"))
    assert_follows_policy(visitor, inject)
