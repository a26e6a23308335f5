"""What a server must be able to do. It is tried below ``PREFIX/.direct-upload/probes/`` and never assumed.

A server that lacks a capability of :data:`REMEDIES` is refused: an upload could be read, changed or confirmed twice.
"""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import md5
from typing import Literal

from ...errors import StorageError
from ..base import StoredSegment, Transfer
from .browser import Answer, fetch
from .client import Refusal, S3Client
from .multipart import MultipartUploads, object_etag

FOLDER = ".direct-upload/probes/"
COPY_SOURCE = "x-amz-copy-source"
CONDITION_REFUSALS = ("412", "409", "400", "501")
"""The answers to a conditional PUT: the condition is honoured (the first two), or not supported."""

Name = Literal[
    "put", "conditional-put", "part-etag", "part-copy", "complete-verifies", "urls-end", "conditional-complete"
]

REMEDIES: dict[Name, str] = {
    "put": "Correct what stands between here and storage: a presigned URL must reach it unchanged. If the storage URL "
    "has sign_copy_source=1, leave it out: Swift's s3api and others do not take the header.",
    "conditional-put": "Use a server that honours If-None-Match on PUT (AWS S3, Cloudflare R2, Ceph RGW, SeaweedFS).",
    "part-etag": "Encrypt the bucket with SSE-S3 (AES256) instead of SSE-KMS or SSE-C.",
    "part-copy": "Upgrade the server (Ceph RGW: 19.2.6, 20.2.4 or newer, CVE-2026-54330; MinIO: CVE-2026-97731), or, "
    "when you have made sure that nothing in front of it adds or changes headers, add sign_copy_source=1 to the "
    "storage URL: each URL then demands an empty x-amz-copy-source header.",
    "complete-verifies": "Use a server that compares each part's ETag when a multipart upload is completed.",
    "urls-end": "Use a server whose part URLs end with the upload. For OpenStack Swift, use swift://CONTAINER.",
}
FAULTS: dict[Name, str] = {
    "put": "storage does not take a part through a presigned URL",
    "conditional-put": "storage ignores If-None-Match on PUT",
    "part-etag": "storage's ETags of parts are not MD5",
    "part-copy": "storage lets whoever holds a part URL copy any other object into the upload (x-amz-copy-source)",
    "complete-verifies": "storage completes an upload whose ETags are wrong",
    "urls-end": "storage lets a part URL write after its upload was completed",
}
GOOD: dict[Name, str] = {
    "put": "a presigned URL takes a part",
    "conditional-put": "storage honours If-None-Match on PUT",
    "part-etag": "the ETag of a part is its MD5",
    "part-copy": "a part URL cannot copy another object",
    "complete-verifies": "storage verifies each part when an upload is completed",
    "urls-end": "part URLs end when their upload is completed",
    "conditional-complete": "storage honours If-None-Match on completion",
}


@dataclass(frozen=True, slots=True)
class Capability:
    """The result of one trial. ``status`` is the server's answer."""

    name: Name
    is_there: bool
    status: int | str

    def check(self) -> None:
        """Raise StorageError, with the remedy, if it is missing and uploads would be unsafe without it."""
        if not self.is_there and self.name in REMEDIES:
            raise StorageError(f"This server is refused: {FAULTS[self.name]} ({self.status}). {REMEDIES[self.name]}")


