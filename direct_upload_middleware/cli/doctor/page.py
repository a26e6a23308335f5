"""What the doctor sees of a page of the application: the script, and what the page's policies let it do."""

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
    """Finds the marker, the script with its nonce, and policies in the page itself."""

    def __init__(self) -> None:
        super().__init__()
        self.accept: str | None = None
        self.script: str | None = None
        self.nonce = ""
        self.policies: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        source = attributes.get("src", "")
        if tag == "direct-upload" or (tag == "input" and "data-direct-upload" in attributes):
            self.accept = self.accept or attributes.get("accept", "")
        if tag == "script" and urlsplit(source).path.endswith(SCRIPT):
            self.script, self.nonce = source, attributes.get("nonce", "")
        if tag == "meta" and attributes.get("http-equiv", "").lower() == _POLICY:
            self.policies.append(attributes.get("content", ""))


def examine_page(url: str, storage_origin: str, headers: Mapping[str, str]) -> Iterator[Result]:
    """Whether the script is in the page and may do its work.

    :param storage_origin: of the storage that is examined.
    :param headers: what is sent along, such as the cookie of somebody who is logged in.
    """
    try:
        answer = HttpClient(url, headers).get(url, follow=True)
    except StorageUnavailable as error:
        yield failure("page", str(error), "Is the application running, and its certificate one that browsers take?")
        return
    if answer.history:
        remedy = "Where that is a log-in, give one: --header 'Cookie: …', as a browser sends it."
        yield warning("page", f"{url} leads to {answer.url}", remedy)
    reader = _Reader()
    reader.feed(answer.text)
    yield _script(answer, reader)
    if reader.script is None:
        return
    client = HttpClient(answer.url, headers)
    script = urljoin(answer.url, reader.script)
    policies = [(_POLICY, value) for name, value in answer.headers.items() if name.lower() == _POLICY]
    policies += [(_POLICY, value) for value in reader.policies]
    yield from _policies(policies, reader, storage_origin)
    yield from _scripts(policies, script, client.origin, reader.nonce)
    try:
        yield from examine_api(client, script, storage_origin, accept=reader.accept or "")
    except StorageUnavailable as error:
        yield failure("page-api", str(error), "Something in front of the application does not pass all of it on.")


def _script(answer: requests.Response, reader: _Reader) -> Result:
    remedy = (
        "Give its <input type=file> the attribute data-direct-upload, or name another page. Where this is a log-in: "
        "--header 'Cookie: …', as a browser sends it."
        if reader.accept is None
        else "Serve the page through the middleware, as text/html and not encoded, with inject on."
    )
    return judge(
        "page-script",
        reader.script is not None,
        "the script is in the page",
        f"the page (status {answer.status_code}) has {'no' if reader.accept is None else 'the'} marker and no script",
        remedy,
    )


def _policies(policies: list[tuple[str, str]], reader: _Reader, storage_origin: str) -> Iterator[Result]:
    yield judge(
        "page-connect",
        csp.allow_origin(policies, storage_origin) == policies,
        "the page's Content-Security-Policy lets it send to storage",
        f"the page's Content-Security-Policy does not let it send to {storage_origin}",
        f"Add {storage_origin} to connect-src. The middleware does so where it sees the policy: not in a <meta>, nor "
        "in a header that is set outside of it.",
    )
    nonce = csp.find_nonce(policies)
    if nonce:
        yield judge(
            "page-nonce",
            reader.nonce == nonce,
            "the script has the policy's nonce",
            "the script does not have the nonce of the page's Content-Security-Policy: it will not run",
            "Let the middleware see the policy, or give script_tag() the nonce.",
        )


def _scripts(policies: list[tuple[str, str]], script: str, browser_storage_origin: str, nonce: str) -> Iterator[Result]:
    yield judge(
        "page-script-src",
        csp.allows_script(policies, script, browser_storage_origin, nonce),
        "the page's Content-Security-Policy lets the script run",
        "the page's Content-Security-Policy does not let the script run",
        "Add a nonce, or 'self', to script-src; the middleware never loosens it.",
    )
    if csp.allows_workers(policies, script, browser_storage_origin):
        yield ok("page-worker", "the script may compute checksums in workers")
    else:
        yield warning(
            "page-worker",
            "the page's Content-Security-Policy forbids workers: files are sent without checksums on the way",
            "Add 'self' to worker-src; without it damage is found only when an upload completes.",
        )
