"""Upload files in tests like the page's script."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from hashlib import md5
from io import SEEK_END, BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote

if TYPE_CHECKING:
    from webtest import TestApp

#: The codes for ``fail_with`` of :func:`upload_file`.
FAILURES = ("cross-site", "segments-missing", "segments-differ", "invalid-ticket", "not-yours")

_SIGNED_AT_ONCE = 100


def upload_file(
    test_app: TestApp,
    filename: str,
    data: bytes | BinaryIO,
    *,
    content_type: str = "",
    mount: str = "/_upload",
    extra_environ: Mapping[str, Any] | None = None,
    fail_with: str | None = None,
) -> str:
    """Upload ``data`` as ``filename`` through the middleware; return the receipt for the application's form.

    ::

        receipt = upload_file(test_app, "report.pdf", b"…", content_type="application/pdf")
        test_app.post("/documents", {"document": receipt})

    It makes the same calls as the page's script: begin, PUT of each segment to its temp URL, complete. The requester
    is the user that ``test_app`` is logged in as.

    :param test_app: a ``webtest.TestApp`` of the application with the middleware. It keeps the binding cookie.
    :param data: bytes, or a seekable binary file of any size, which is read one segment at a time.
    :param content_type: the file's MIME type; "" if the browser does not know it.
    :param mount: the middleware's mount.
    :param extra_environ: WebTest's ``extra_environ`` for each request: ``{"REMOTE_USER": "alice"}``.
    :param fail_with: make the upload fail with this code, one of :data:`FAILURES`.
    :raises webtest.AppError: the middleware refused; the message has the problem with its code.
    """
    if fail_with is not None and fail_with not in FAILURES:
        raise ValueError(f"fail_with must be one of {', '.join(FAILURES)}, not {fail_with!r}")
    file = BytesIO(data) if isinstance(data, bytes) else data
    page = _Page(test_app, mount, dict(extra_environ or {}))
    headers = {"Sec-Fetch-Site": "cross-site"} if fail_with == "cross-site" else {}
    size = file.seek(0, SEEK_END)
    begun = page.post("uploads", {"filename": filename, "size": size, "type": content_type}, headers)
    etags = [_send(page, file, segment, fail_with) for segment in page.segments(begun)]
    done = _complete(page, begun, etags, fail_with)
    if fail_with is not None:
        raise AssertionError(f"the upload should have failed with {fail_with}, but it succeeded")
    return str(done["receipt"])


def upload_files(test_app: TestApp, files: Iterable[tuple[str, bytes | BinaryIO]], **options: Any) -> list[str]:
    """Upload several files; return their receipts for a field with ``multiple``.

    ::

        receipts = upload_files(test_app, [("one.png", b"…"), ("two.png", b"…")])
        test_app.post("/pictures", [("pictures", receipt) for receipt in receipts])

    :param files: pairs of filename and data.
    :param options: the options of :func:`upload_file`, the same for each file.
    """
    return [upload_file(test_app, filename, data, **options) for filename, data in files]


def _send(page: _Page, file: BinaryIO, segment: Mapping[str, Any], fail_with: str | None) -> dict[str, Any]:
    """Send one segment; return its entry in the list for complete."""
    file.seek(segment["offset"])
    body = file.read(segment["size"])
    etag = _md5(body)
    if fail_with == "segments-differ" and segment["index"] == 0:
        body = bytes(byte ^ 1 for byte in body) or b"not empty"
    if fail_with != "segments-missing" or segment["index"] != 0:
        page.put(segment, body, _md5(body))
    return {"index": segment["index"], "etag": etag}


def _complete(page: _Page, begun: Mapping[str, Any], etags: list[dict[str, Any]], fail_with: str | None) -> Any:
    headers = {"Upload-Ticket": begun["ticket"]}
    if fail_with == "invalid-ticket":
        headers = {"Upload-Ticket": begun["ticket"][:-1]}
    if fail_with == "not-yours":
        headers["Cookie"] = ""  # another browser
    return page.post(f"uploads/{begun['id']}/complete", {"segments": etags}, headers)


def _md5(body: bytes) -> str:
    return md5(body, usedforsecurity=False).hexdigest()


class _Page:
    """A page of the application, which calls the upload API."""

    def __init__(self, test_app: TestApp, mount: str, extra_environ: dict[str, Any]) -> None:
        self._app = test_app
        self._mount = mount
        self._environ = extra_environ
        self._script_name = quote({**test_app.extra_environ, **extra_environ}.get("SCRIPT_NAME", ""))

    def post(self, call: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Any:
        url = f"{self._mount}/{call}"
        return self._app.post_json(url, body, headers=dict(headers), extra_environ=self._environ).json

    def segments(self, begun: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the segments with their temp URLs, signing more of them when needed."""
        yield from begun["segments"]
        for first in range(len(begun["segments"]), begun["segment_count"], _SIGNED_AT_ONCE):
            indexes = list(range(first, min(first + _SIGNED_AT_ONCE, begun["segment_count"])))
            headers = {"Upload-Ticket": begun["ticket"]}
            signed = self.post(f"uploads/{begun['id']}/segments", {"indexes": indexes}, headers)
            yield from signed["segments"]

    def put(self, segment: Mapping[str, Any], body: bytes, etag: str) -> None:
        headers = {**segment["headers"], "ETag": etag}
        url: str = segment["url"]
        if url.startswith("/"):
            path = url.removeprefix(self._script_name)
            self._app.put(path, body, headers=headers, content_type="", extra_environ=self._environ)
        else:
            request = urllib.request.Request(url, data=body, headers=headers, method="PUT")  # noqa: S310  from us
            urllib.request.urlopen(request, timeout=60).close()  # noqa: S310  the same
