"""What the browser does, done by WebTest."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator, Mapping
from hashlib import md5
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from webtest import TestApp

_SIGNED_AT_ONCE = 100


def upload_file(
    test_app: TestApp,
    filename: str,
    data: bytes,
    *,
    content_type: str = "",
    mount: str = "/_upload",
    extra_environ: Mapping[str, Any] | None = None,
) -> str:
    """Upload ``data`` as ``filename`` through the middleware, and give the receipt, for the application's form.

    ::

        receipt = upload_file(test_app, "report.pdf", b"…", content_type="application/pdf")
        test_app.post("/documents", {"document": receipt})

    It goes the whole way that the script in a page goes: begin, PUT of every segment to its temp URL, complete; into
    whatever storage the middleware has. The requester is whoever ``test_app`` is logged in as.

    :param test_app: a ``webtest.TestApp`` around the application with the middleware. It keeps the binding cookie.
    :param content_type: the file's MIME type; "" as of a file whose type the browser does not know.
    :param mount: the middleware's.
    :param extra_environ: for each request to the application, as WebTest's: ``{"REMOTE_USER": "alice"}``.
    :raises webtest.AppError: the middleware refused; the message has the problem with its code.
    """
    page = _Page(test_app, mount, dict(extra_environ or {}))
    begun = page.post("uploads", {"filename": filename, "size": len(data), "type": content_type})
    etags = []
    for segment in page.segments(begun):
        body = data[segment["offset"] : segment["offset"] + segment["size"]]
        etag = md5(body, usedforsecurity=False).hexdigest()
        page.put(segment, body, etag)
        etags.append({"index": segment["index"], "etag": etag})
    done = page.post(f"uploads/{begun['id']}/complete", {"segments": etags}, begun["ticket"])
    return str(done["receipt"])


class _Page:
    """A page of the application, as far as its requests go."""

    def __init__(self, test_app: TestApp, mount: str, extra_environ: dict[str, Any]) -> None:
        self._app = test_app
        self._mount = mount
        self._environ = extra_environ
        self._script_name = quote({**test_app.extra_environ, **extra_environ}.get("SCRIPT_NAME", ""))

    def post(self, call: str, body: Mapping[str, Any], ticket: str | None = None) -> Any:
        headers = {"Upload-Ticket": ticket} if ticket else {}
        url = f"{self._mount}/{call}"
        return self._app.post_json(url, body, headers=headers, extra_environ=self._environ).json

    def segments(self, begun: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The segments with their temp URLs, which are asked for as they are needed."""
        yield from begun["segments"]
        for first in range(len(begun["segments"]), begun["segment_count"], _SIGNED_AT_ONCE):
            indexes = list(range(first, min(first + _SIGNED_AT_ONCE, begun["segment_count"])))
            signed = self.post(f"uploads/{begun['id']}/segments", {"indexes": indexes}, begun["ticket"])
            yield from signed["segments"]

    def put(self, segment: Mapping[str, Any], body: bytes, etag: str) -> None:
        headers = {**segment["headers"], "ETag": etag}
        url: str = segment["url"]
        if url.startswith("/"):
            path = url.removeprefix(self._script_name)
            self._app.put(path, body, headers=headers, content_type="", extra_environ=self._environ)
        else:
            request = urllib.request.Request(url, data=body, headers=headers, method="PUT")  # noqa: S310  from us
            urllib.request.urlopen(request, timeout=60).close()  # noqa: S310
