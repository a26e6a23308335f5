"""Forms are submitted as they would be without uploads: buttons, dialogs, validation, and scripts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from script.site import FORM, HOLD, Visitor

pytestmark = pytest.mark.browser

Files = Callable[..., Path]
INPUT = "<input type=file name=f data-direct-upload aria-label=F>"
ELEMENT = "<direct-upload name=f aria-label=F></direct-upload>"
FIELDS = pytest.mark.parametrize("field", [INPUT, ELEMENT], ids=["input", "element"])
BUTTON = (
    "<fieldset><button id=x name=go value=yes formaction=/x formmethod=post formtarget=_self "
    "formenctype=multipart/form-data formnovalidate>X</button></fieldset>"
)
#: Choose files as a script does, without an event.
SET_FILES = """const transfer = new DataTransfer();
for (const name of arguments[0]) transfer.items.add(new File([name], name));
document.querySelector("input[type=file]").files = transfer.files;"""
ERRORS = """window.errors = [];
const { error } = console;
console.error = (...about) => { errors.push(about.join(" ")); error(...about); };"""


def start_upload(visitor: Visitor, file: Path) -> None:
    visitor.inside("input[type=file]")
    visitor.js(HOLD)
    visitor.give(file)
    visitor.wait_for("busy")


def submitted(visitor: Visitor) -> list[tuple[str, str]]:
    visitor.wait(lambda: visitor.site.forms)
    return visitor.site.forms[0]


@FIELDS
@pytest.mark.parametrize(
    "change",
    [
        pytest.param("x.disabled = true", id="disabled"),
        pytest.param("x.remove()", id="removed"),
        pytest.param("x.replaceWith(x.cloneNode(true))", id="replaced"),
        pytest.param("x.closest('fieldset').disabled = true", id="fieldset disabled"),
        pytest.param("x.value = x.name = 'busy'", id="value and name changed"),
        pytest.param("x.formAction = '/elsewhere'; x.formMethod = 'get'; x.formNoValidate = false", id="form* changed"),
        pytest.param("x.type = 'button'", id="no longer a submit button"),
    ],
)
def test_the_button_submits_the_state_that_it_had_when_it_was_clicked(
    visitor: Visitor, files: Files, field: str, change: str
) -> None:
    visitor.open(f"<form method=get action=/wrong>{field}<input name=r required aria-label=R>{BUTTON}</form>")
    start_upload(visitor, files("a.txt"))
    visitor.js(f"const x = document.querySelector('#x'); x.click(); {change}; release()")
    assert submitted(visitor) == [("f", "a receipt of a.txt"), ("r", ""), ("go", "yes")]
    visitor.wait(lambda: visitor.browser.current_url.endswith("/x"))  # Firefox shows the page after it is received


def test_an_unchanged_button_is_the_submitter(visitor: Visitor, files: Files) -> None:
    visitor.open(
        f"<form method=post enctype=multipart/form-data>{INPUT}<input type=submit id=x name=go value=yes></form>"
    )
    start_upload(visitor, files("a.txt"))
    visitor.js(
        """const x = document.querySelector("#x");
        x.form.addEventListener("submit", (event) => { window.name = event.submitter === x ? "same" : "other" });
        x.click(); x.classList.add("waiting"); release()"""
    )
    assert submitted(visitor) == [("f", "a receipt of a.txt"), ("go", "yes")]
    visitor.wait(lambda: visitor.js("return document.title") == "Thank you")
    assert visitor.js("return window.name") == "same"


@FIELDS
@pytest.mark.parametrize("method", ["form", "button"])
@pytest.mark.parametrize("state", ["busy", "ready", "failed"])
def test_a_dialog_closes_at_once(visitor: Visitor, files: Files, field: str, method: str, state: str) -> None:
    if state == "ready":
        field = field.replace("name=f", 'name=f data-direct-upload="submit"').replace(
            " data-direct-upload aria", " aria"
        )
    if state == "failed":
        field = field.replace("name=f", "name=f max-size=1 data-max-size=1")
    attributes = (
        ("method=dialog", "formnovalidate") if method == "form" else ("method=post", "formmethod=DIALOG formnovalidate")
    )
    visitor.open(f"<dialog id=d><form {attributes[0]}>{field}<button id=x {attributes[1]}>X</button></form></dialog>")
    visitor.js("document.querySelector('#d').showModal()")
    visitor.inside("input[type=file]")
    visitor.js(HOLD)
    visitor.give(files("a.txt"))
    visitor.wait_for(state)
    visitor.js("document.querySelector('#x').click()")
    assert not visitor.js("return document.querySelector('#d').open")
    assert visitor.states() == [state]
    visitor.leave()


@FIELDS
@pytest.mark.parametrize("where", ["button", "form"])
def test_without_validation_a_failed_upload_does_not_block_the_form(
    visitor: Visitor, files: Files, field: str, where: str
) -> None:
    form, button = ("", "formnovalidate") if where == "button" else ("novalidate", "")
    field = field.replace("name=f", "name=f multiple max-size=10 data-max-size=10")
    visitor.open(
        f"<form method=post enctype=multipart/form-data {form}>{field}"
        f"<button {button} name=go value=draft>Draft</button></form>"
    )
    visitor.give(files("long.txt"), files("a.txt", 5))
    visitor.wait_for("failed", "done")
    assert visitor.send() == [("f", "a receipt of a.txt"), ("go", "draft")]


def test_a_file_that_failed_is_not_sent(visitor: Visitor, files: Files) -> None:
    visitor.open_form(INPUT.replace("name=f", "name=f data-max-size=10"))
    visitor.give(files("long.txt"))
    visitor.wait_for("failed")
    visitor.js("document.forms[0].noValidate = true")
    assert visitor.send() == [("f", "nothing"), ("go", "yes")]


@pytest.mark.parametrize("marker", ["data-direct-upload", 'data-direct-upload="submit"'])
@pytest.mark.parametrize("names", [["x.txt"], ["x.txt", "y.txt"]], ids=["one", "two"])
def test_files_that_a_script_has_set_are_uploaded_when_the_form_is_submitted(
    visitor: Visitor, marker: str, names: list[str]
) -> None:
    visitor.open_form(f"<input type=file name=f multiple {marker} aria-label=F>")
    visitor.js(SET_FILES, names)
    assert visitor.send() == [*(("f", f"a receipt of {name}") for name in names), ("go", "yes")]


@pytest.mark.parametrize("names", [["new.txt"], []], ids=["others", "none"])
def test_a_script_replaces_files_that_were_chosen(visitor: Visitor, files: Files, names: list[str]) -> None:
    visitor.open_form(INPUT)
    visitor.give(files("old.txt"))
    visitor.wait_for("done")
    visitor.js(SET_FILES, names)
    assert visitor.send() == [("f", f"a receipt of {names[0]}" if names else "nothing"), ("go", "yes")]


def test_files_that_a_script_has_set_are_checked(visitor: Visitor) -> None:
    visitor.open_form(INPUT.replace("name=f", "name=f accept=.pdf"))
    visitor.js(SET_FILES, ["x.txt"])
    visitor.one("[name=go]").click()
    visitor.wait_for("failed")
    assert visitor.site.forms == []


def test_receipts_take_the_places_of_the_files(visitor: Visitor, files: Files) -> None:
    visitor.open_form(
        "<input name=a value=1 aria-label=A><input type=file name=f multiple data-direct-upload aria-label=F>"
        "<input type=file name=f aria-label=G><input name=f value=2 aria-label=B>"
    )
    visitor.give(files("one.txt"), files("two.txt"))
    visitor.wait_for("done", "done")
    receipts = [("f", "a receipt of one.txt"), ("f", "a receipt of two.txt")]
    assert visitor.send() == [("a", "1"), *receipts, ("f", "nothing"), ("f", "2"), ("go", "yes")]


@FIELDS
@pytest.mark.parametrize("marker", ["", 'data-direct-upload="submit"'], ids=["busy", "ready"])
def test_form_submit_is_explained_once_in_the_console(visitor: Visitor, files: Files, field: str, marker: str) -> None:
    if marker:
        field = field.replace("name=f", f"name=f {marker}").replace(" data-direct-upload aria", " aria")
    visitor.open_form(field)
    visitor.js(ERRORS)
    visitor.inside("input[type=file]")
    visitor.js(HOLD)
    visitor.give(files("a.txt"))
    visitor.wait_for("ready" if marker else "busy")
    visitor.js("for (let times = 0; times < 2; times += 1) new FormData(document.forms[0])")
    [error] = visitor.js("return errors")
    assert "requestSubmit()" in error
    visitor.leave()


@FIELDS
def test_a_field_without_a_name_is_explained_once_in_the_console(visitor: Visitor, files: Files, field: str) -> None:
    visitor.open(FORM.format(field.replace("name=f", "multiple")))
    visitor.inside("input[type=file]")
    visitor.js(ERRORS)
    visitor.give(files("a.txt"))
    visitor.wait_for("done")
    visitor.give(files("b.txt"))
    [error] = visitor.js("return errors")
    assert "no name" in error
    assert visitor.send() == [("go", "yes")]
