"""The presigned URLs of the local storage, answered as Swift answers temp URLs: same rules, same statuses.

Downloads have the application's own origin, so a browser must not treat them as part of the application:

- ``Content-Security-Policy: sandbox`` disables the scripts of documents. PDFs have none, because WebKit does not
  display them in a sandbox, and no browser runs their scripts in the page's origin.
- Scripts, style sheets and WebAssembly are sent as ``application/octet-stream``, with which ``nosniff`` blocks them
  everywhere, and a request whose ``Sec-Fetch-Dest`` would execute the response is refused.
"""

from __future__ import annotations

import errno
import logging
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from webob import Request, Response

from ...errors import AlreadyComplete, NotFound, StorageError
from ...file_types.active_types import ANY_TYPE, essence_of, is_page, is_script
from .disk import Disk, UploadRecord
from .files import FilesReader
from .receive import BLOCK, CLIENT_DISCONNECT, RefusedBody, content_length, receive
from .temp_url import TempUrl

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from ...keys import Keys

log = logging.getLogger(__name__)

PREFIX = "/local/"
DOWNLOADS = ("downloads",)

PDF = "application/pdf"

_HARMLESS = {
    *("", "empty", "document", "frame", "iframe", "fencedframe", "object", "embed"),  # sandboxed, if they are documents
    *("image", "audio", "video", "track", "font"),
}
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_RANGE = re.compile(r"bytes=([0-9]{0,19})-([0-9]{0,19})")
_POINTERS = ("HTTP_X_OBJECT_MANIFEST", "HTTP_X_SYMLINK_TARGET", "HTTP_X_COPY_FROM")
_UNAUTHORIZED = {"WWW-Authenticate": 'TempURL realm="direct-upload"'}
_RETRY = {"Retry-After": "5"}


def segment_path(container: str, upload_id: str, index: int) -> str:
    """Return the path, below the mount, to which a segment is PUT."""
    return f"{PREFIX}{container}_segments/{upload_id}/{index}"


def segment_purpose(upload_id: str, size: int) -> tuple[str, str, str]:
    """Return the purpose for which the key of a segment's presigned URL is derived.

    ``size`` is the largest number of bytes that it accepts: with another one in its query the signature is invalid.
    """
    return ("temp URL", upload_id, str(size))


def object_path(container: str, name: str) -> str:
    """Return the path, below the mount, from which an object is downloaded."""
    return f"{PREFIX}{container}/{name}"


