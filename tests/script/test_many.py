"""Fields with many files or with limits: one line about the whole, notices that stay, a focus that is never lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from script.site import ROOT, Visitor
from script.test_accessibility import violations
from script.test_element import NOTE_ANNOUNCEMENTS
from script.test_submission import HOLD
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

pytestmark = pytest.mark.browser

Files = Callable[..., Path]
ELEMENT = "<label for=e>Papers</label><direct-upload id=e name=f multiple {}></direct-upload>"
INPUT = "<label for=e>Papers</label><input type=file id=e name=f multiple data-direct-upload {}>"
FIELDS = pytest.mark.parametrize("field", [ELEMENT, INPUT], ids=["element", "input"])
SUMMARY = ".direct-upload-summary"
#: Add files as a script does; an input gets them as if the user had chosen them.
ADD = """const [count, size] = arguments;
const field = document.querySelector("direct-upload");
const make = (_, index) => new File(["x".repeat(size)], `${index}.txt`, { lastModified: 1 });
field.add(Array.from({ length: count }, make));"""
FOCUSED = f"return ({ROOT}.activeElement ?? document.activeElement)"


def many(tmp_path: Path, count: int, size: int = 20) -> list[Path]:
    made = [tmp_path / f"{index}.txt" for index in range(count)]
    for index, path in enumerate(made):
        path.write_text(f"{index}".rjust(size))
    return made


def summary(visitor: Visitor) -> str:
    return visitor.read(visitor.inside(f"{SUMMARY} .direct-upload-whole"))


def focused(visitor: Visitor, detail: str = "className") -> Any:
    return visitor.js(f"{FOCUSED}.{detail}")


def notices(visitor: Visitor) -> list[str]:
    return [visitor.read(each) for each in visitor.all_inside(".direct-upload-notice")]


@FIELDS
def test_one_line_tells_of_the_whole(visitor: Visitor, tmp_path: Path, field: str) -> None:
    visitor.open_form(field.format(""))
    visitor.inside("input[type=file]")
    visitor.js(HOLD)
    visitor.give(*many(tmp_path, 6))
    visitor.wait(lambda: summary(visitor) == "0 of 6 · 0 of 120 bytes")
    assert "Waiting" in visitor.read(visitor.inside("[data-state=busy] .direct-upload-state"))
    assert violations(visitor) == []
    visitor.js("release()")
    visitor.wait(lambda: summary(visitor) == "6 uploaded")
    assert violations(visitor) == []
    assert len(visitor.send()) == 7


@FIELDS
def test_all_uploads_are_paused_resumed_and_cancelled_at_once(visitor: Visitor, tmp_path: Path, field: str) -> None:
    visitor.open_form(field.format(""))
    visitor.inside("input[type=file]")
    visitor.js(HOLD)
    visitor.give(*many(tmp_path, 5))

    def press(text: str) -> None:
        find = f"[...{ROOT}.querySelectorAll('{SUMMARY} button')].find((b) => !b.hidden && b.textContent === '{text}')"
        visitor.wait(lambda: visitor.js(f"return {find}"))
        visitor.js(f"const button = {find}; button.focus(); button.click()")

    press("Pause all")
    visitor.wait(lambda: "Paused" in summary(visitor))
    visitor.wait(lambda: focused(visitor, "textContent") == "Resume all")
    visitor.one("[name=go]").click()
    visitor.wait(lambda: notices(visitor) == ["Uploads are paused. Resume them to submit the form."])
    press("Resume all")
    visitor.wait(
        lambda: notices(visitor) == ["Waiting for uploads to finish. The form will then be submitted automatically."]
    )
    press("Cancel all")
    visitor.wait(lambda: visitor.states() == [] and notices(visitor) == [])
    visitor.wait(lambda: not visitor.inside(SUMMARY).is_displayed())
    visitor.wait(lambda: "zone" in focused(visitor) or focused(visitor, "localName") == "input")
    visitor.js("release()")
    assert visitor.site.forms == []


def test_failed_uploads_are_retried_at_once(visitor: Visitor) -> None:
    visitor.open_form(ELEMENT.format(""))
    visitor.inside("button")
    visitor.js(
        """const { fetch } = window;
        window.fetch = async () => Response.json({ code: "refused", detail: "Full." }, { status: 403 });
        window.repair = () => { window.fetch = fetch; };"""
    )
    visitor.js(ADD, 5, 10)
    visitor.wait(lambda: summary(visitor) == "5 failed")
    visitor.js("repair()")
    visitor.press(f"{SUMMARY} .direct-upload-retryAll")
    visitor.wait(lambda: summary(visitor) == "5 uploaded")


def test_screen_readers_hear_the_whole_only(visitor: Visitor) -> None:
    visitor.open_form(ELEMENT.format(""))
    visitor.js(NOTE_ANNOUNCEMENTS, visitor.inside("[role=status]"))
    visitor.js(ADD, 8, 10)
    visitor.wait(lambda: summary(visitor) == "8 uploaded")
    assert visitor.js("return heard") == ["Uploading 8 files", "8 uploaded"]


def test_a_long_list_is_bounded_and_cheap(visitor: Visitor) -> None:
    visitor.open_form(ELEMENT.format('data-direct-upload="submit"'))
    visitor.inside("button")
    visitor.js(ADD, 2000, 1)
    visitor.wait(lambda: visitor.inside(".direct-upload-many"))
    visitor.wait(lambda: visitor.js(f"return {ROOT}.querySelectorAll('*').length") < 4500)
    assert len(visitor.states()) == 2000
    rows = visitor.inside(".direct-upload-rows")
    assert rows.size["height"] < 500
    visitor.js("arguments[0].scrollTop = arguments[0].scrollHeight", rows)
    visitor.wait(lambda: "1999.txt" in visitor.read(visitor.all_inside("li:last-child")[0]))


def test_the_list_is_one_tab_stop_with_arrow_keys(visitor: Visitor) -> None:
    visitor.open_form(ELEMENT.format(""))
    visitor.inside("button")
    visitor.js(ADD, 300, 1)
    visitor.wait(lambda: summary(visitor) == "300 uploaded", timeout=60)
    keys = ActionChains(visitor.browser)
    visitor.js(f"{ROOT}.querySelector('button').focus()")

    def at() -> Any:
        return focused(visitor, "ariaLabel")

    for key, expected in (
        (Keys.TAB, "Remove 0.txt"),
        (Keys.ARROW_DOWN, "Remove 1.txt"),
        (Keys.END, "Remove 299.txt"),
        (Keys.ARROW_UP, "Remove 298.txt"),
        (Keys.HOME, "Remove 0.txt"),
    ):
        keys.send_keys(key).perform()
        visitor.wait(lambda expected=expected: at() == expected)
    keys.send_keys(Keys.TAB).perform()
    visitor.wait(lambda: visitor.js("return document.activeElement.name") == "go")


def test_rows_are_moved_by_keyboard_and_by_pointer(visitor: Visitor, files: Files) -> None:
    visitor.open_form(ELEMENT.format(""))
    visitor.give(files("a.txt"), files("b.txt"), files("c.txt"))
    visitor.wait_for("done", "done", "done")
    visitor.js(f"{ROOT}.querySelector('li .direct-upload-remove').focus()")
    ActionChains(visitor.browser).key_down(Keys.ALT).send_keys(Keys.ARROW_DOWN).key_up(Keys.ALT).perform()
    visitor.wait(lambda: "a.txt, position 2 of 3" in visitor.read(visitor.inside("[role=status]")))
    assert focused(visitor, "ariaLabel") == "Remove a.txt"
    handles = visitor.all_inside(".direct-upload-preview")
    drag = ActionChains(visitor.browser).click_and_hold(handles[2]).pause(0.5)
    drag.move_to_element(handles[1]).move_to_element(handles[0]).move_by_offset(0, -20).release().perform()
    visitor.wait(lambda: "c.txt, position 1 of 3" in visitor.read(visitor.inside("[role=status]")))
    assert [value for _, value in visitor.send()] == [
        "a receipt of c.txt",
        "a receipt of b.txt",
        "a receipt of a.txt",
        "yes",
    ]


@FIELDS
def test_files_beyond_a_limit_are_told_and_not_added(visitor: Visitor, tmp_path: Path, field: str) -> None:
    prefix = "data-" if "<input" in field else ""
    visitor.open_form(field.format(f"{prefix}max-files=2 {prefix}min-files=2"))
    visitor.give(*many(tmp_path, 4))
    visitor.wait_for("done", "done")
    assert notices(visitor) == ["You can add up to 2 files. Not added: 2.txt, 3.txt"]
    visitor.press(".direct-upload-remove")
    visitor.wait_for("done")
    validity = "return document.querySelector('[name=f]').validationMessage"
    assert visitor.js(validity) == "Choose at least 2 files."


def test_a_second_file_on_a_single_field_is_told(visitor: Visitor) -> None:
    visitor.open_form("<direct-upload name=f></direct-upload>")
    visitor.inside("button")
    visitor.js(ADD, 2, 5)
    visitor.wait_for("done")
    assert notices(visitor) == ["You can add only 1 file. Not added: 1.txt"]


def test_a_wrong_type_beside_a_good_one_is_announced(visitor: Visitor, files: Files) -> None:
    visitor.open_form(ELEMENT.format('accept=".txt"'))
    visitor.js(NOTE_ANNOUNCEMENTS, visitor.inside("[role=status]"))
    visitor.give(files("good.txt"), files("wrong.pdf"))
    visitor.wait_for("done", "failed")
    heard = visitor.js("return heard")
    assert any("wrong.pdf couldn't be uploaded." in text and "Uploading good.txt" in text for text in heard), heard


@FIELDS
def test_the_focus_goes_to_the_next_row(visitor: Visitor, files: Files, field: str) -> None:
    visitor.open_form(field.format(""))
    visitor.give(files("a.txt"), files("b.txt"), files("c.txt"))
    visitor.wait_for("done", "done", "done")
    for name in ("b.txt", "c.txt"):
        visitor.press(".direct-upload-remove")
        visitor.wait(lambda name=name: focused(visitor, "ariaLabel") == f"Remove {name}")
    assert visitor.read(visitor.inside("[role=status]")) == "b.txt removed"


def test_the_focus_stays_in_a_row_whose_button_has_gone(visitor: Visitor, files: Files) -> None:
    visitor.open_form(ELEMENT.format(""))
    visitor.inside("button")
    visitor.js(
        """const { fetch } = window;
        window.fetch = async () => Response.json({ code: "refused" }, { status: 403 });
        window.repair = () => { window.fetch = fetch; };"""
    )
    visitor.give(files("a.txt"))
    visitor.wait_for("failed")
    visitor.js("repair()")
    visitor.js(HOLD)
    visitor.js(f"const retry = {ROOT}.querySelector('.direct-upload-retry'); retry.focus(); retry.click()")
    assert "pause" in focused(visitor)
    visitor.js("release()")
    visitor.wait_for("done")
    assert "remove" in focused(visitor)
