"""A website with Uppy's Dashboard, and a user."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from helpers.browsers.engines import TIMEOUT
from helpers.browsers.website import Website
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from direct_upload_middleware import Upload

PAGE = b"""<!doctype html>
<html lang="en">
<title>Application</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/page.css">
<form method="post"><div id="files"></div><p><button name="go">Send</button></p></form>
<script type="module" src="/page.js"></script>
</html>
"""
TYPES = {".css": "text/css", ".js": "text/javascript"}


class UppySite(Website):
    """``files`` are the page's files by path; ``received`` are the uploads of the last form."""

    def __init__(self, *args: Any, files: dict[str, bytes], **options: Any) -> None:
        self.files = files
        self.received: list[Upload] | None = None
        super().__init__(*args, **options)

    def page(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if environ["REQUEST_METHOD"] == "POST":
            form = parse_qs(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode())
            self.received = [environ["direct_upload.uploads"].verify(receipt) for receipt in receipts(form)]
        type = TYPES.get(Path(path).suffix, "text/html")
        start_response("200 OK", [("Content-Type", f"{type}; charset=utf-8")])
        return [self.files.get(path, PAGE)]


def receipts(form: dict[str, list[str]]) -> list[str]:
    """Return the receipts in a form: our plugin's fields, or the keys in the field of Uppy's Form plugin."""
    results = json.loads(form.get("uppyResult", ["[]"])[0])
    keys = [file["response"]["body"]["key"] for result in results for file in result["successful"]]
    return keys + form.get("document", [])


class Applicant:
    """A user of the page, with our plugin or Uppy's own."""

    def __init__(self, driver: Any, site: UppySite, way: str) -> None:
        self.driver = driver
        self.site = site
        self.way = way

    def visit(self) -> None:
        self.driver.get(self.site.url(f"/?way={self.way}"))
        self.wait(lambda: self.js("return !!window.uppy"))

    def js(self, script: str) -> Any:
        return self.driver.execute_script(script)

    def wait(self, condition: Callable[[], Any]) -> Any:
        return WebDriverWait(self.driver, TIMEOUT, poll_frequency=0.05).until(lambda _: condition())

    def press(self, selector: str) -> None:
        """Click a button as soon as it exists."""
        script = f"const found = document.querySelector({json.dumps(selector)}); found?.click(); return !!found"
        self.wait(lambda: self.js(script))

    def add(self, *files: Path) -> None:
        """Choose files. Golden Retriever forgets what is chosen while it restores: then they are chosen again."""
        [chooser, *_] = self.wait(lambda: self.driver.find_elements(By.CSS_SELECTOR, ".uppy-Dashboard-input"))
        assert any(self._choose(chooser, files) for _ in range(3)), "Uppy takes no files"

    def _choose(self, chooser: WebElement, files: tuple[Path, ...]) -> bool:
        chooser.send_keys("\n".join(map(str, files)))
        wait = WebDriverWait(self.driver, TIMEOUT / 2, poll_frequency=0.05)
        with suppress(TimeoutException):
            return wait.until(lambda _: len(self.files()) == len(files))
        return False

    def upload(self) -> None:
        self.press(".uppy-StatusBar-actionBtn--upload")

    def files(self) -> list[dict[str, Any]]:
        """Return Uppy's current files."""
        members = "id, name, meta, error, isPaused, progress, response, uploadURL, s3Multipart"
        script = f"return uppy.getFiles().map(({{ {members} }}) => ({{ {members} }}))"
        found: list[dict[str, Any]] = self.js(script)
        return found

    def loaded(self) -> int:
        """Return how many bytes Uppy has uploaded, of all files."""
        return sum(file["progress"].get("bytesUploaded") or 0 for file in self.files())

    def finish(self) -> list[Upload]:
        """Wait for all uploads and submit the form; return the uploads that the application received."""
        self.wait(self._has_ended)
        errors = [file["error"] for file in self.files() if file.get("error")]
        assert errors == []
        self.press("[name=go]")
        self.wait(lambda: self.site.received is not None)
        received, self.site.received = self.site.received, None
        return received or []

    def _has_ended(self) -> bool:
        files = self.files()
        return bool(files) and all(file["progress"].get("uploadComplete") or file.get("error") for file in files)

    def shown(self) -> str:
        """Return the text of the Dashboard."""
        text: str = self.driver.find_element(By.ID, "files").text
        return text
