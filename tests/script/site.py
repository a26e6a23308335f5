"""A small site for real browsers, with pages that contain upload fields."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait
from waitress.server import create_server
from webob import Request, Response

from direct_upload_middleware import DirectUploadMiddleware, Refused, Upload

TIMEOUT = 20
#: The strictest policy. The script needs no inline code, no data: and no blob:.
POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'; worker-src 'self'; style-src 'self'"
#: The document or shadow root that contains the rows.
ROOT = "(document.querySelector('direct-upload') ?? { shadowRoot: document }).shadowRoot"
AT_REST = f"return {ROOT}.getAnimations().every((animation) => animation.playState !== 'running')"
#: Put the form's button above its fields, so that rows do not move it while it is clicked.
BUTTON_ABOVE = """const sheet = new CSSStyleSheet();
sheet.replaceSync("form { display: flex; flex-direction: column-reverse; align-items: start }");
document.adoptedStyleSheets.push(sheet);"""
#: ``release()`` lets the requests to storage go on.
HOLD = """const { send } = XMLHttpRequest.prototype, held = [];
XMLHttpRequest.prototype.send = function (...request) { held.push(() => send.apply(this, request)); };
window.release = () => { XMLHttpRequest.prototype.send = send; held.splice(0).forEach((each) => each()); };"""
PAGE = '<!doctype html><html lang="{lang}" dir="{dir}"><title>Uploads</title><main><h1>Uploads</h1>{body}</main></html>'
FORM = '<form method="post" enctype="multipart/form-data">{}<button name="go" value="yes">Send</button></form>'
_places = count(1)


class FormRequest(Request):
    """A request that is read into memory: WebOb does not close its temporary files."""

    request_body_tempfile_limit = 1 << 30


class Site:
    """Serves the page of a test, and records the forms that are submitted."""

    def __init__(self, directory: Path, *, segment_size: int = 1 << 20, **options: Any) -> None:
        self.page = ""
        self.policy = POLICY
        self.forms: list[list[tuple[str, str]]] = []
        self.removed: list[str] = []
        self.keeps = False
        defaults = {"storage": f"local:{directory}", "anonymous": True, "segment_size": segment_size}
        app = DirectUploadMiddleware(self._answer, **{**defaults, "on_remove": self._remove, **options})
        self._server = create_server(app, host="127.0.0.1", port=0, threads=8)
        Thread(target=self._serve, daemon=True).start()
        self.address = f"http://127.0.0.1:{self._server.effective_port}"

    def _answer(self, environ: Any, start_response: Any) -> Any:
        request = FormRequest(environ)
        if request.method == "POST":
            self.forms.append([(name, self._describe(environ, value)) for name, value in request.POST.items()])
            return Response("<!doctype html><title>Thank you</title>")(environ, start_response)
        if request.path == "/favicon.ico":
            return Response(status=204)(environ, start_response)
        response = Response(self.page, content_type="text/html", charset="utf-8")
        response.headers["Content-Security-Policy"] = self.policy
        return response(environ, start_response)

    def _remove(self, environ: Any, upload: Upload) -> None:
        self.removed.append(upload.filename)
        if self.keeps:
            raise Refused("It is kept.")

    def _describe(self, environ: Any, value: Any) -> str:
        """Describe the value of a form field: a receipt by the name of its file."""
        if not isinstance(value, str):
            return "nothing" if value == b"" else f"the file {value.filename}"
        if value.startswith("."):
            return f"a receipt of {environ['direct_upload.uploads'].verify(value).filename}"
        return value

    def _serve(self) -> None:
        with suppress(OSError):  # another thread closes its socket
            self._server.run()

    def close(self) -> None:
        self._server.close()


@dataclass
class Visitor:
    """A user on a page of the site."""

    browser: WebDriver
    site: Site

    def open(self, body: str, *, lang: str = "en", dir: str = "ltr", path: str = "") -> None:
        """Open a page with this body, at a new path unless one is given."""
        self.site.page = PAGE.format(body=body, lang=lang, dir=dir)
        self.site.forms.clear()
        self.site.removed.clear()
        self.browser.get(self.site.address + (path or f"/{next(_places)}"))
        self.js(BUTTON_ABOVE)

    def leave(self) -> None:
        """Leave the page without its warning."""
        self.js("addEventListener('beforeunload', (event) => event.stopImmediatePropagation(), true)")
        self.browser.get("about:blank")

    def open_form(self, fields: str, **page: str) -> None:
        self.open(FORM.format(fields), **page)

    def js(self, script: str, *arguments: Any) -> Any:
        return self.browser.execute_script(script, *arguments)

    def one(self, selector: str) -> WebElement:
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def inside(self, selector: str) -> WebElement:
        """Wait for an element in the upload element's shadow root, or in a page without such a root."""
        return self.wait(lambda: self.js(f"return {ROOT}?.querySelector(arguments[0])", selector))

    def all_inside(self, selector: str) -> list[WebElement]:
        return self.js(f"return [...{ROOT}?.querySelectorAll(arguments[0]) ?? []]", selector)

    def read(self, element: WebElement) -> str:
        """Return the visible text. (WebKit's driver skips text that is cut off or in a slot.)"""
        return str(self.js("return arguments[0].innerText", element))

    def give(self, *files: Path) -> None:
        """Choose files in the upload element or the file input."""
        self.inside("input[type=file]").send_keys("\n".join(map(str, files)))

    def states(self) -> list[str]:
        return [row.get_attribute("data-state") or "" for row in self.all_inside("[data-state]")]

    def wait_for(self, *states: str) -> None:
        self.wait(lambda: self.states() == list(states))

    def press(self, selector: str) -> None:
        """Click a button when no animation moves it: a driver determines the position before it clicks."""
        found = self.inside(selector)
        self.wait(lambda: self.js(AT_REST))
        found.click()

    def send(self) -> list[tuple[str, str]]:
        """Submit the form with its button; return what the application received."""
        self.one("[name=go]").click()
        self.wait(lambda: self.site.forms)
        return self.site.forms[0]

    def wait(self, condition: Callable[[], Any], timeout: float = TIMEOUT) -> Any:
        waiting = WebDriverWait(
            self.browser, timeout, poll_frequency=0.05, ignored_exceptions=[StaleElementReferenceException]
        )
        return waiting.until(lambda _: condition())

    def drop(self, selector: str, **contents: str) -> None:
        """Drop files as if they came from another window."""
        self.js(
            """const [selector, contents] = arguments;
            const dataTransfer = new DataTransfer();
            for (const [name, text] of Object.entries(contents)) dataTransfer.items.add(new File([text], name));
            const target = document.querySelector(selector);
            const about = { bubbles: true, cancelable: true, composed: true, dataTransfer };
            for (const type of ["dragenter", "dragover", "drop"]) target.dispatchEvent(new DragEvent(type, about));
            """,
            selector,
            contents,
        )

    def note_events(self) -> None:
        self.js(
            """window.noted = [];
            for (const type of ["start", "progress", "retry", "error", "end"])
              addEventListener(`direct-upload:${type}`, ({ target, detail }) =>
                noted.push([type, target.localName, detail.file.name, detail.error?.code ?? null]));
            for (const type of ["start", "end"])
              addEventListener(`direct-uploads:${type}`, () => noted.push([`all ${type}`]));
            """
        )

    def noted(self) -> list[str]:
        """Return the types of the recorded events, without progress."""
        return [each[0] for each in self.js("return noted") if each[0] != "progress"]


def dictionary(texts: dict[str, str]) -> str:
    return f'<script type="application/json" id="direct-upload-messages">{json.dumps(texts)}</script>'
