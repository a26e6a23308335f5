"""The upload API behind a page, as the doctor sees it: an upload is begun as the page would, and given up again."""

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
"""So many times the doctor asks for its upload: as a rule, other processes are among those who answer."""

_API_STATUSES = (401, 403, 413, 415, 422, 429)
_LOG_IN = "Give the log-in of a browser, as it sends it: --header 'Cookie: …'."
_MOUNT = "Something in front of the application keeps the middleware's mount for itself, or moves the application."


def examine_api(client: HttpClient, script: str, storage_origin: str, *, accept: str) -> Iterator[Result]:
    """The script, and an upload as far as it goes. ``accept`` is the page's input's.

    Raises StorageUnavailable where there is no answer.
    """
    asset = client.get(script)
    yield judge(
        "page-asset",
        asset.status_code == 200 and "javascript" in asset.headers.get("Content-Type", ""),
        "the script can be had",
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
        f"POST {base}/uploads answers {call.status_code}, and not by the middleware",
        "Something in front of the application refuses POST there, or redirects it.",
    )
    if not reached:
        return
    yield from _origin(client, base, call)
    yield _https(client)
    if _code(call) != "cross-site":
        yield from _upload(client, base, storage_origin, accept)


def _code(answer: requests.Response) -> str | None:
    """The problem's; None where it was not the middleware that answered."""
    if "json" not in answer.headers.get("Content-Type", ""):
        return None
    return str(answer.json().get("code"))


def _origin(client: HttpClient, base: str, call: requests.Response) -> Iterator[Result]:
    remedy = "Pass the Host header on as the browser sent it, or name the page's origin in the option origins."
    plain = client.call("POST", f"{base}/uploads", json={}, fetch_metadata=False)
    if _code(call) == "cross-site":
        yield failure("page-origin", "the application takes its own pages for another site's", remedy)
    elif _code(plain) == "cross-site":
        yield warning(
            "page-origin", "browsers without Sec-Fetch-Site (Safari before 16.4) are taken for another site's", remedy
        )
    else:
        yield ok("page-origin", "the application knows its own pages")


def _https(client: HttpClient) -> Result:
    return judge(
        "page-https",
        client.is_https or client.is_local,
        "nobody reads tickets and cookies on the way",
        "the page is not under https: tickets and cookies can be read on the way",
        "Serve the application under https.",
    )


# -- an upload -----------------------------------------------------------------------------------------------


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
            detail = "the answer that begins an upload has no cookie"
            yield failure("page-cookie", detail, "Something in front of the application drops Set-Cookie.")
            return
        found = [failure("page-cookie", *fault) for fault in faults(header, client.page, upload)]
        yield from found or [ok("page-cookie", "the cookie is kept, and comes with the page's own requests only")]
        yield _ticket(client, upload, begun["ticket"], pair_of(header))
    finally:
        cookie = pair_of(header) if header else None
        client.call("DELETE", upload, Upload_Ticket=begun["ticket"], cookie=cookie)


def _file(accept: str) -> dict[str, str]:
    """Name and type of a file that the page's input takes."""
    wanted = accept.split(",")[0].strip() or ".txt"
    if wanted.startswith("."):
        name = f"direct-upload-doctor{wanted}"
        return {"filename": name, "type": mimetypes.guess_type(name)[0] or ""}
    type = next((t for t in mimetypes.types_map.values() if t.startswith(wanted.removesuffix("*"))), wanted)
    return {"filename": f"direct-upload-doctor{mimetypes.guess_extension(type) or ''}", "type": type}


def _refused(begin: requests.Response) -> Result:
    code, detail = _code(begin), "" if _code(begin) is None else str(begin.json().get("detail"))
    if begin.status_code >= 500:
        remedy = "See the application's log, and what else is found here."
        return failure("page-begin", f"no upload can be begun: {begin.status_code} {detail}", remedy)
    if code == "not-authenticated":
        return warning("page-cookie", "nobody is logged in, so the doctor saw no upload and no cookie", _LOG_IN)
    remedy = "Cookies were not seen. Examine a page whose users may upload, as one of them."
    return warning("page-cookie", f"the application refuses the doctor's file ({code}): {detail}", remedy)


def _storage(client: HttpClient, url: str, storage_origin: str) -> Iterator[Result]:
    """Whether the browser is sent where the doctor has been looking, and may go there."""
    if not url.startswith(f"{storage_origin}/"):
        host = urlsplit(url).netloc or "the application itself"
        yield failure(
            "page-storage",
            f"the application has files sent to {host}, and not to {storage_origin}, which was examined",
            "Give the application and the doctor the same storage URL, cloud and region.",
        )
        return
    sent: dict[str, Any] = {"Access_Control_Request_Method": "PUT", "Access_Control_Request_Headers": "etag"}
    preflight = client.call("OPTIONS", url, fetch_metadata=False, **sent)
    yield judge(
        "page-storage",
        preflight.status_code == 200,
        "storage lets the page send its files",
        f"storage answers {preflight.status_code} to the preflight request of a page of {client.origin}",
        "Pass the Origin header on to the application, which tells storage by it whose pages may send.",
    )


def _ticket(client: HttpClient, upload: str, ticket: str, cookie: str) -> Result:
    """Whether ticket and cookie come back, to whatever process."""
    answers = [client.call("GET", upload, Upload_Ticket=ticket, cookie=cookie) for _ in range(CALLS)]
    codes = [None if answer.status_code == 200 else _code(answer) or answer.status_code for answer in answers]
    if not any(codes):
        return ok("page-ticket", "ticket and cookie come back to the application")
    if None in codes or len(set(codes)) > 1:
        return failure(
            "page-ticket",
            "of the application's processes some do not know the upload that another one began",
            "Give all processes, on all machines, the same secret and the same storage URL.",
        )
    remedies = {
        "not-yours": "Something in front of the application drops the cookie direct_upload, or its users change.",
        "invalid-ticket": "Something in front of the application drops the header Upload-Ticket.",
    }
    remedy = remedies.get(str(codes[0]), "See the application's log.")
    return failure("page-ticket", f"the application does not know its own upload again ({codes[0]})", remedy)
