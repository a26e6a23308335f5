"""<direct-upload> with a mouse, with the keyboard only, and with a screen reader."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from script.site import POLICY, ROOT, Visitor, dictionary
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

pytestmark = pytest.mark.browser

Files = Callable[..., Path]
DOCUMENTATION = Path(__file__).parents[2] / "docs" / "javascript.rst"
ELEMENT = "<label for=e>Papers</label><direct-upload id=e name=papers {}></direct-upload>"
SEVERAL = ELEMENT.format("multiple")
ONE = ELEMENT.format("")
#: Count how often the browser's file dialog would open.
COUNT_OPENED = """window.opened = 0;
document.querySelector("direct-upload").shadowRoot.querySelector("input").addEventListener("click", (event) => {
  event.preventDefault();
  window.opened += 1;
});"""
REFUSE = """const { fetch } = window;
const answer = () => Response.json({ code: "refused", detail: "You have no room left." }, { status: 403 });
window.fetch = () => Promise.resolve(answer());
window.repair = () => { window.fetch = fetch; };"""
NOTE_ANNOUNCEMENTS = """window.heard = [];
const note = () => heard.push(arguments[0].textContent);
new MutationObserver(note).observe(arguments[0], { childList: true });"""
#: ``arrive()`` reports the progress of one of two segments, which never ends. ``late`` puts the clock forward.
HALF_WAY = """window.progressed = 0;
addEventListener("direct-upload:progress", () => { window.progressed += 1; });
XMLHttpRequest.prototype.send = function () {
  window.arrive ??= () => this.upload.dispatchEvent(new ProgressEvent("progress", { loaded: 2 ** 20 }));
};
const { now } = performance;
performance.now = () => now.call(performance) + (window.late ?? 0);"""
#: Record policy violations, except of the icon that browsers request by themselves.
NOTE_VIOLATIONS = """window.violations = [];
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
  if (!blockedURI.endsWith("/favicon.ico")) violations.push(violatedDirective);
});"""
ARABIC = {
    "promptSeveral": "اختر ملفات أو أفلتها هنا",
    "done": "تم الرفع، {total}",
    "notAccepted": "يُقبل فقط: {accept}.",
    "remove": "إزالة {name}",
}


def element(visitor: Visitor, expression: str) -> Any:
    return visitor.js(f"return document.querySelector('direct-upload').{expression}")


def texts(visitor: Visitor) -> list[str]:
    return [visitor.read(row) for row in visitor.all_inside("[data-state]")]


def test_a_form_submits_a_receipt_for_each_file(visitor: Visitor, files: Files) -> None:
    visitor.open_form(SEVERAL)
    visitor.give(files("one.txt"), files("two.bin", 2_500_000))
    visitor.wait_for("done", "done")
    assert element(visitor, "files.length") == 2
    assert element(visitor, "uploads.map(({ state, upload }) => [state, upload.filename])") == [
        ["done", "one.txt"],
        ["done", "two.bin"],
    ]
    assert element(visitor, "value") == element(visitor, "uploads[0].receipt")
    assert visitor.send() == [("papers", "a receipt of one.txt"), ("papers", "a receipt of two.bin"), ("go", "yes")]


def test_a_form_waits_for_its_uploads(visitor: Visitor, files: Files) -> None:
    visitor.open_form(SEVERAL)
    visitor.give(files("big.bin", 20_000_000))
    visitor.one("[name=go]").click()
    visitor.wait(lambda: visitor.site.forms)
    assert visitor.site.forms == [[("papers", "a receipt of big.bin"), ("go", "yes")]]


def test_with_submit_an_upload_starts_when_the_form_is_submitted(visitor: Visitor, files: Files) -> None:
    visitor.open_form(ELEMENT.format('data-direct-upload="submit"'))
    visitor.give(files("later.txt"))
    visitor.wait_for("ready")
    assert visitor.send() == [("papers", "a receipt of later.txt"), ("go", "yes")]


def test_without_multiple_another_file_replaces_the_first(visitor: Visitor, files: Files) -> None:
    visitor.open_form(ONE)
    for name in ("first.txt", "second.txt"):
        visitor.give(files(name))
        visitor.wait(
            lambda name=name: [name in text for text in texts(visitor)] == [True] and visitor.states() == ["done"]
        )
    assert visitor.send() == [("papers", "a receipt of second.txt"), ("go", "yes")]


def test_with_multiple_files_are_added_and_none_twice(visitor: Visitor, files: Files) -> None:
    visitor.open_form(SEVERAL)
    first, second = files("first.txt"), files("second.txt")
    visitor.give(first)
    visitor.wait_for("done")
    visitor.give(first, second)
    visitor.wait_for("done", "done")


def test_files_can_be_dropped(visitor: Visitor) -> None:
    visitor.open_form(SEVERAL)
    visitor.inside("button")
    visitor.drop("direct-upload", **{"dropped.txt": "a", "other.txt": "b"})
    visitor.wait_for("done", "done")
    assert ("papers", "a receipt of other.txt") in visitor.send()


def test_a_drop_beside_the_zone_does_not_replace_the_page(visitor: Visitor) -> None:
    visitor.open_form(SEVERAL)
    visitor.inside("button")
    visitor.js("addEventListener('drop', (event) => { window.prevented = event.defaultPrevented })")
    visitor.drop("h1", **{"missed.txt": "a"})
    assert visitor.js("return prevented")
    assert visitor.states() == []


def test_files_can_be_pasted(visitor: Visitor) -> None:
    visitor.open_form(SEVERAL + "<textarea aria-label=T></textarea>")
    visitor.inside("button")
    paste = """const clipboardData = new DataTransfer();
        clipboardData.items.add(new File(["a"], arguments[1]));
        const event = new ClipboardEvent("paste", { bubbles: true, cancelable: true, clipboardData });
        if (!event.clipboardData?.items.length) Object.defineProperty(event, "clipboardData", { value: clipboardData });
        document.querySelector(arguments[0]).dispatchEvent(event);"""
    visitor.js(paste, "textarea", "not-for-us.txt")
    visitor.js(paste, "body", "pasted.txt")
    visitor.wait_for("done")
    assert "pasted.txt" in texts(visitor)[0]


def test_a_required_element_blocks_the_form_while_empty(visitor: Visitor, files: Files) -> None:
    visitor.open_form(ELEMENT.format("required"))
    visitor.inside("button")
    visitor.one("[name=go]").click()
    assert visitor.site.forms == []
    assert element(visitor, "validity.valueMissing")
    assert element(visitor, "validationMessage") == "Choose a file to upload."
    visitor.give(files("here.txt"))
    assert visitor.send()[0] == ("papers", "a receipt of here.txt")


def test_a_file_that_is_not_allowed_makes_the_element_invalid(visitor: Visitor, files: Files) -> None:
    visitor.open_form(ELEMENT.format('multiple accept=".txt" max-size="1 kB"'))
    visitor.give(files("good.txt"), files("wrong.pdf"), files("long.txt", 2000))
    visitor.wait_for("done", "failed", "failed")
    assert "wrong.pdf" in element(visitor, "validationMessage")
    visitor.one("[name=go]").click()
    assert visitor.site.forms == []
    for _ in range(2):
        visitor.press("[data-state=failed] .direct-upload-remove")
    assert visitor.send() == [("papers", "a receipt of good.txt"), ("go", "yes")]


def test_a_reset_removes_all_files(visitor: Visitor, files: Files) -> None:
    visitor.open_form(SEVERAL + "<button type=reset id=r>Reset</button>")
    visitor.give(files("regret.txt"))
    visitor.wait_for("done")
    visitor.one("#r").click()
    visitor.wait_for()
    assert visitor.send() == [("go", "yes")]


def test_a_disabled_element_accepts_and_submits_nothing(visitor: Visitor, files: Files) -> None:
    visitor.open_form(f"<fieldset>{SEVERAL}</fieldset>")
    visitor.give(files("before.txt"))
    visitor.wait_for("done")
    visitor.js("document.querySelector('fieldset').disabled = true")
    assert visitor.inside("button").get_property("disabled")
    visitor.drop("direct-upload", **{"dropped.txt": "a"})
    assert visitor.states() == ["done"]
    assert visitor.send() == [("go", "yes")]


def test_an_element_that_is_added_later_works(visitor: Visitor, files: Files) -> None:
    visitor.open_form("<input type=file name=a data-direct-upload aria-label=A><p id=place></p>")
    visitor.js("document.querySelector('#place').innerHTML = '<direct-upload name=papers></direct-upload>'")
    visitor.give(files("added.txt"))
    visitor.wait_for("done")
    assert ("papers", "a receipt of added.txt") in visitor.send()


def test_its_fallback_content_submits_nothing(visitor: Visitor, files: Files) -> None:
    visitor.open_form("<direct-upload name=papers><input type=file name=papers aria-label=A></direct-upload>")
    visitor.give(files("one.txt"))
    visitor.wait_for("done")
    assert visitor.send() == [("papers", "a receipt of one.txt"), ("go", "yes")]


def test_an_upload_can_be_paused_and_resumed(visitor: Visitor, files: Files) -> None:
    visitor.open_form(SEVERAL)
    visitor.inside("button")
    # As soon as it begins: it would be over before one could press.
    visitor.js(
        """const element = document.querySelector("direct-upload");
        element.addEventListener("direct-upload:start", () => setTimeout(() =>
          element.shadowRoot.querySelector(".direct-upload-pause").click()), { once: true });"""
    )
    visitor.give(files("big.bin", 5_000_000))
    visitor.wait(lambda: "Paused" in visitor.read(visitor.inside("[data-paused]")))
    button = visitor.inside("[data-paused] .direct-upload-pause")
    assert button.get_attribute("aria-label") == "Resume upload of big.bin"
    button.click()
    visitor.wait_for("done")


def test_a_failed_upload_shows_its_reason_and_can_be_retried(visitor: Visitor, files: Files) -> None:
    visitor.open_form(SEVERAL)
    visitor.inside("button")
    visitor.note_events()
    visitor.js(REFUSE)
    visitor.give(files("one.txt"))
    visitor.wait_for("failed")
    assert "You have no room left." in texts(visitor)[0]
    visitor.js("repair()")
    visitor.press(".direct-upload-retry")
    visitor.wait_for("done")
    assert visitor.noted() == ["all start", "start", "error", "all end", "all start", "start", "end", "all end"]


def test_a_server_that_answers_with_an_error_is_not_a_lost_connection(visitor: Visitor, files: Files) -> None:
    visitor.open_form(SEVERAL)
    visitor.inside("button")
    visitor.js("window.fetch = async () => new Response('', { status: 503 })")
    visitor.give(files("one.txt"))
    visitor.wait(lambda: "The server isn't responding. Retrying…" in texts(visitor)[0])
    visitor.js("window.fetch = async () => { throw new TypeError('network') }")
    visitor.wait(lambda: "Connection lost. Retrying…" in texts(visitor)[0])
    visitor.leave()


def test_the_technical_details_unfold(visitor: Visitor, files: Files) -> None:
    visitor.site.policy = POLICY.replace("connect-src 'self'", "connect-src https://elsewhere.example")
    try:
        visitor.open_form(SEVERAL)
        visitor.give(files("one.txt"))
        visitor.wait_for("failed")
    finally:
        visitor.site.policy = POLICY
    assert "This page's security policy blocks uploads." in texts(visitor)[0]
    assert "network" not in texts(visitor)[0]
    visitor.press("summary")
    assert "network · csp" in texts(visitor)[0]


def test_an_unfinished_upload_is_listed_after_a_reload_and_resumes(visitor: Visitor, files: Files) -> None:
    visitor.open_form(SEVERAL, path="/album")
    visitor.inside("button")
    visitor.js(
        """let stored = 0;
        const { send } = XMLHttpRequest.prototype;
        XMLHttpRequest.prototype.send = function (body) { if ((stored += 1) <= 3) send.call(this, body); };"""
    )
    file = files("holiday.bin", 8_000_000)
    os.utime(file, (1_700_000_000, 1_700_000_000))  # a file that has just changed is another one a little later
    visitor.give(file)
    visitor.wait(lambda: visitor.js(f"return ({ROOT}.querySelector('progress')?.value ?? 0) > .3"))
    visitor.leave()
    visitor.open_form(SEVERAL, path="/album")
    unfinished = visitor.inside(".direct-upload-unfinished > li")
    visitor.wait(lambda: "holiday.bin" in visitor.read(unfinished))
    assert "Choose the file again to continue." in visitor.read(unfinished)

    visitor.give(file)
    visitor.wait_for("done")
    assert visitor.all_inside(".direct-upload-unfinished > li") == []
    assert visitor.send() == [("papers", "a receipt of holiday.bin"), ("go", "yes")]
    visitor.open_form(SEVERAL, path="/album")
    visitor.give(files("another.txt"))
    visitor.wait_for("done")
    assert visitor.all_inside(".direct-upload-unfinished > li") == []


def test_the_keyboard_alone_operates_it(visitor: Visitor, files: Files) -> None:
    visitor.open_form(SEVERAL)
    visitor.inside("button")
    visitor.js(COUNT_OPENED)
    focused = "return document.activeElement.shadowRoot?.activeElement?.className ?? document.activeElement.name"
    keys = ActionChains(visitor.browser)
    keys.send_keys(Keys.TAB).perform()
    assert visitor.js(focused) == "direct-upload-zone"
    keys.send_keys(Keys.ENTER).send_keys(Keys.SPACE).perform()
    assert visitor.js("return opened") == 2
    visitor.give(files("one.txt"))
    visitor.wait_for("done")
    keys.send_keys(Keys.TAB).perform()
    assert visitor.js(focused) == "direct-upload-remove"
    keys.send_keys(Keys.ENTER).perform()
    visitor.wait_for()
    assert visitor.js(focused) == "direct-upload-zone", "the focus does not disappear with the row"
    keys.send_keys(Keys.TAB).perform()
    assert visitor.js(focused) == "go"


def test_a_click_on_its_label_opens_the_file_dialog(visitor: Visitor) -> None:
    visitor.open_form(SEVERAL)
    visitor.inside("button")
    visitor.js(COUNT_OPENED)
    visitor.one("label").click()
    assert visitor.js("return opened") == 1


def test_screen_readers_announce_the_start_and_the_end(visitor: Visitor, files: Files) -> None:
    visitor.open_form(ELEMENT.format('multiple accept=".txt"'))
    live_region = visitor.inside("[role=status]")
    visitor.js(NOTE_ANNOUNCEMENTS, live_region)
    visitor.give(files("one.txt"))
    visitor.wait_for("done")
    visitor.give(files("wrong.pdf"))
    visitor.wait_for("done", "failed")
    assert visitor.js("return heard") == [
        "Uploading one.txt",
        "one.txt uploaded",
        "wrong.pdf couldn't be uploaded. This file type isn't accepted. Allowed: TXT.",
    ]


def test_screen_readers_announce_the_progress_of_a_long_upload(visitor: Visitor, files: Files) -> None:
    visitor.open_form(SEVERAL)
    live_region = visitor.inside("[role=status]")
    visitor.js(NOTE_ANNOUNCEMENTS + HALF_WAY, live_region)
    visitor.give(files("long.bin", 2 << 20))
    visitor.wait(lambda: visitor.js("return !!window.arrive"))
    visitor.js("window.late = 20_000")
    visitor.wait(lambda: visitor.js("arrive(); return progressed >= 3"))
    assert visitor.js("return heard") == ["Uploading long.bin", "long.bin: 50% uploaded"]
    visitor.leave()


def test_it_is_translated_to_arabic_from_right_to_left(visitor: Visitor, files: Files) -> None:
    visitor.open_form(dictionary(ARABIC) + ELEMENT.format('multiple accept=".txt"'), lang="ar", dir="rtl", path="/ar")
    assert ARABIC["promptSeveral"] in visitor.read(visitor.inside("button"))
    visitor.give(files("one.txt"), files("wrong.pdf"))
    visitor.wait_for("done", "failed")
    done, failed = texts(visitor)
    assert "تم الرفع" in done
    assert "يُقبل فقط: TXT." in failed
    remove = visitor.inside(".direct-upload-remove")
    assert remove.get_attribute("aria-label") == "إزالة one.txt"
    assert remove.rect["x"] < visitor.inside(".direct-upload-name").rect["x"]


def test_all_controls_are_large_enough_for_a_finger(visitor: Visitor, files: Files) -> None:
    visitor.open_form(SEVERAL)
    visitor.give(files("one.txt"))
    visitor.wait_for("done")
    visitor.js('window.fetch = async () => Response.json({ code: "refused" }, { status: 403 })')
    visitor.give(files("other.txt"))
    visitor.wait_for("done", "failed")
    sizes = [button.size for button in visitor.all_inside("button, summary") if button.is_displayed()]
    assert len(sizes) == 5
    assert all(size["width"] >= 44 and size["height"] >= 44 for size in sizes), sizes


def test_it_works_under_the_strictest_policy(visitor: Visitor, files: Files) -> None:
    visitor.open_form(SEVERAL)
    visitor.js(NOTE_VIOLATIONS)
    picture = files("picture.svg")
    picture.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    visitor.give(files("one.txt"), picture)
    visitor.wait_for("done", "done")
    assert visitor.js("return violations") == []


def test_few_requests_load_the_script(visitor: Visitor, files: Files) -> None:
    visitor.open_form(SEVERAL)
    visitor.give(files("one.txt"))
    visitor.wait_for("done")
    loaded: list[str] = visitor.js("return performance.getEntriesByType('resource').map(({ name }) => name)")
    names = sorted(url.rpartition("/")[2] for url in loaded if "/static/" in url)
    # What hashes comes later; and not every browser tells the page of its worker.
    names = [name for name in names if name not in ("hash-worker.js", "read-md5.js")]
    assert names == ["direct-upload.js", "form.js", "records.js", "upload.js"]


def test_it_has_every_part_that_the_documentation_names(visitor: Visitor, files: Files) -> None:
    told = re.search(r"^Parts: ``([\w\s]+)``", DOCUMENTATION.read_text("utf-8"), re.MULTILINE)
    assert told
    visitor.open_form(SEVERAL)
    visitor.give(files("one.txt"))
    visitor.wait_for("done")
    there = visitor.js(f"return [...{ROOT}.querySelectorAll('[part]')].flatMap((each) => [...each.part])")
    assert set(there) == set(told[1].split()) - {"dragging", "again"}
    visitor.js(
        """const sheet = new CSSStyleSheet();
        sheet.replaceSync("direct-upload::part(zone) { min-block-size: 321px }");
        document.adoptedStyleSheets.push(sheet);"""
    )
    visitor.wait(lambda: visitor.inside("button").size["height"] >= 321)


def test_a_database_that_never_answers_does_not_block_uploads(visitor: Visitor, files: Files) -> None:
    visitor.open_form(SEVERAL)
    visitor.inside("button")
    visitor.js(
        """IDBFactory.prototype.open = () => new EventTarget();
        const store = new Proxy({}, { get: (_, verb) => () => verb === "index" ? store : undefined });
        IDBDatabase.prototype.transaction = () => ({ objectStore: () => store });"""
    )
    visitor.give(files("one.txt"), files("two.txt"))
    visitor.wait_for("done", "done")
