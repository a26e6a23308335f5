"""Fields that begin with receipts, and copies of fields, which do not."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from script.site import FORM, Visitor

pytestmark = pytest.mark.browser

Files = Callable[..., Path]
FIELDS = pytest.mark.parametrize(
    "field",
    [
        "<input type=file name=f required data-direct-upload {} aria-label=F>",
        "<direct-upload name=f required {}></direct-upload>",
    ],
    ids=["input", "element"],
)
RECEIPTS = "return new FormData(document.forms[0]).getAll('f').map((value) => value.name ?? value)"
#: As Turbo does it, as htmx does it, and as a page does that adds a row to a form.
COPY = pytest.mark.parametrize(
    "copy",
    ["document.body.replaceWith(document.body.cloneNode(true))", "document.body.innerHTML = document.body.innerHTML"],
    ids=["cloned", "serialized"],
)


def upload(visitor: Visitor, field: str, *files: Path) -> list[str]:
    """Return receipts, in a page with an equal field."""
    visitor.open(FORM.format(field))
    visitor.give(*files)
    visitor.wait_for(*["done"] * len(files))
    return list(visitor.js(RECEIPTS))


@FIELDS
def test_a_form_that_is_shown_again_keeps_its_uploads(visitor: Visitor, files: Files, field: str) -> None:
    receipts = upload(visitor, field.format("multiple"), files("größe.txt"), files("b.txt", 2000))
    visitor.open(FORM.format(field.format(f"multiple data-receipts='{html.escape(json.dumps(receipts))}'")))
    visitor.wait_for("done", "done")
    visitor.wait(lambda: "größe.txt" in visitor.read(visitor.all_inside("[data-state]")[0]))
    assert "2 kB" in visitor.read(visitor.all_inside("[data-state]")[1])
    visitor.press(".direct-upload-remove")
    visitor.wait_for("done")
    assert visitor.send() == [("f", "a receipt of b.txt"), ("go", "yes")]


@FIELDS
def test_a_removed_receipt_leaves_a_required_field_empty(visitor: Visitor, files: Files, field: str) -> None:
    receipts = upload(visitor, field.format(""), files("a.txt"))
    visitor.open(FORM.format(field.format(f"data-receipts='{json.dumps(receipts)}'")))
    visitor.wait_for("done")
    visitor.press(".direct-upload-remove")
    visitor.wait_for()
    visitor.one("[name=go]").click()
    assert visitor.js("return document.querySelector('[name=f]').validity.valueMissing")
    visitor.give(files("b.txt"))
    visitor.wait_for("done")
    assert visitor.send() == [("f", "a receipt of b.txt"), ("go", "yes")]


@pytest.mark.parametrize("is_kept", [False, True], ids=["removed", "kept"])
@FIELDS
def test_a_finished_upload_that_the_user_removes_is_removed_by_the_application(
    visitor: Visitor, files: Files, field: str, is_kept: bool
) -> None:
    visitor.site.keeps = is_kept
    receipts = upload(visitor, field.format("multiple"), files("a.txt"), files("b.txt"))
    visitor.press(".direct-upload-remove")
    visitor.wait_for("done")
    visitor.wait(lambda: visitor.site.removed == ["a.txt"])
    exists = "return fetch(`/_upload/files/${arguments[0]}`, { method: 'HEAD' }).then(({ ok }) => ok)"
    visitor.wait(lambda: visitor.js(exists, receipts[0]) is is_kept)
    assert visitor.send() == [("f", "a receipt of b.txt"), ("go", "yes")]


@FIELDS
def test_a_receipt_that_the_page_began_with_is_the_forms_to_remove(visitor: Visitor, files: Files, field: str) -> None:
    receipts = upload(visitor, field.format(""), files("a.txt"))
    visitor.open(FORM.format(field.format(f"multiple data-receipts='{json.dumps(receipts)}'")))
    visitor.wait_for("done")
    visitor.give(files("b.txt"))
    visitor.wait_for("done", "done")
    visitor.press("[data-state]:first-child .direct-upload-remove")
    visitor.press("[data-state]:first-child .direct-upload-remove")
    visitor.wait(lambda: visitor.site.removed == ["b.txt"])


@COPY
@FIELDS
def test_copies_have_no_rows_receipts_or_files(visitor: Visitor, files: Files, field: str, copy: str) -> None:
    [_] = upload(visitor, field.format(""), files("a.txt"))
    visitor.js(copy)
    visitor.wait(lambda: visitor.states() == [] and visitor.js(RECEIPTS) in ([], [""]))
    assert "receipt" not in visitor.js("return document.body.innerHTML")
    visitor.give(files("b.txt"))
    visitor.wait_for("done")
    assert visitor.send() == [("f", "a receipt of b.txt"), ("go", "yes")]


def test_rows_that_a_library_removes_come_back(visitor: Visitor, files: Files) -> None:
    upload(visitor, "<input type=file name=f data-direct-upload aria-label=F>", files("a.txt"))
    visitor.js("document.querySelector('ul.direct-upload').remove()")
    visitor.wait_for("done")
    visitor.press(".direct-upload-remove")
    assert visitor.send() == [("f", "nothing"), ("go", "yes")]


@pytest.mark.parametrize("other", ["bb", "ab"], ids=["different", "same start"])
def test_different_files_of_the_same_name_size_and_time_are_both_uploaded(visitor: Visitor, other: str) -> None:
    visitor.open_form("<direct-upload name=f multiple></direct-upload>")
    visitor.inside("button")
    add = """document.querySelector("direct-upload").add([new File([arguments[0]], "x.txt", { lastModified: 1 })])"""
    visitor.js(add, "aa")
    visitor.js(add, other)
    visitor.wait_for("done", "done")
    visitor.js(add, "aa")
    visitor.wait(lambda: "already in the list" in visitor.read(visitor.inside("[role=status]")))
    assert visitor.states() == ["done", "done"]


@FIELDS
def test_uploads_whose_form_was_not_sent_are_there_after_a_reload(visitor: Visitor, files: Files, field: str) -> None:
    place = "/draft-" + ("element" if "<direct-upload" in field else "input")
    visitor.open(FORM.format(field.format("multiple")), path=place)
    visitor.give(files("a.txt", 2000), files("b.txt"))
    visitor.wait_for("done", "done")
    visitor.browser.refresh()
    visitor.wait_for("done", "done")
    visitor.wait(lambda: "a.txt" in visitor.read(visitor.all_inside("[data-state]")[0]))
    visitor.give(files("c.txt"))
    visitor.wait_for("done", "done", "done")
    visitor.press("[data-state]:first-child .direct-upload-remove")
    visitor.wait(lambda: visitor.site.removed == ["a.txt"])
    assert visitor.send() == [("f", "a receipt of b.txt"), ("f", "a receipt of c.txt"), ("go", "yes")]
    visitor.open(FORM.format(field.format("multiple")), path=place)
    visitor.give(files("d.txt"))
    visitor.wait_for("done")


@FIELDS
def test_choosing_more_adds_to_receipts_and_to_files(visitor: Visitor, files: Files, field: str) -> None:
    receipts = upload(visitor, field.format(""), files("a.txt"))
    visitor.open(FORM.format(field.format(f"multiple data-receipts='{json.dumps(receipts)}'")))
    visitor.wait_for("done")
    for number, name in enumerate(("b.txt", "c.txt"), start=2):
        visitor.give(files(name))
        visitor.wait_for(*["done"] * number)
    assert [value for name, value in visitor.send() if name == "f"] == [
        "a receipt of a.txt",
        "a receipt of b.txt",
        "a receipt of c.txt",
    ]


@FIELDS
def test_without_multiple_another_file_takes_the_place_of_a_receipt(visitor: Visitor, files: Files, field: str) -> None:
    receipts = upload(visitor, field.format(""), files("a.txt"))
    visitor.open(FORM.format(field.format(f"data-receipts='{json.dumps(receipts)}'")))
    visitor.wait_for("done")
    visitor.give(files("b.txt"))
    visitor.wait(lambda: "b.txt" in visitor.read(visitor.all_inside("[data-state]")[0]))
    visitor.wait_for("done")
    assert visitor.send() == [("f", "a receipt of b.txt"), ("go", "yes")]