class Probe:
    """One trial of a server, under names of its own, which it removes."""

    def __init__(self, client: S3Client, prefix: str, *, signs_copy_source: bool) -> None:
        self._client = client
        self._headers = {COPY_SOURCE: ""} if signs_copy_source else {}
        folder = f"{prefix}{FOLDER}{secrets.token_hex(8)}/"
        self._multipart = MultipartUploads(client, folder)
        self._victim = secrets.token_bytes(64)
        self._data = secrets.token_bytes(64)

    def results(self) -> Iterator[Capability]:
        """Try one capability after another; stop early when the rest cannot be tried. Raise a storage error."""
        transfer = _transfer(self._data)
        transfer = _with_reference(transfer, self._multipart.create(transfer))
        try:
            yield self._conditional_put()
            put = self._put(transfer)
            yield Capability("put", put.status == 200, put.status)
            if put.status != 200:
                return
            yield Capability("part-etag", put.etag == _md5(self._data).hex(), put.status)
            yield self._copy(transfer)
            yield self._wrong_etag(transfer)
            yield self._conditional_complete(transfer)
            late = self._put(transfer)
            yield Capability("urls-end", not 200 <= late.status < 300, late.status)
        finally:
            self._clean_up(transfer)

    def _conditional_put(self) -> Capability:
        """Make an object under the upload's name. Later, Complete has to honour If-None-Match there."""
        key = self._multipart.key("target")
        self._client.call("put_object", Key=key, Body=self._victim)
        try:
            self._client.call("put_object", expect=CONDITION_REFUSALS, Key=key, Body=b"", IfNoneMatch="*")
        except Refusal as refusal:
            return Capability("conditional-put", refusal.status in (409, 412), refusal.status)
        return Capability("conditional-put", False, 200)

    def _url(self, transfer: Transfer, *, headers: dict[str, str]) -> str:
        query = {"partNumber": "1", "uploadId": transfer.reference}
        return self._client.presigned_url("PUT", self._multipart.key("target"), query, ttl=60, headers=headers)

    def _put(self, transfer: Transfer) -> Answer:
        """Send the part as a browser does."""
        sent = {**self._headers, "Content-MD5": b64encode(_md5(self._data)).decode()}
        return fetch("PUT", self._url(transfer, headers=self._headers), self._data, sent)

    def _copy(self, transfer: Transfer) -> Capability:
        """Ask for a copy of an existing object, also where the header is signed as empty."""
        victim = f"/{self._client.bucket}/{self._multipart.key('target')}"
        url = self._url(transfer, headers=self._headers)
        answer = fetch("PUT", url, b"", {COPY_SOURCE: victim})
        copied = {_md5(self._victim).hex()} & {s.etag for s in (self._multipart.parts(transfer) or {}).get(0, [])}
        is_refused = answer.status in (400, 403) and not copied
        if not is_refused:  # the copy may have taken the part's place
            self._put(transfer)
        return Capability("part-copy", is_refused, answer.status)

    def _wrong_etag(self, transfer: Transfer) -> Capability:
        wrong = _stored(secrets.token_bytes(64), len(self._data))
        answer = self._multipart.complete(transfer, [wrong], conditional=False)
        return Capability("complete-verifies", "-" not in answer and bool(answer), answer)

    def _conditional_complete(self, transfer: Transfer) -> Capability:
        """Complete under a name that is taken; when that is refused, complete without the condition."""
        stored = _stored(self._data, len(self._data))
        answer = self._multipart.complete(transfer, [stored], conditional=True)
        is_there = answer in ("PreconditionFailed", "412")
        if is_there:
            self._multipart.complete(transfer, [stored], conditional=False)
        found = self._multipart.find("target")
        if found is None or found.etag != object_etag([stored]):
            raise StorageError(f"Storage did not complete a trial upload ({answer}).")
        return Capability("conditional-complete", is_there, answer)

    def _clean_up(self, transfer: Transfer) -> None:
        with suppress(StorageError):  # what is left is below .direct-upload/probes/, where the sweep finds it
            self._multipart.abort(transfer)
            self._multipart.delete("target")


def _transfer(data: bytes) -> Transfer:
    plan = (len(data), len(data), 1)
    return Transfer("0" * 32, "target", "application/octet-stream", *plan, "revoke", 0)


def _with_reference(transfer: Transfer, reference: str) -> Transfer:
    return replace(transfer, reference=reference)


def _stored(data: bytes, size: int) -> StoredSegment:
    return StoredSegment(0, size, _md5(data).hex())


def _md5(data: bytes) -> bytes:
    return md5(data, usedforsecurity=False).digest()
