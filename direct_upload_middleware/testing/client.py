"""What the browser does, done by WebTest."""

from __future__ import annotations

import urllib.request
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from hashlib import md5
from io import SEEK_END, BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote

if TYPE_CHECKING:
    from webtest import TestApp

#: What :func:`upload_file` can be made to fail with.
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
    """Upload ``data`` as ``filename`` through the middleware, and give the receipt, for the application's form.

    ::

        receipt = upload_file(test_app, "report.pdf", b"…", content_type="application/pdf")
        test_app.post("/documents", {"document": receipt})

    It goes the whole way that the script in a page goes: begin, PUT of every segment to its temp URL, complete; into
    whatever storage the middleware has. The requester is whoever ``test_app`` is logged in as.

    :param test_app: a ``webtest.TestApp`` around the application with the middleware. It keeps the binding cookie.
    :param data: bytes, or a seekable binary file of any size, which is read a segment at a time.
    :param content_type: the file's MIME type; "" as of a file whose type the browser does not know.
    :param mount: the middleware's.
    :param extra_environ: for each request to the application, as WebTest's: ``{"REMOTE_USER": "alice"}``.
    :param fail_with: make the upload fail, on purpose, with this code: one of :data:`FAILURES`.
    :raises webtest.AppError: the middleware refused; the message has the problem with its code.
    """
    if fail_with is not None and fail_with not in FAILURES:
        raise ValueError(f"fail_with: {fail_with!r} is none of {', '.join(FAILURES)}")
    file = BytesIO(data) if isinstance(data, bytes) else data
    page = _Page(test_app, mount, dict(extra_environ or {}))
    headers = {"Sec-Fetch-Site": "cross-site"} if fail_with == "cross-site" else {}
    size = file.seek(0, SEEK_END)
    begun = page.post("uploads", {"filename": filename, "size": size, "type": content_type}, headers)
    etags = [_send(page, file, segment, fail_with) for segment in page.segments(begun)]
    done = _complete(page, begun, etags, fail_with)
    if fail_with is not None:
        raise AssertionError(f"the upload was to fail with {fail_with}, and did not")
    return str(done["receipt"])


def upload_files(test_app: TestApp, files: Iterable[tuple[str, bytes | BinaryIO]], **options: Any) -> list[str]:
    """The receipts of several files, for a field with ``multiple``.

    ::

        receipts = upload_files(test_app, [("one.png", b"…"), ("two.png", b"…")])
        test_app.post("/pictures", [("pictures", receipt) for receipt in receipts])

    :param files: filenames and data.
    :param options: those of :func:`upload_file`, the same for each file.
    """
    return [upload_file(test_app, filename, data, **options) for filename, data in files]


def _send(page: _Page, file: BinaryIO, segment: Mapping[str, Any], fail_with: str | None) -> dict[str, Any]:
    """Send one segment. What complete is to be told of it."""
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


def checksum_header(segment: Mapping[str, Any], etag: str) -> dict[str, str]:
    """Return the header that tells storage the MD5, as the segment asks for it."""
    checksum = segment.get("checksum", {"header": "ETag", "encoding": "hex"})
    value = etag if checksum["encoding"] == "hex" else b64encode(bytes.fromhex(etag)).decode()
    return {checksum["header"]: value}


class _Page:
    """A page of the application, as far as its requests go."""

    def __init__(self, test_app: TestApp, mount: str, extra_environ: dict[str, Any]) -> None:
        self._app = test_app
        self._mount = mount
        self._environ = extra_environ
        self._script_name = quote({**test_app.extra_environ, **extra_environ}.get("SCRIPT_NAME", ""))

    def post(self, call: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Any:
        url = f"{self._mount}/{call}"
        return self._app.post_json(url, body, headers=dict(headers), extra_environ=self._environ).json

    def segments(self, begun: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The segments with their temp URLs, which are asked for as they are needed."""
        yield from begun["segments"]
        for first in range(len(begun["segments"]), begun["segment_count"], _SIGNED_AT_ONCE):
            indexes = list(range(first, min(first + _SIGNED_AT_ONCE, begun["segment_count"])))
            headers = {"Upload-Ticket": begun["ticket"]}
            signed = self.post(f"uploads/{begun['id']}/segments", {"indexes": indexes}, headers)
            yield from signed["segments"]

    def put(self, segment: Mapping[str, Any], body: bytes, etag: str) -> None:
        headers = {**segment["headers"], **checksum_header(segment, etag)}
        url: str = segment["url"]
        if url.startswith("/"):
            path = url.removeprefix(self._script_name)
            self._app.put(path, body, headers=headers, content_type="", extra_environ=self._environ)
        else:
            request = urllib.request.Request(url, data=body, headers=headers, method="PUT")  # noqa: S310  from us
            urllib.request.urlopen(request, timeout=60).close()  # noqa: S310  the same
