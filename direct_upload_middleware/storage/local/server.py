"""The temp URLs of the local storage, answered as Swift would: same rules, same statuses.

What is downloaded here has the application's own origin, so a browser is told to take it for nothing but what it is:
``nosniff``, and ``Content-Security-Policy: sandbox``, which lets no script in it run.
"""

from __future__ import annotations

import errno
import hmac
import logging
import re
import time
from collections.abc import Iterable, Iterator
from email.utils import formatdate
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote

from ...errors import AlreadyComplete, NotFound, StorageError
from .. import temp_urls
from .disk import Disk, UploadRecord
from .files import FilesReader
from .ranges import Unsatisfiable, asked_range, matches, unchanged
from .receive import BLOCK, content_length, receive
from .responses import TEXT, Answer, Refusal, unauthorized

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from ...keys import Keys

log = logging.getLogger(__name__)

PREFIX = "/local/"
DOWNLOADS = ("downloads",)

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_POINTERS = ("HTTP_X_OBJECT_MANIFEST", "HTTP_X_SYMLINK_TARGET", "HTTP_X_COPY_FROM")


def segment_path(container: str, id: str, index: int) -> str:
    """The path, below the mount, that a segment is PUT to."""
    return f"{PREFIX}{container}_segments/{id}/{index}"


def segment_purpose(id: str) -> tuple[str, str]:
    """What the keys of an upload's temp URLs are derived for."""
    return ("temp URL", id)


def object_path(container: str, name: str) -> str:
    """The path, below the mount, that an object is downloaded from."""
    return f"{PREFIX}{container}/{name}"


class TempUrlServer:
    """Answers requests for temp URLs under the mount."""

    def __init__(self, disk: Disk, container: str, keys: Keys) -> None:
        self._disk = disk
        self._keys = keys
        self._objects = object_path(container, "")
        self._segment = re.compile(re.escape(f"{PREFIX}{container}_segments/") + r"([0-9a-f]{32})/(0|[1-9][0-9]{0,8})")

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answer = self._answer(environ)
        start_response(answer.status, [*answer.headers, ("X-Content-Type-Options", "nosniff")])
        if environ["REQUEST_METHOD"] != "HEAD":
            return answer.body
        if isinstance(answer.body, _Download):
            answer.body.close()
        return ()

    def _answer(self, environ: WSGIEnvironment) -> Answer:
        try:
            return self._route(environ)
        except Refusal as refusal:
            return refusal.answer
        except (OSError, StorageError) as error:
            log.exception("the local storage failed")
            number = getattr(error, "errno", None)
            return Refusal(507 if number in _FULL else 503, headers=[("Retry-After", "5")]).answer

    def _route(self, environ: WSGIEnvironment) -> Answer:
        try:
            path = environ["PATH_INFO"].encode("latin-1").decode()
        except UnicodeError:
            raise unauthorized() from None
        temp_url = _TempUrl(environ, path)
        method = environ["REQUEST_METHOD"]
        if segment := self._segment.fullmatch(path):
            temp_url.check(self._keys.derive_all(*segment_purpose(segment[1])))
            if method == "PUT":
                return self._put(environ, segment[1], int(segment[2]))
            if method == "HEAD":
                return self._head_segment(segment[1], int(segment[2]))
        elif path.startswith(self._objects) and path != self._objects:
            temp_url.check(self._keys.derive_all(*DOWNLOADS))
            if method in ("GET", "HEAD"):
                return self._get(environ, path.removeprefix(self._objects), temp_url)
        raise unauthorized()

    # -- segments

    def _put(self, environ: WSGIEnvironment, id: str, index: int) -> Answer:
        if any(header in environ for header in _POINTERS):
            raise Refusal(400)
        length = content_length(environ)
        try:
            with self._disk.incoming(id) as incoming:
                etag = receive(environ, incoming, length)
                incoming.keep(index)
        except (NotFound, AlreadyComplete, FileNotFoundError):
            raise unauthorized() from None
        return Answer("201 Created", [TEXT, ("Content-Length", "0"), ("ETag", f'"{etag}"')])

    def _head_segment(self, id: str, index: int) -> Answer:
        files = self._disk.files(id)
        try:
            files.check_open()
            stored = files.segments().get(index)
        except (NotFound, AlreadyComplete, FileNotFoundError):
            raise unauthorized() from None
        if stored is None:
            raise Refusal(404)
        headers = [("Content-Type", "application/octet-stream"), ("Content-Length", str(stored.size))]
        return Answer("200 OK", [*headers, ("ETag", f'"{stored.etag}"')])

    # -- objects

    def _get(self, environ: WSGIEnvironment, name: str, temp_url: _TempUrl) -> Answer:
        manifest = self._disk.published(name)
        if manifest is None:
            raise Refusal(404)
        headers = _object_headers(manifest, temp_url, name)
        modified = formatdate(manifest.sealed_at, usegmt=True)
        if not matches(environ, manifest.etag):
            raise Refusal(412)
        if unchanged(environ, manifest.etag, modified):
            return Answer("304 Not Modified", headers)
        try:
            bounds = asked_range(environ, manifest.size, manifest.etag, modified)
        except Unsatisfiable:
            raise Refusal(416, headers=[("Content-Range", f"bytes */{manifest.size}")]) from None
        start, stop = bounds or (0, manifest.size)
        headers += [("Content-Type", manifest.type), ("Content-Length", str(stop - start)), ("Accept-Ranges", "bytes")]
        if bounds:
            headers.append(("Content-Range", f"bytes {start}-{stop - 1}/{manifest.size}"))
        body = self._download(manifest, start, stop)
        return Answer("206 Partial Content" if bounds else "200 OK", headers, body)

    def _download(self, manifest: UploadRecord, start: int, stop: int) -> _Download:
        try:
            return _Download(self._disk.files(manifest.id).reader(manifest), start, stop)
        except StorageError as error:
            if isinstance(error.__cause__, FileNotFoundError):  # deleted a moment ago
                raise Refusal(404) from None
            raise


