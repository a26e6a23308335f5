"""Upload files in tests like the page's script."""

from __future__ import annotations

import re
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from email.message import Message
from hashlib import md5
from io import SEEK_END, BytesIO
from typing import Any, BinaryIO
from urllib.parse import quote, unquote, urljoin, urlsplit

from .adapters import Adapter, Answer, UploadFailed, adapt

#: The codes for ``fail_with`` of :func:`upload_file`.
FAILURES = ("cross-site", "segments-missing", "segments-differ", "invalid-ticket", "not-yours")

_SIGNED_AT_ONCE = 100
_REDIRECTS = 10
_SEALING_PAUSE = 0.2

with suppress(ImportError):  # WebTest is one of several clients
    from .webtest_forms import support_upload_fields

    support_upload_fields()


def upload_file(
    test_app: Any,
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

    A form of WebTest takes it as the value of its field: ``form["document"] = receipt``.

    It makes the same calls as the page's script: begin, PUT of each segment to its temp URL, complete. The requester
    is the user that ``test_app`` is logged in as.

    :param test_app: a test client of the application with the middleware: ``webtest.TestApp``, Flask's or Werkzeug's
        client, Django's client, or django-webtest's app. It keeps the binding cookie.
    :param data: bytes, or a seekable binary file of any size, which is read one segment at a time.
    :param content_type: the file's MIME type; "" if the browser does not know it.
    :param mount: the middleware's mount.
    :param extra_environ: more of the environ for each request: ``{"REMOTE_USER": "alice"}``.
    :param fail_with: make the upload fail with this code, one of :data:`FAILURES`.
    :raises webtest.AppError: with WebTest, the middleware refused; the message has the problem with its code.
    :raises UploadFailed: with the other clients, the same; an AssertionError.
    """
    if fail_with is not None and fail_with not in FAILURES:
        raise ValueError(f"fail_with must be one of {', '.join(FAILURES)}, not {fail_with!r}")
    file = BytesIO(data) if isinstance(data, bytes) else data
    page = _Page(adapt(test_app, extra_environ or {}), mount)
    headers = {"Sec-Fetch-Site": "cross-site"} if fail_with == "cross-site" else {}
    size = file.seek(0, SEEK_END)
    begun = page.post("uploads", {"filename": filename, "size": size, "type": content_type}, headers)
    etags = [_send(page, file, segment, fail_with) for segment in page.segments(begun)]
    done = _complete(page, begun, etags, fail_with)
    if fail_with is not None:
        raise AssertionError(f"the upload should have failed with {fail_with}, but it succeeded")
    return str(done["receipt"])


def upload_files(test_app: Any, files: Iterable[tuple[str, bytes | BinaryIO]], **options: Any) -> list[str]:
    """Upload several files; return their receipts for a field with ``multiple``.

    ::

        receipts = upload_files(test_app, [("one.png", b"…"), ("two.png", b"…")])
        test_app.post("/pictures", [("pictures", receipt) for receipt in receipts])

    :param files: pairs of filename and data.
    :param options: the options of :func:`upload_file`, the same for each file.
    """
    return [upload_file(test_app, filename, data, **options) for filename, data in files]


@dataclass(frozen=True)
class DownloadedFile:
    """A file as a browser downloads it."""

    data: bytes
    filename: str | None
    content_type: str


def download_file(test_app: Any, url: str, *, extra_environ: Mapping[str, Any] | None = None) -> DownloadedFile:
    """Follow a download link of the application, through its redirects, into whatever storage there is.

    ::

        file = download_file(test_app, "/documents/1")
        assert (file.filename, file.data) == ("report.pdf", b"…")

    :param test_app: a test client, as for :func:`upload_file`.
    :param url: an address of the application, or a presigned URL.
    :raises UploadFailed: the application or storage answered with an error.
    """
    client = adapt(test_app, extra_environ or {})
    for _ in range(_REDIRECTS):
        answer = _get(client, url)
        if answer.status not in (301, 302, 303, 307, 308):
            break
        url = urljoin(url, answer.headers["Location"])
    if answer.status != 200:
        raise UploadFailed(f"{url.partition('?')[0]} answered {answer.status}")
    filename = _filename(answer.headers.get("Content-Disposition", ""))
    return DownloadedFile(answer.body, filename, answer.headers.get("Content-Type", ""))


def _filename(disposition: str) -> str | None:
    """Return the filename in a Content-Disposition header (RFC 6266): the one in UTF-8, if there is one."""
    if found := re.search(r"filename\*=UTF-8''([^;]+)", disposition, re.IGNORECASE):
        return unquote(found[1])
    message = Message()
    message["Content-Disposition"] = disposition
    return message.get_filename()


def _get(client: Adapter, url: str) -> Answer:
    parts = urlsplit(url)
    if parts.hostname in (None, "localhost", "testserver"):
        path = parts._replace(scheme="", netloc="").geturl()
        return client.get(path.removeprefix(quote(client.script_name)))
    try:
        with urllib.request.urlopen(url, timeout=60) as response:  # noqa: S310  from the application
            return Answer(response.status, dict(response.headers), response.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, dict(error.headers), b"")


def _send(page: _Page, file: BinaryIO, segment: Mapping[str, Any], fail_with: str | None) -> dict[str, Any]:
    """Send one segment; return its entry in the list for complete."""
    file.seek(segment["offset"])
    body = file.read(segment["size"])
    etag = _md5(body)
    if fail_with == "segments-differ" and segment["index"] == 0:
        etag = _md5(body + b"damaged")
    if fail_with != "segments-missing" or segment["index"] != 0:
        page.put(segment, body)
    return {"index": segment["index"], "etag": etag}


def _complete(page: _Page, begun: Mapping[str, Any], etags: list[dict[str, Any]], fail_with: str | None) -> Any:
    headers = {"Upload-Ticket": begun["ticket"][:-1] if fail_with == "invalid-ticket" else begun["ticket"]}
    with page.client.without_binding() if fail_with == "not-yours" else nullcontext():
        while True:
            done = page.post(f"uploads/{begun['id']}/complete", {"segments": etags}, headers)
            if done.get("state") != "sealing":
                return done
            time.sleep(_SEALING_PAUSE)


def _md5(body: bytes) -> str:
    return md5(body, usedforsecurity=False).hexdigest()


def checksum_header(segment: Mapping[str, Any], etag: str) -> dict[str, str]:
    """Return the header that tells storage the MD5, as the segment asks for it."""
    checksum = segment.get("checksum", {"header": "ETag", "encoding": "hex"})
    value = etag if checksum["encoding"] == "hex" else b64encode(bytes.fromhex(etag)).decode()
    return {checksum["header"]: value}


class _Page:
    """A page of the application, which calls the upload API."""

    def __init__(self, client: Adapter, mount: str) -> None:
        self.client = client
        self._mount = mount
        self._script_name = quote(client.script_name)

    def post(self, call: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Any:
        return self.client.post(f"{self._mount}/{call}", body, headers)

    def segments(self, begun: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the segments with their presigned URLs, signing more of them when needed."""
        yield from begun["segments"]
        for first in range(len(begun["segments"]), begun["segment_count"], _SIGNED_AT_ONCE):
            indexes = list(range(first, min(first + _SIGNED_AT_ONCE, begun["segment_count"])))
            headers = {"Upload-Ticket": begun["ticket"]}
            signed = self.post(f"uploads/{begun['id']}/segments", {"indexes": indexes}, headers)
            yield from signed["segments"]

    def put(self, segment: Mapping[str, Any], body: bytes) -> None:
        headers = {**segment["headers"], **_checksum(segment, body)}
        url: str = segment["url"]
        if url.startswith("/"):
            self.client.put(url.removeprefix(self._script_name), body, headers)
        else:
            request = urllib.request.Request(url, data=body, headers=headers, method="PUT")  # noqa: S310  from us
            urllib.request.urlopen(request, timeout=60).close()  # noqa: S310  the same


def _checksum(segment: Mapping[str, Any], body: bytes) -> dict[str, str]:
    """Return the header with the segment's MD5, as this storage wants it."""
    wanted = segment.get("checksum", {"header": "ETag", "encoding": "hex"})
    digest = md5(body, usedforsecurity=False)
    text = b64encode(digest.digest()).decode() if wanted["encoding"] == "base64" else digest.hexdigest()
    return {wanted["header"]: text}
