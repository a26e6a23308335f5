"""A site with several pages, the scripts of a library, and forms that answer as the library expects it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from script.site import Site, Visitor
from webob import Request, Response

INPUT = "<input type=file name=f data-direct-upload aria-label=F>"
ELEMENT = "<direct-upload name=f aria-label=F></direct-upload>"
FIELDS = pytest.mark.parametrize("field", [INPUT, ELEMENT], ids=["input", "element"])
LINK = '<h1>First</h1><a id=go href="/form">To the form</a>'
RECEIPT = [("f", "a receipt of a.txt"), ("go", "yes")]
POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'"
SECRET = "a secret of the tests"
NOTE_ERRORS = "window.errors = []; console.error = (...about) => { errors.push(about.join(' ')); };"
#: Turbo shows a cached page while it loads the new one; htmx swaps and settles.
IS_CHANGING = "return !!document.querySelector('[data-turbo-preview], .htmx-swapping, .htmx-settling, .htmx-request')"


class FrontEndSite(Site):
    """``pages`` are the bodies of the pages by path, and ``head`` is a part of the head of each. ``scripts`` are the
    scripts by path; ``loads`` names those that each page loads.

    A form's answer redirects to ``/thanks``. ``/thanks`` says how many forms were received.
    """

    def __init__(self, directory: Path, *, pages: dict[str, str], scripts: dict[str, bytes], **options: Any) -> None:
        self.pages = pages
        self.scripts = scripts
        self.head = options.pop("head", "")
        self.loads = options.pop("loads", tuple(scripts))
        policy = options.pop("policy", "")
        super().__init__(directory, **options)
        self.policy = policy

    def _answer(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        if request.method == "POST":
            self.forms.append([(name, self._describe(environ, value)) for name, value in request.POST.items()])
            response = Response(status=303, location="/thanks")
        elif request.path.strip("/") in self.scripts:
            response = Response(self.scripts[request.path.strip("/")], content_type="text/javascript", charset="utf-8")
        else:
            response = self._page(request.path)
        return response(environ, start_response)

    def _page(self, path: str) -> Response:
        body = self.pages.get(path)
        if path == "/thanks":
            body = f"<h1>Thanks</h1><output>{len(self.forms)}</output>"
        if body is None:
            return Response(status=404)
        if body.startswith("<!--fragment-->"):
            return Response(body, content_type="text/html", charset="utf-8")
        loads = "".join(f"<script src=/{name}></script>" for name in self.loads)
        head = f"<title>{path}</title>{self.head}{loads}"
        page = f"<!doctype html><html lang=en><head>{head}</head><body>{body}</body></html>"
        response = Response(page, content_type="text/html", charset="utf-8")
        if self.policy:
            response.headers["Content-Security-Policy"] = self.policy
        return response


def follow(visitor: Visitor, selector: str, heading: str) -> None:
    """Follow a link, which the library does within the document."""
    visitor.js("window.isFirstDocument = true")
    visitor.one(selector).click()
    wait_for_heading(visitor, heading)
    assert visitor.js("return isFirstDocument")


def wait_for_heading(visitor: Visitor, heading: str) -> None:
    visitor.wait(lambda: visitor.js("return document.querySelector('h1')?.textContent") == heading)
    visitor.wait(lambda: not visitor.js(IS_CHANGING))


def assert_follows_policy(visitor: Visitor, inject: Any) -> None:
    """Assert that an upload works if every page allows the storage, and else that the console says what to do."""
    if inject is True:
        visitor.wait_for("done")
        assert visitor.send() == RECEIPT
        return
    visitor.wait_for("failed")
    visitor.wait(lambda: visitor.js("return errors.some((error) => error.startsWith('direct-upload:'))"))
    [error] = [error for error in visitor.js("return errors") if error.startswith("direct-upload:")]
    assert "Content-Security-Policy" in error
    assert "inject=True" in error
