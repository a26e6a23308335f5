"""What the doctor sees of a page of the application."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import requests

from ..pages import csp
from .findings import Result, failure, judge, ok

SCRIPT = "/static/direct-upload.js"


class _Reader(HTMLParser):
    """Finds the marker, and the script with its nonce."""

    def __init__(self) -> None:
        super().__init__()
        self.has_marker = False
        self.script: str | None = None
        self.nonce = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        source = attributes.get("src") or ""
        if tag == "direct-upload" or (tag == "input" and "data-direct-upload" in attributes):
            self.has_marker = True
        if tag == "script" and urlsplit(source).path.endswith(SCRIPT):
            self.script, self.nonce = source, attributes.get("nonce") or ""


def examine_page(url: str, storage_origin: str) -> Iterator[Result]:
    """Whether the script is in the page and may do its work."""
    try:
        answer = requests.get(url, timeout=30)
    except requests.RequestException as error:
        yield failure("page", f"{url} cannot be had: {type(error).__name__}", "Is the application running?")
        return
    reader = _Reader()
    reader.feed(answer.text)
    yield judge(
        "page-script",
        reader.script is not None,
        "the script is in the page",
        f"the page (status {answer.status_code}) has {'the' if reader.has_marker else 'no'} marker and no script",
        "Give its <input type=file> the attribute data-direct-upload, and serve it through the middleware, unencoded.",
    )
    yield from _policies(list(answer.headers.items()), reader, storage_origin)
    if reader.script is not None:
        yield from _api(urljoin(answer.url, reader.script))


def _policies(headers: list[tuple[str, str]], reader: _Reader, storage_origin: str) -> Iterator[Result]:
    enforced = [(name, value) for name, value in headers if name.lower() == "content-security-policy"]
    yield judge(
        "page-connect",
        csp.allow(enforced, storage_origin) == enforced,
        "the page's Content-Security-Policy lets it send to storage",
        f"the page's Content-Security-Policy does not let it send to {storage_origin}",
        f"Add {storage_origin} to connect-src, or let the middleware see the header: wrap what sets it.",
    )
    nonce = csp.nonce(enforced)
    if reader.script is not None and nonce:
        yield judge(
            "page-nonce",
            reader.nonce == nonce,
            "the script has the policy's nonce",
            "the script does not have the nonce of the page's Content-Security-Policy: it will not run",
            "Let the middleware see the policy, or give script_tag() the nonce.",
        )


def _api(script: str) -> Iterator[Result]:
    """The script, and the call that an upload begins with."""
    answer = requests.get(script, timeout=30)
    yield judge(
        "page-asset",
        answer.status_code == 200 and "javascript" in answer.headers.get("Content-Type", ""),
        "the script can be had",
        f"{script} answers {answer.status_code}",
        "Something in front of the application keeps the middleware's mount for itself.",
    )
    base = script.partition(SCRIPT)[0]
    call = requests.post(f"{base}/uploads", json={}, timeout=30)
    reached = "json" in call.headers.get("Content-Type", "") and call.status_code in (201, 401, 403, 422)
    yield judge(
        "page-api",
        reached,
        "the upload API answers",
        f"POST {base}/uploads answers {call.status_code}, and not by the middleware",
        "Something in front of the application refuses POST there, or redirects it.",
    )
    crosses = call.status_code == 403 and reached and call.json().get("code") == "cross-site"
    if crosses:
        yield failure(
            "page-origin", "the application takes its own pages for another site's", "Pass the Host header on."
        )
    elif urlsplit(base).scheme == "http" and urlsplit(base).hostname not in ("localhost", "127.0.0.1", "::1"):
        yield failure(
            "page-https",
            "the page is not under https: tickets and cookies can be read on the way",
            "Serve the application under https.",
        )
    else:
        yield ok("page-origin", "the application knows its own pages")
