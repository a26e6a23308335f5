"""Back and forward, with the back/forward cache and without it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from script.site import Visitor

pytestmark = pytest.mark.browser

Files = Callable[..., Path]
INPUT = "<input type=file name=f data-direct-upload aria-label=F>"
ELEMENT = "<direct-upload name=f aria-label=F></direct-upload>"
FIELDS = pytest.mark.parametrize("field", [INPUT, ELEMENT], ids=["input", "element"])
CACHED = pytest.mark.parametrize("is_cached", [True, False], ids=["cached", "not cached"])
#: Browsers do not keep pages with such a listener in the back/forward cache.
PREVENT_CACHE = "addEventListener('unload', () => {})"
NOTE_RETURN = "addEventListener('pageshow', ({ persisted }) => { window.isFromCache = persisted })"
RECEIPT = [("f", "a receipt of a.txt"), ("go", "yes")]


def go_and_return(visitor: Visitor, *, is_cached: bool) -> None:
    """Go to another page and back."""
    visitor.js(NOTE_RETURN if is_cached else PREVENT_CACHE)
    first, page = visitor.browser.current_url, visitor.site.page
    visitor.site.page = "<!doctype html><title>Other</title>"
    visitor.js("location.href = arguments[0]", f"{visitor.site.address}/other")
    visitor.wait(lambda: visitor.js("return document.title") == "Other")
    visitor.site.page = page
    visitor.js("history.back()")
    visitor.wait(
        lambda: visitor.browser.current_url == first and visitor.js("return document.readyState") == "complete"
    )
    assert bool(visitor.js("return window.isFromCache")) is is_cached


@FIELDS
@CACHED
def test_a_finished_upload_is_submitted_once(visitor: Visitor, files: Files, field: str, is_cached: bool) -> None:
    visitor.open_form(field)
    visitor.give(files("a.txt"))
    visitor.wait_for("done")
    go_and_return(visitor, is_cached=is_cached)
    visitor.wait_for("done")
    assert visitor.send() == RECEIPT


@FIELDS
@CACHED
def test_another_file_takes_the_place_of_the_first(visitor: Visitor, files: Files, field: str, is_cached: bool) -> None:
    visitor.open_form(field)
    visitor.give(files("b.txt"))
    visitor.wait_for("done")
    go_and_return(visitor, is_cached=is_cached)
    visitor.wait_for("done")
    visitor.give(files("a.txt"))
    visitor.wait(lambda: visitor.states() == ["done"] and "a.txt" in visitor.read(visitor.inside("[data-state]")))
    assert visitor.send() == RECEIPT


@FIELDS
def test_the_page_after_a_submission_is_left_by_the_back_button(visitor: Visitor, files: Files, field: str) -> None:
    """The form is submitted a second time, and each time with its receipt."""
    visitor.open_form(field)
    visitor.give(files("a.txt"))
    visitor.wait_for("done")
    assert visitor.send() == RECEIPT
    visitor.wait(lambda: visitor.js("return document.title") == "Thank you")
    visitor.js("history.back()")
    visitor.wait(lambda: visitor.js("return document.title") == "Uploads")
    visitor.wait_for("done")
    visitor.site.forms.clear()
    assert visitor.send() == RECEIPT