class _TempUrl:
    """What a request says about its own signature."""

    def __init__(self, environ: WSGIEnvironment, path: str) -> None:
        text = environ.get("QUERY_STRING", "").encode("latin-1", "replace").decode("utf-8", "replace")
        query = {name: values[0] for name, values in parse_qs(text, keep_blank_values=True).items()}
        expires = query.get("temp_url_expires", "")
        self.filename = query.get("filename")
        self.inline = "inline" in query
        self.expires = int(expires) if re.fullmatch("[0-9]{1,12}", expires) else 0
        self._signature = query.get("temp_url_sig", "").encode()
        self._ip_range = query.get("temp_url_ip_range")
        self._path = path
        self._method = environ["REQUEST_METHOD"]
        self._address = environ.get("REMOTE_ADDR", "")

    def check(self, keys: Iterable[str]) -> None:
        """Raise the answer 401 unless the signature is by one of ``keys`` and still good."""
        signed = any(hmac.compare_digest(valid, self._signature) for valid in self._valid_signatures(keys))
        if not signed or self.expires < time.time() or not self._is_from_its_address():
            raise unauthorized()

    def _valid_signatures(self, keys: Iterable[str]) -> Iterator[bytes]:
        methods = ("HEAD", "GET", "PUT") if self._method == "HEAD" else (self._method,)
        for key in keys:
            for method in methods:
                yield temp_urls.sign(key, method, self._path, self.expires, ip_range=self._ip_range).encode()

    def _is_from_its_address(self) -> bool:
        if not self._ip_range:
            return True
        try:
            return ip_address(self._address) in ip_network(self._ip_range)
        except ValueError:
            return False


# -- sending -----------------------------------------------------------------------------------------------


def _object_headers(manifest: UploadRecord, temp_url: _TempUrl, name: str) -> list[tuple[str, str]]:
    return [
        ("ETag", f'"{manifest.etag}"'),
        ("Last-Modified", formatdate(manifest.sealed_at, usegmt=True)),
        ("Expires", formatdate(temp_url.expires, usegmt=True)),
        ("Cache-Control", "private"),
        ("Content-Disposition", _disposition(temp_url, name)),
        ("Content-Security-Policy", "sandbox"),
    ]


def _disposition(temp_url: _TempUrl, name: str) -> str:
    if temp_url.inline and not temp_url.filename:
        return "inline"
    filename = temp_url.filename or name.rstrip("/").rpartition("/")[2]
    kind = "inline" if temp_url.inline else "attachment"
    return f"{kind}; filename=\"{quote(filename, safe=' /')}\"; filename*=UTF-8''{quote(filename)}"


class _Download:
    """Some bytes of an object. The first of them are read at once, while there is still an answer to choose."""

    def __init__(self, reader: FilesReader, start: int, stop: int) -> None:
        self._reader = reader
        self._left = stop - start
        try:
            reader.seek(start)
            self._block = self._read()
        except BaseException:
            reader.close()
            raise

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
        """Done with it, whether all was sent or not."""
        self._reader.close()
