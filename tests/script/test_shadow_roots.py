"""Fields in shadow roots and inside other components."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from script.site import FORM, Visitor
from selenium.webdriver.remote.webelement import WebElement

pytestmark = pytest.mark.browser

Files = Callable[..., Path]
INPUT = "<input type=file name=f data-direct-upload aria-label=F>"
ELEMENT = "<direct-upload name=f></direct-upload>"
FIELDS = pytest.mark.parametrize("field", [INPUT, ELEMENT], ids=["input", "element"])
#: Attach a shadow root with this content to an element that is in the page, or that is added to it.
ATTACH = """const host = document.querySelector("x-y") ?? document.body.appendChild(document.createElement("x-y"));
host.attachShadow({ mode: "open" }).innerHTML = arguments[0];"""
DEFINE = """customElements.define("x-y", class extends HTMLElement {
  connectedCallback() { this.attachShadow({ mode: "open" }).innerHTML = this.getAttribute("content"); }
});"""
FIND = """const find = (root) => root.querySelector(arguments[0]) ??
  [...root.querySelectorAll("*")].reduce((found, { shadowRoot }) => found ?? (shadowRoot && find(shadowRoot)), null);
return find(document)"""


def find(visitor: Visitor, selector: str) -> WebElement:
    return visitor.wait(lambda: visitor.js(FIND, selector))


def assert_works(visitor: Visitor, file: Path, field: str) -> None:
    """The form waits for the upload, in whatever root it is."""
    if field == ELEMENT:
        visitor.wait(lambda: visitor.js("return !!customElements.get('direct-upload')"))
    find(visitor, "input[type=file]").send_keys(str(file))
    visitor.js(FIND.replace("return find(document)", "find(document).click()"), "[name=go]")
    visitor.wait(lambda: visitor.site.forms)
    assert visitor.site.forms == [[("f", f"a receipt of {file.name}"), ("go", "yes")]]


@FIELDS
def test_in_a_declarative_root(visitor: Visitor, files: Files, field: str) -> None:
    visitor.open(f"<x-y><template shadowrootmode=open>{FORM.format(field)}</template></x-y>")
    assert_works(visitor, files("a.bin", 3_000_000), field)


@FIELDS
def test_in_nested_roots(visitor: Visitor, files: Files, field: str) -> None:
    inner = f"<x-y><template shadowrootmode=open>{FORM.format(field)}</template></x-y>"
    visitor.open(f"<x-z><template shadowrootmode=open><div>{inner}</div></template></x-z>")
    assert_works(visitor, files("a.bin", 3_000_000), field)


@FIELDS
@pytest.mark.parametrize("host", ["", "<x-y></x-y>"], ids=["added", "existing"])
def test_in_a_root_that_is_attached_later(visitor: Visitor, files: Files, field: str, host: str) -> None:
    visitor.open(f"<input type=file data-direct-upload aria-label=F id=other>{host}")
    visitor.js("document.querySelector('#other').remove()")
    visitor.js(ATTACH, FORM.format(field))
    if host:  # nothing tells of a root that is attached to an element of the page until the user reaches it
        visitor.js("document.querySelector('x-y').shadowRoot.querySelector('[name=go]').focus()")
    assert_works(visitor, files("a.bin", 3_000_000), field)


@FIELDS
def test_in_an_element_that_is_defined_later(visitor: Visitor, files: Files, field: str) -> None:
    content = FORM.format(field).replace('"', "").replace("<", "&lt;")
    visitor.open(f'<input type=file data-direct-upload aria-label=F id=other><x-y content="{content}"></x-y>')
    visitor.js("document.querySelector('#other').remove()")
    visitor.js(DEFINE)
    assert_works(visitor, files("a.bin", 3_000_000), field)


def test_an_element_in_a_closed_root(visitor: Visitor, files: Files) -> None:
    visitor.open("<direct-upload name=other></direct-upload>")
    visitor.wait(lambda: visitor.js("return !!customElements.get('direct-upload')"))
    visitor.js("document.querySelector('direct-upload').remove()")
    visitor.js(
        """window.root = document.body.appendChild(document.createElement("x-y")).attachShadow({ mode: "closed" });
        root.innerHTML = arguments[0];
        root.querySelector("direct-upload").add([new File(["a".repeat(3e6)], "a.bin")]);
        root.querySelector("[name=go]").click();""",
        FORM.format(ELEMENT),
    )
    visitor.wait(lambda: visitor.site.forms)
    assert visitor.site.forms == [[("f", "a receipt of a.bin"), ("go", "yes")]]
