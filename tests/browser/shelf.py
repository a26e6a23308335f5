"""The demo application as its users see it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

TIMEOUT = 30

#: Record every value of the progress bars.
WATCH_PROGRESS = """
window.progressSeen = [];
new MutationObserver((changes) => {
  for (const { target } of changes) if (target.matches("progress")) progressSeen.push(target.value);
}).observe(document.querySelector("direct-upload").shadowRoot, {
  attributes: true, attributeFilter: ["value"], subtree: true,
});
"""

#: Request an address of the application as its page does.
ASK = """
const [url, done] = arguments;
fetch(url, { redirect: "manual" }).then(async (answer) => done({
  status: answer.status, redirects: answer.type === "opaqueredirect", text: await answer.text(),
}), (error) => done(String(error)));
"""


class Shelf:
    """One user's browser at the application."""

    def __init__(self, browser: Chrome, address: str) -> None:
        self.browser = browser
        self.address = address

    def log_in(self, user: str, password: str) -> None:
        self.browser.get(f"{self.address}/")
        self.one("[name=username]").send_keys(user)
        self.one("[name=password]").send_keys(password)
        self.press("Log in")
        self.wait(lambda: self.all("direct-upload:defined"))

    def log_out(self) -> None:
        self.press("Log out")
        self.wait(lambda: self.all("[name=password]"))

    def choose(self, *files: Path) -> None:
        [chooser] = self.inside("input[type=file]")
        chooser.send_keys("\n".join(map(str, files)))

    def inside(self, selector: str) -> list[WebElement]:
        """Return elements in the upload element."""
        return self.one("direct-upload").shadow_root.find_elements(By.CSS_SELECTOR, selector)

    def rows(self, state: str) -> list[WebElement]:
        """Return the rows of files in this state: ``busy``, ``done`` or ``failed``."""
        return self.inside(f"[data-state={state}]")

    def wait_until_uploaded(self, count: int = 1) -> None:
        self.wait(lambda: len(self.rows("done")) == count)

    def submit(self, title: str = "") -> None:
        """Submit the form, which waits for its uploads."""
        self.one("[name=title]").send_keys(title)
        self.press("Put on the shelf")

    def is_uploading(self) -> bool:
        return bool(self.rows("busy"))

    def receipts(self) -> list[str]:
        """Return the receipts that the form submits."""
        script = "return new FormData(document.querySelector('direct-upload').closest('form')).getAll('file')"
        return list(self.browser.execute_script(script))

    def item(self, filename: str) -> WebElement:
        """Wait for the row of a file in the list."""
        return self.wait(lambda: [row for row in self.all(".items li") if filename in row.text])[0]

    def link(self, filename: str) -> str:
        """Return the path of a file in the application."""
        return urlsplit(self.item(filename).find_element(By.CSS_SELECTOR, ".title").get_property("href")).path

    def filenames(self) -> list[str]:
        return [link.text for link in self.all(".items .title")]

    def delete(self, filename: str) -> None:
        self.item(filename).find_element(By.CSS_SELECTOR, "button").click()
        self.wait(lambda: filename not in self.filenames())

    def remove(self, filename: str) -> None:
        """Press the cross of a file in the form."""
        [row] = [row for row in self.rows("done") if filename in row.text]
        self.browser.execute_script("arguments[0].click()", row.find_element(By.CLASS_NAME, "direct-upload-remove"))

    def message(self) -> str:
        """Wait for the message about the last form."""
        return self.wait(lambda: self.all("[role=status]"))[0].text

    def download(self, filename: str, downloads: Path) -> Path:
        """Download a file; return its path when it is complete."""
        saved = downloads / filename
        self.item(filename).find_element(By.CSS_SELECTOR, ".title").click()
        self.wait(lambda: saved.exists() and not list(downloads.glob("*.crdownload")))
        return saved

    def ask(self, path: str) -> Any:
        """Return the status and the text of a response, and whether it is a redirect."""
        return self.browser.execute_async_script(ASK, self.address + path)

    def ask_storage(self, receipt: str) -> int:
        """Return the status of the download that a receipt leads to."""
        cookies = {cookie["name"]: cookie["value"] for cookie in self.browser.get_cookies()}
        return requests.get(f"{self.address}/_upload/files/{receipt}", cookies=cookies, timeout=TIMEOUT).status_code

    def watch_progress(self) -> None:
        self.browser.execute_script(WATCH_PROGRESS)

    def progress_seen(self) -> list[float]:
        return self.browser.execute_script("return progressSeen")

    def press(self, label: str) -> None:
        self.browser.find_element(By.XPATH, f"//button[normalize-space()='{label}']").click()

    def one(self, selector: str) -> WebElement:
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[WebElement]:
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def wait(self, condition: Callable[[], Any], timeout: float = TIMEOUT) -> Any:
        """Wait for a condition and return its value; stale elements count as false."""
        waiting = WebDriverWait(
            self.browser, timeout, poll_frequency=0.1, ignored_exceptions=[StaleElementReferenceException]
        )
        return waiting.until(lambda _: condition())
