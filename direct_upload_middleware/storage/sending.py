"""Send the segments of a file from the application, to the presigned URLs that a browser would use."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import replace
from hashlib import md5
from typing import BinaryIO, Protocol, runtime_checkable

from ..errors import StorageError, StorageUnavailable
from .base import Segment, SignedSegment, Storage, Transfer

ATTEMPTS = 4
TIMEOUT = 60
BLOCK = 64 * 1024


class SegmentReader:
    """One segment of a file: as long as the segment, read once, and never whole in memory. It computes the MD5."""

    def __init__(self, file: BinaryIO, segment: Segment) -> None:
        self._file = file
        self._start = segment.offset
        self._size = segment.size
        self._rewind()

    def _rewind(self) -> None:
        self._left = self._size
        self._md5 = md5(usedforsecurity=False)
        self._file.seek(self._start)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        while block := self.read(BLOCK):
            yield block

    def read(self, size: int = -1) -> bytes:
        """Return at most ``size`` bytes; raise ValueError if the file has become shorter."""
        block = self._file.read(self._left if size is None or size < 0 else min(size, self._left))
        if self._left and size and not block:
            raise ValueError("the file became shorter while it was stored")
        self._left -= len(block)
        self._md5.update(block)
        return block

    def digest_ahead(self) -> bytes:
        """Return the MD5 of the whole segment, before it is sent."""
        for _ in self:
            pass
        digest = self._md5.digest()
        self._rewind()
        return digest

    @property
    def etag(self) -> str:
        """The MD5, in hex, of what was read."""
        return self._md5.hexdigest()


@runtime_checkable
class SegmentSender(Protocol):
    """A storage that sends segments with its own HTTP client, for example because of its certificate authority."""

    def send(self, signed: SignedSegment, body: SegmentReader) -> int:
        """PUT the body to the presigned URL; return the status. Raise StorageUnavailable without an answer."""


def send_segments(storage: Storage, transfer: Transfer, file: BinaryIO, *, ttl: int) -> dict[int, str]:
    """Send a whole file, one segment after the other; return the ETag of each segment.

    :param ttl: how many seconds each presigned URL is valid.
    :raises StorageUnavailable: storage did not accept a segment in several attempts.
    :raises StorageError: storage refused a segment.
    """
    etags = {}
    for segment in transfer.segments():
        [signed] = storage.sign(transfer, [segment.index], ttl=ttl, fresh=True)
        etags[segment.index] = _send(storage, signed, file)
    return etags


def _send(storage: Storage, signed: SignedSegment, file: BinaryIO) -> str:
    for attempt in range(1, ATTEMPTS + 1):
        body = SegmentReader(file, signed.segment)
        try:
            _check(_put(storage, signed, body))
        except StorageUnavailable:
            if attempt == ATTEMPTS:
                raise
            time.sleep(0.2 * 2**attempt)
        else:
            break
    return body.etag


def _check(status: int) -> None:
    if status >= 500 or status in (408, 409, 425, 429, 498):
        raise StorageUnavailable
    if status not in range(200, 300):
        raise StorageError(f"Storage answered {status} to the PUT of a segment.")


def _put(storage: Storage, signed: SignedSegment, body: SegmentReader) -> int:
    if isinstance(storage, SegmentSender):
        return storage.send(signed, body)
    signed = replace(signed, headers={**signed.headers, **_checksum(signed, body)})
    if signed.url.startswith("/"):
        return _put_inside(storage, signed, body)
    return put_with_requests(signed, body)


def _checksum(signed: SignedSegment, body: SegmentReader) -> dict[str, str]:
    """Return the header with the MD5, if this storage demands it. That takes another reading of the segment."""
    checksum = getattr(signed, "checksum", None)
    if checksum is None:
        return {}
    digest = body.digest_ahead()
    return {checksum.header: b64encode(digest).decode() if checksum.encoding == "base64" else digest.hex()}


def _put_inside(storage: Storage, signed: SignedSegment, body: SegmentReader) -> int:
    """Let a storage below the middleware's mount answer the request without a server."""
    from webob import Request  # here, so that importing the test helpers does not import WebOb

    request = Request.blank(signed.url, method="PUT", headers=dict(signed.headers))
    request.environ["wsgi.input"] = body
    request.content_length = len(body)

    def app(environ: dict[str, object], start_response: object) -> Iterable[bytes]:
        return storage.serve(environ, start_response) or ()  # type: ignore[arg-type]

    status, _, _ = request.call_application(app)
    return int(status.split()[0])


def put_with_requests(signed: SignedSegment, body: SegmentReader) -> int:
    """PUT with requests, which every storage on another server needs anyway."""
    import requests

    try:
        return requests.put(
            signed.url,
            data=body if len(body) else b"",
            headers=dict(signed.headers),
            timeout=TIMEOUT,
            allow_redirects=False,
        ).status_code
    except requests.RequestException as error:
        raise StorageUnavailable from error
