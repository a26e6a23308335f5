"""Checks of the upload API behind a page: begin an upload like the page's script, then abort it."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import requests

from .cookies import faults, find_cookie, pair_of
from .http_client import HttpClient
from .result import Result, failure, judge, ok, warning

SCRIPT = "/static/direct-upload.js"
CALLS = 6
"""The number of requests for the doctor's upload: other processes of the application should answer, too."""

_API_STATUSES = (401, 403, 413, 415, 422, 429)
_LOG_IN = "Send the cookie of a logged-in user: --header 'Cookie: …'."
_MOUNT = "Configure the proxy to pass the middleware's mount on, and set SCRIPT_NAME to the application's public path."


def examine_api(client: HttpClient, script: str, storage_origin: str, *, accept: str) -> Iterator[Result]:
    """Check the script's address and the upload API; raise StorageUnavailable when there is no answer.

    :param accept: the ``accept`` attribute of the page's input.
    """
    asset = client.get(script)
    yield judge(
        "page-asset",
        asset.status_code == 200 and "javascript" in asset.headers.get("Content-Type", ""),
        "the script can be loaded",
        f"{script} answers {asset.status_code}",
        _MOUNT,
    )
    base = script.partition(SCRIPT)[0]
    call = client.call("POST", f"{base}/uploads", json={})
    reached = _code(call) is not None and call.status_code in _API_STATUSES
    yield judge(
        "page-api",
        reached,
        "the upload API answers",
        f"POST {base}/uploads answers {call.status_code}, but not from the middleware",
        "Configure the proxy to pass on POST requests without redirecting them.",
    )
    if not reached:
        return
    yield from _origin(client, base, call)
    yield _https(client)
    if _code(call) != "cross-site":
        yield from _upload(client, base, storage_origin, accept)


def _code(answer: requests.Response) -> str | None:
    """Return the problem's code, or None when the answer is not the middleware's."""
    if "json" not in answer.headers.get("Content-Type", ""):
        return None
    return str(answer.json().get("code"))


def _origin(client: HttpClient, base: str, call: requests.Response) -> Iterator[Result]:
    remedy = "Pass the browser's Host header on unchanged, or add the page's origin to the option origins."
    plain = client.call("POST", f"{base}/uploads", json={}, fetch_metadata=False)
    if _code(call) == "cross-site":
        yield failure("page-origin", "the middleware refuses the application's own pages as cross-site", remedy)
    elif _code(plain) == "cross-site":
        yield warning(
            "page-origin",
            "browsers without Sec-Fetch-Site (Safari before 16.4) are refused as cross-site",
            remedy,
        )
    else:
        yield ok("page-origin", "the middleware accepts the application's own pages")


def _https(client: HttpClient) -> Result:
    return judge(
        "page-https",
        client.is_https or client.is_local,
        "tickets and cookies are sent encrypted, or do not leave this machine",
        "the page is not https: tickets and cookies can be intercepted",
        "Serve the application over https.",
    )


def _upload(client: HttpClient, base: str, storage_origin: str, accept: str) -> Iterator[Result]:
    begin = client.call("POST", f"{base}/uploads", json={"size": 1, **_file(accept)})
    if begin.status_code != 201:
        yield _refused(begin)
        return
    begun = begin.json()
    upload = f"{base}/uploads/{begun['id']}"
    header = find_cookie(begin.raw.headers.getlist("Set-Cookie"))
    try:
        yield from _storage(client, begun["segments"][0]["url"], storage_origin)
        if header is None:
            detail = "the answer to begin has no cookie"
            yield failure("page-cookie", detail, "Configure the proxy to pass on Set-Cookie headers.")
            return
        found = [failure("page-cookie", *fault) for fault in faults(header, client.page, upload)]
        yield from found or [
            ok("page-cookie", "browsers keep the cookie and send it only with the page's own requests")
        ]
        yield _ticket(client, upload, begun["ticket"], pair_of(header))
    finally:
        cookie = pair_of(header) if header else None
        client.call("DELETE", upload, Upload_Ticket=begun["ticket"], cookie=cookie)


def _file(accept: str) -> dict[str, str]:
    """Return name and type of a file that the page's input accepts."""
    wanted = accept.split(",")[0].strip() or ".txt"
    if wanted.startswith("."):
        name = f"direct-upload-doctor{wanted}"
        return {"filename": name, "type": mimetypes.guess_type(name)[0] or ""}
    type = next((t for t in mimetypes.types_map.values() if t.startswith(wanted.removesuffix("*"))), wanted)
    return {"filename": f"direct-upload-doctor{mimetypes.guess_extension(type) or ''}", "type": type}


def _refused(begin: requests.Response) -> Result:
    code, detail = _code(begin), "" if _code(begin) is None else str(begin.json().get("detail"))
    if begin.status_code >= 500:
        remedy = "See the application's log, and the other results here."
        return failure("page-begin", f"beginning an upload failed: {begin.status_code} {detail}", remedy)
    if code == "not-authenticated":
        return warning("page-cookie", "not logged in, so the cookie could not be checked", _LOG_IN)
    remedy = "The cookie could not be checked. Examine a page whose users may upload, logged in as one of them."
    return warning("page-cookie", f"the application refuses the doctor's file ({code}): {detail}", remedy)


def _storage(client: HttpClient, url: str, storage_origin: str) -> Iterator[Result]:
    """Check that segments go to the examined storage, and that it accepts them from the page."""
    if not url.startswith(f"{storage_origin}/"):
        host = urlsplit(url).netloc or "the application itself"
        yield failure(
            "page-storage",
            f"the application sends files to {host}, but the doctor examined {storage_origin}",
            "Give the application and the doctor the same storage URL, cloud and region.",
        )
        return
    sent: dict[str, Any] = {"Access_Control_Request_Method": "PUT", "Access_Control_Request_Headers": "etag"}
    preflight = client.call("OPTIONS", url, fetch_metadata=False, **sent)
    yield judge(
        "page-storage",
        preflight.status_code == 200,
        "storage accepts uploads from the page",
        f"storage answers {preflight.status_code} to a preflight request from {client.origin}",
        "Pass the Origin header on to the application: it configures CORS in storage for that origin.",
    )


def _ticket(client: HttpClient, upload: str, ticket: str, cookie: str) -> Result:
    """Check that ticket and cookie are accepted by every process of the application."""
    answers = [client.call("GET", upload, Upload_Ticket=ticket, cookie=cookie) for _ in range(CALLS)]
    codes = [None if answer.status_code == 200 else _code(answer) or answer.status_code for answer in answers]
    if not any(codes):
        return ok("page-ticket", "the application accepts its ticket and cookie")
    if None in codes or len(set(codes)) > 1:
        return failure(
            "page-ticket",
            "some processes of the application do not accept a ticket that another one issued",
            "Give all processes, on all machines, the same secret and the same storage URL.",
        )
    remedies = {
        "not-yours": "Configure the proxy to pass on the cookie direct_upload, and check what identify returns.",
        "invalid-ticket": "Configure the proxy to pass on the header Upload-Ticket.",
    }
    remedy = remedies.get(str(codes[0]), "See the application's log.")
    return failure("page-ticket", f"the application does not accept its own ticket ({codes[0]})", remedy)
