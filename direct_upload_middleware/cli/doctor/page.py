"""Checks of a page of the application: its script, and its Content-Security-Policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import requests

from ...errors import StorageUnavailable
from ...pages import csp
from .http_client import HttpClient
from .result import Result, failure, judge, ok, warning
from .upload_api import SCRIPT, examine_api

_POLICY = "content-security-policy"


class _Reader(HTMLParser):
    """A parser that finds the marker, the script with its nonce, and policies in ``<meta>`` elements."""

    def __init__(self) -> None:
        super().__init__()
        self.accept: str | None = None
        self.script: str | None = None
        self.nonce = ""
        self.policies: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what the element says."""
        attributes = {name: value or "" for name, value in attrs}
        source = attributes.get("src", "")
        if tag == "direct-upload" or (tag == "input" and "data-direct-upload" in attributes):
            self.accept = self.accept or attributes.get("accept", "")
        if tag == "script" and urlsplit(source).path.endswith(SCRIPT):
            self.script, self.nonce = source, attributes.get("nonce", "")
        if tag == "meta" and attributes.get("http-equiv", "").lower() == _POLICY:
            self.policies.append(attributes.get("content", ""))


def examine_page(url: str, storage_origin: str, headers: Mapping[str, str]) -> Iterator[Result]:
    """Check that the page has the script and lets it work.

    :param storage_origin: the origin of the storage that is examined.
    :param headers: headers to add to each request, such as the cookie of a logged-in user.
    """
    first = HttpClient(url, headers)
    try:
        answer = first.get(url, follow=True)
    except StorageUnavailable as error:
        yield failure("page", str(error), "Check that the application runs and that browsers accept its certificate.")
        return
    if answer.history:
        remedy = "If that is a log-in page, send a user's cookie: --header 'Cookie: …'."
        yield warning("page", f"{url} redirects to {answer.url}", remedy)
    reader = _Reader()
    reader.feed(answer.text)
    yield _script(answer, reader)
    if reader.script is None:
        return
    client = HttpClient(answer.url, first.headers_for(answer.url))
    script = urljoin(answer.url, reader.script)
    policies = [(_POLICY, value) for name, value in answer.headers.items() if name.lower() == _POLICY]
    policies += [(_POLICY, value) for value in reader.policies]
    yield from _policies(policies, reader, storage_origin)
    yield from _scripts(policies, script, client.origin, reader.nonce)
    try:
        yield from examine_api(client, script, storage_origin, accept=reader.accept or "")
    except StorageUnavailable as error:
        yield failure("page-api", str(error), "Configure the proxy to pass all of the application's paths on.")


def _script(answer: requests.Response, reader: _Reader) -> Result:
    remedy = (
        "Give its <input type=file> the attribute data-direct-upload, or name another page. If this is a log-in page, "
        "send a user's cookie: --header 'Cookie: …'."
        if reader.accept is None
        else "Serve the page through the middleware as text/html, without Content-Encoding, and without inject=False."
    )
    lacks = "has no upload field" if reader.accept is None else "has an upload field but no script"
    return judge(
        "page-script",
        reader.script is not None,
        "the page contains the script",
        f"the page (status {answer.status_code}) {lacks}",
        remedy,
    )


def _policies(policies: list[tuple[str, str]], reader: _Reader, storage_origin: str) -> Iterator[Result]:
    yield judge(
        "page-connect",
        csp.allow_origin(policies, storage_origin) == policies,
        "the page's Content-Security-Policy allows requests to storage",
        f"the page's Content-Security-Policy blocks requests to {storage_origin}",
        f"Add {storage_origin} to connect-src. The middleware does this only in headers that the application sets, "
        "not in a <meta> element or in a header that is added outside the middleware.",
    )
    nonce = csp.find_nonce(policies)
    if nonce:
        yield judge(
            "page-nonce",
            reader.nonce == nonce,
            "the script has the policy's nonce",
            "the script lacks the nonce of the page's Content-Security-Policy, so browsers block it",
            "Set the policy inside the middleware, or pass the nonce to script_tag().",
        )


def _scripts(policies: list[tuple[str, str]], script: str, browser_storage_origin: str, nonce: str) -> Iterator[Result]:
    yield judge(
        "page-script-src",
        csp.allows_script(policies, script, browser_storage_origin, nonce),
        "the page's Content-Security-Policy allows the script",
        "the page's Content-Security-Policy blocks the script",
        "Add a nonce or 'self' to script-src. The middleware never changes script-src.",
    )
    if csp.allows_workers(policies, script, browser_storage_origin):
        yield ok("page-worker", "the page's Content-Security-Policy allows workers, which compute checksums")
    else:
        yield warning(
            "page-worker",
            "the page's Content-Security-Policy blocks workers, so segments are sent without checksums",
            "Add 'self' to worker-src. Without it, damage is detected only when an upload completes.",
        )