class LocalResponse(Response):
    """A response that a browser takes for nothing but its own content type."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.headers["X-Content-Type-Options"] = "nosniff"


class TempUrlServer:
    """Answers requests for presigned URLs below the mount."""

    def __init__(self, disk: Disk, container: str, keys: Keys) -> None:
        self._disk = disk
        self._keys = keys
        self._objects = object_path(container, "")
        self._segment = re.compile(re.escape(f"{PREFIX}{container}_segments/") + r"([0-9a-f]{32})/(0|[1-9][0-9]{0,8})")

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        request = Request(dict(environ))
        try:
            return self._respond(request)(request.environ, start_response)
        except (OSError, StorageError) as error:
            log.exception("the local storage failed")
            is_full = getattr(error, "errno", None) in _FULL
            status = HTTPStatus.INSUFFICIENT_STORAGE if is_full else HTTPStatus.SERVICE_UNAVAILABLE
            return _status_response(status, _RETRY)(environ, start_response)

    def _respond(self, request: Request) -> LocalResponse:
        try:
            path = request.environ["PATH_INFO"].encode("latin-1").decode()
        except UnicodeError:
            return _status_response(HTTPStatus.UNAUTHORIZED, _UNAUTHORIZED)
        temp_url = TempUrl(request, path)
        if segment := self._segment.fullmatch(path):
            if temp_url.is_valid(self._keys.derive_all(*segment_purpose(segment[1], temp_url.size))):
                if request.method == "PUT":
                    return self._put_segment(request, segment[1], int(segment[2]), temp_url.size)
                if request.method == "HEAD":
                    return self._head_segment(segment[1], int(segment[2]))
        elif (
            path.startswith(self._objects)
            and path != self._objects
            and request.method in ("GET", "HEAD")
            and temp_url.is_valid(self._keys.derive_all(*DOWNLOADS))
        ):
            return self._get_object(request, path.removeprefix(self._objects), temp_url)
        return _status_response(HTTPStatus.UNAUTHORIZED, _UNAUTHORIZED)

    def _put_segment(self, request: Request, upload_id: str, index: int, largest: int) -> LocalResponse:
        if any(header in request.environ for header in _POINTERS):
            return _status_response(HTTPStatus.BAD_REQUEST)
        try:
            with self._disk.incoming(upload_id) as incoming:
                length = content_length(request.environ, largest)
                etag = receive(request.environ, incoming, length, largest)
                incoming.keep(index)
        except RefusedBody as refused:
            return _status_response(refused.status)
        except (NotFound, AlreadyComplete, FileNotFoundError):
            return _status_response(HTTPStatus.UNAUTHORIZED, _UNAUTHORIZED)
        return LocalResponse(status=HTTPStatus.CREATED, content_type="text/plain", etag=etag)

    def _head_segment(self, upload_id: str, index: int) -> LocalResponse:
        files = self._disk.files(upload_id)
        try:
            files.check_open()
            stored = files.segments().get(index)
        except (NotFound, AlreadyComplete, FileNotFoundError):
            return _status_response(HTTPStatus.UNAUTHORIZED, _UNAUTHORIZED)
        if stored is None:
            return _status_response(HTTPStatus.NOT_FOUND)
        return LocalResponse(content_type="application/octet-stream", content_length=stored.size, etag=stored.etag)

    def _get_object(self, request: Request, name: str, temp_url: TempUrl) -> LocalResponse:
        record = self._disk.published(name)
        if record is None:
            return _status_response(HTTPStatus.NOT_FOUND)
        if _would_execute(request, record.type):
            return _status_response(HTTPStatus.FORBIDDEN)
        if record.etag not in request.if_match:
            return _status_response(HTTPStatus.PRECONDITION_FAILED)
        _sanitize_conditions(request.environ, record)
        try:
            download = _Download(self._disk.files(record.id).reader(record))
        except StorageError as error:
            if isinstance(error.__cause__, FileNotFoundError):  # deleted a moment ago
                return _status_response(HTTPStatus.NOT_FOUND)
            raise
        response = LocalResponse(
            app_iter=download,
            content_length=record.size,
            conditional_response=True,
            etag=record.etag,
            last_modified=datetime.fromtimestamp(record.sealed_at, UTC),
            accept_ranges="bytes",
            content_disposition=_disposition(temp_url, name),
        )
        response.headers["Content-Type"] = ANY_TYPE if is_script(record.type) else record.type
        response.headers["Cache-Control"] = "private"
        if essence_of(record.type) != PDF:
            response.headers["Content-Security-Policy"] = "sandbox"
        response.expires = datetime.fromtimestamp(temp_url.expires, UTC)
        return response


def _status_response(status: int, headers: dict[str, str] | None = None) -> LocalResponse:
    reason = "Client Disconnect" if status == CLIENT_DISCONNECT else HTTPStatus(status).phrase
    line = f"{int(status)} {reason}"
    response = LocalResponse(f"{line}\n", status=line, content_type="text/plain", charset="UTF-8")
    response.headers.update((headers or {}).items())
    return response


def _would_execute(request: Request, media_type: str) -> bool:
    """Return whether a browser would load the response as code of a page (Fetch Metadata).

    An SVG ``use`` element, which copies the elements of another document, fetches an image in the mode ``same-origin``.
    """
    if "HTTP_SERVICE_WORKER" in request.environ:
        return True
    destination = request.environ.get("HTTP_SEC_FETCH_DEST", "").strip().lower()
    is_use_element = destination == "image" and request.environ.get("HTTP_SEC_FETCH_MODE") == "same-origin"
    return destination not in _HARMLESS or (is_use_element and is_page(media_type))


def _sanitize_conditions(environ: WSGIEnvironment, record: UploadRecord) -> None:
    """Rewrite or remove the conditions of a GET that WebOb misreads.

    WebOb fails on absurd dates and numbers, ignores ``If-None-Match: *``, and misreads the last bytes (``-0``, or more
    than there are). A range counts for GET only, and only a single one (RFC 9110, 14.2).
    """
    if environ.get("HTTP_IF_NONE_MATCH") == "*":
        environ["HTTP_IF_NONE_MATCH"] = f'"{record.etag}"'
    if not _is_date(environ.get("HTTP_IF_MODIFIED_SINCE", "")):
        environ.pop("HTTP_IF_MODIFIED_SINCE", None)
    match = _RANGE.fullmatch(environ.pop("HTTP_RANGE", "").strip())
    if_range = environ.get("HTTP_IF_RANGE", "")
    if match is None or environ["REQUEST_METHOD"] != "GET" or (if_range.endswith("GMT") and not _is_date(if_range)):
        return
    first, last = match.groups()
    if first:
        environ["HTTP_RANGE"] = match[0]
    elif last:
        environ["HTTP_RANGE"] = f"bytes={max(0, record.size - int(last))}-" if int(last) else f"bytes={record.size}-"


def _is_date(text: str) -> bool:
    try:
        parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return False
    return text.endswith(" GMT")


def _disposition(temp_url: TempUrl, name: str) -> str:
    if temp_url.inline and not temp_url.filename:
        return "inline"
    filename = temp_url.filename or name.rstrip("/").rpartition("/")[2]
    kind = "inline" if temp_url.inline else "attachment"
    return f"{kind}; filename=\"{quote(filename, safe=' /')}\"; filename*=UTF-8''{quote(filename)}"


class _Download:
    """The bytes of an object, or of a range of it.

    The first block is read at once, while the response's status can still change.
    """

    def __init__(self, reader: FilesReader, start: int = 0, stop: int | None = None) -> None:
        self._reader = reader
        self._left = (reader.size if stop is None else stop) - start
        try:
            reader.seek(start)
            self._block = self._read()
        except BaseException:
            reader.close()
            raise

    def app_iter_range(self, start: int, stop: int) -> _Download:
        """Return the bytes of a range instead (called by WebOb)."""
        return _Download(self._reader, start, stop)

    def _read(self) -> bytes:
        block = self._reader.read(min(BLOCK, self._left)) or b""
        self._left -= len(block)
        return block

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if not self._block:
            raise StopIteration
        block, self._block = self._block, b""
        if self._left:
            self._block = self._read()
        return block

    def close(self) -> None:
        """Close the files, whether all was sent or not."""
        self._reader.close()
