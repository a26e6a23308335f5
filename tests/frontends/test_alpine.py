"""Alpine from npm: fields that it creates, repeats, binds and removes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from frontends.conftest import Open
from frontends.site import ELEMENT, FIELDS, INPUT, RECEIPT
from script.site import FORM, Visitor

pytestmark = pytest.mark.browser

Files = Callable[..., Path]


@pytest.fixture
def alpine(visit: Open, read_script: Callable[[str], bytes]) -> Callable[[str], Visitor]:
    script = read_script("alpinejs/dist/cdn.min.js")

    def opened(body: str) -> Visitor:
        visitor = visit({"/": body}, {}, inject=True)
        visitor.js(
            "const script = document.createElement('script'); script.textContent = arguments[0];"
            "document.head.append(script)",
            script.decode(),
        )
        visitor.wait(lambda: visitor.js("return !!window.Alpine"))
        return visitor

    return opened


@FIELDS
def test_a_field_that_appears_later_sends_a_receipt(alpine: Callable[[str], Visitor], files: Files, field: str) -> None:
    fields = f'<template x-if="isOpen"><div>{field}</div></template>'
    visitor = alpine(
        f'<div x-data="{{ isOpen: false }}"><p id=open @click="isOpen = true">Open</p>{FORM.format(fields)}</div>'
    )
    visitor.one("#open").click()
    visitor.give(files("a.txt"))
    visitor.wait_for("done")
    assert visitor.send() == RECEIPT


@FIELDS
def test_events_reach_its_listeners(alpine: Callable[[str], Visitor], files: Files, field: str) -> None:
    state = "{ names: [], isBusy: false }"
    listeners = (
        '@direct-upload:end="names.push($event.detail.file.name)" '
        '@direct-uploads:start="isBusy = true" @direct-uploads:end="isBusy = false"'
    )
    visitor = alpine(
        f'<div x-data="{state}" {listeners}>{FORM.format(field)}'
        '<output id=names x-text="names.join() + isBusy"></output></div>'
    )
    visitor.give(files("a.txt"))
    visitor.wait_for("done")
    visitor.wait(lambda: visitor.one("#names").text == "a.txtfalse")
    assert visitor.send() == RECEIPT


@pytest.mark.parametrize("field", [INPUT, ELEMENT], ids=["input", "element"])
def test_rows_of_a_list_send_their_own_receipts(alpine: Callable[[str], Visitor], files: Files, field: str) -> None:
    """A list that is sorted moves the fields."""
    bound = field.replace("name=f", ':name="key"').replace("aria-label=F", ':aria-label="key"')
    fields = f'<template x-for="key in keys" :key="key"><div :id="key">{bound}</div></template>'
    keys = "{ keys: ['f', 'g'] }"
    visitor = alpine(f'<div x-data="{keys}"><p id=sort @click="keys.reverse()">Sort</p>{FORM.format(fields)}</div>')
    visitor.wait(lambda: visitor.js("return document.querySelector('#g')?.firstElementChild"))
    field_input = """const field = document.querySelector(arguments[0]).firstElementChild;
    return field.localName === 'input' ? field : field.shadowRoot?.querySelector('input')"""
    for key, name in (("#f", "a.txt"), ("#g", "b.txt")):
        visitor.wait(lambda key=key: visitor.js(field_input, key)).send_keys(str(files(name)))
    visitor.one("#sort").click()
    visitor.wait(lambda: visitor.js("return document.querySelector('#g + #f') !== null"))
    assert visitor.send() == [("g", "a receipt of b.txt"), ("f", "a receipt of a.txt"), ("go", "yes")]


@FIELDS
def test_a_field_that_is_removed_does_not_hold_the_form(
    alpine: Callable[[str], Visitor], files: Files, field: str
) -> None:
    fields = f'<template x-if="isOpen"><div>{field}</div></template>'
    visitor = alpine(
        f'<div x-data="{{ isOpen: true }}"><p id=close @click="isOpen = false">Close</p>{FORM.format(fields)}</div>'
    )
    visitor.inside("input[type=file]")
    visitor.js("XMLHttpRequest.prototype.send = () => {}")
    visitor.give(files("a.txt"))
    visitor.wait_for("busy")
    visitor.one("#close").click()
    visitor.wait(lambda: not visitor.js("return document.querySelector('input[type=file], direct-upload')"))
    assert visitor.send() == [("go", "yes")]
