"""Enhanced file inputs behave as HTML specifies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from script.site import Visitor

pytestmark = pytest.mark.browser

Files = Callable[..., Path]

#: ``leave()`` returns whether the browser would ask before leaving the page.
LEAVE = """window.leave = () => {
  const event = new Event("beforeunload", { cancelable: true });
  dispatchEvent(event);
  return event.defaultPrevented;
};"""


def choose(visitor: Visitor, selector: str, *files: Path) -> None:
    visitor.one(selector).send_keys("\n".join(map(str, files)))


def wait_for_rows(visitor: Visitor, *states: str) -> None:
    script = "return [...document.querySelectorAll('.direct-upload > li')].map((row) => row.dataset.state)"
    visitor.wait(lambda: visitor.js(script) == list(states))


def validation(visitor: Visitor, selector: str) -> str:
    return visitor.js("return document.querySelector(arguments[0]).validationMessage", selector)


def test_with_submit_an_upload_starts_when_the_form_is_submitted(visitor: Visitor, files: Files) -> None:
    visitor.open_form('<input type=file name=a data-direct-upload="submit" aria-label=A>')
    choose(visitor, "[name=a]", files("later.txt"))
    wait_for_rows(visitor, "ready")
    assert visitor.send() == [("a", "a receipt of later.txt"), ("go", "yes")]


def test_a_form_without_a_file_is_submitted_unchanged(visitor: Visitor) -> None:
    visitor.open_form('<input type=file name=a data-direct-upload="submit" aria-label=A>')
    assert visitor.send() == [("a", "nothing"), ("go", "yes")]


def test_a_required_input_blocks_the_form_while_empty(visitor: Visitor) -> None:
    visitor.open_form("<input type=file name=a data-direct-upload required aria-label=A>")
    visitor.one("[name=go]").click()
    assert visitor.js("return document.querySelector('[name=a]').validity.valueMissing")
    assert visitor.site.forms == []


def test_a_file_that_is_not_allowed_fails_before_anything_is_sent(visitor: Visitor, files: Files) -> None:
    visitor.open_form(
        '<input type=file name=a data-direct-upload multiple accept=".txt" data-max-size="1 kB" aria-label=A>'
    )
    choose(visitor, "[name=a]", files("good.txt"), files("long.txt", 1001), files("wrong.pdf"))
    wait_for_rows(visitor, "done", "failed", "failed")
    assert "long.txt" in validation(visitor, "[name=a]")
    visitor.one("[name=go]").click()
    assert visitor.site.forms == []
    for _ in range(2):
        visitor.press("[data-state=failed] .direct-upload-remove")
    assert validation(visitor, "[name=a]") == ""
    assert visitor.send() == [("a", "a receipt of good.txt"), ("go", "yes")]


def test_an_input_that_is_added_later_works(visitor: Visitor, files: Files) -> None:
    visitor.open_form("<p id=place></p><input type=file name=a data-direct-upload aria-label=A>")
    visitor.js("document.querySelector('#place').innerHTML = '<input type=file name=b data-direct-upload>'")
    choose(visitor, "[name=b]", files("added.txt"))
    wait_for_rows(visitor, "done")
    assert ("b", "a receipt of added.txt") in visitor.send()


def test_an_input_can_be_outside_its_form(visitor: Visitor, files: Files) -> None:
    visitor.open(
        "<form method=post id=f><button name=go value=yes>Send</button></form>"
        "<input type=file name=a form=f data-direct-upload aria-label=A>"
    )
    choose(visitor, "[name=a]", files("outside.txt"))
    wait_for_rows(visitor, "done")
    assert ("a", "a receipt of outside.txt") in visitor.send()


def test_a_reset_removes_all_files(visitor: Visitor, files: Files) -> None:
    visitor.open_form("<input type=file name=a data-direct-upload aria-label=A><button type=reset id=r>Reset</button>")
    choose(visitor, "[name=a]", files("regret.txt"))
    wait_for_rows(visitor, "done")
    visitor.one("#r").click()
    wait_for_rows(visitor)
    assert visitor.send() == [("a", "nothing"), ("go", "yes")]


def test_a_disabled_input_submits_nothing_and_does_not_block_the_form(visitor: Visitor, files: Files) -> None:
    visitor.open_form('<input type=file name=a data-direct-upload="submit" aria-label=A>')
    choose(visitor, "[name=a]", files("unwanted.txt"))
    wait_for_rows(visitor, "ready")
    visitor.js("document.querySelector('[name=a]').disabled = true")
    assert visitor.send() == [("go", "yes")]


def test_clicking_the_button_several_times_submits_once(visitor: Visitor, files: Files) -> None:
    visitor.open_form('<input type=file name=a data-direct-upload="submit" aria-label=A>')
    choose(visitor, "[name=a]", files("once.bin", 3_000_000))
    wait_for_rows(visitor, "ready")
    visitor.js("for (let press = 0; press < 3; press += 1) document.querySelector('[name=go]').click()")
    visitor.wait(lambda: visitor.browser.title == "Thank you")
    assert visitor.site.forms == [[("a", "a receipt of once.bin"), ("go", "yes")]]


def test_leaving_the_page_warns_only_while_an_upload_is_in_progress(visitor: Visitor, files: Files) -> None:
    visitor.open_form("<input type=file name=a data-direct-upload aria-label=A>")
    visitor.js(LEAVE + "addEventListener('direct-upload:start', () => { window.warned = leave(); });")
    visitor.note_events()
    choose(visitor, "[name=a]", files("slow.txt"))
    wait_for_rows(visitor, "done")
    assert visitor.js("return warned")
    assert not visitor.js("return leave()")
    assert visitor.noted() == ["all start", "start", "end", "all end"]


def test_two_hundred_files_are_uploaded_with_few_requests(visitor: Visitor, files: Files) -> None:
    visitor.open_form("<input type=file name=a data-direct-upload multiple aria-label=A>")
    visitor.js("performance.setResourceTimingBufferSize(5000)")
    names = [f"{number:03}.txt" for number in range(200)]
    choose(visitor, "[name=a]", *(files(name) for name in names))
    script = "return document.querySelectorAll('.direct-upload > li[data-state=done]').length"
    visitor.wait(lambda: visitor.js(script) == len(names), 240)
    calls = visitor.js(
        "return performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname)"
        ".filter((path) => /^._upload.(batch|uploads)/.test(path))"
    )
    assert len(calls) < 100  # about ten, but more on a busy machine; 400 without batches
    assert visitor.send() == [*(("a", f"a receipt of {name}") for name in names), ("go", "yes")]
