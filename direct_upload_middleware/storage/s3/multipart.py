"""Multipart uploads: every upload is one, small and empty ones too.

Part numbers count from 1, segments from 0. A part's ETag is the MD5 of its bytes; the finished object's is the MD5 of
these MD5s, with the number of parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import md5
from typing import Any

from ..base import StoredSegment, Transfer
from .client import Refusal, S3Client

MIN_PART_SIZE = 5 * 1024**2
ID_METADATA = "upload"
NO_UPLOAD = ("NoSuchUpload", "NoSuchKey")
"""The error codes for an upload that has ended; Ceph RGW's is the second."""
_PAGE = 1000

Parts = dict[int, list[StoredSegment]]
"""What is stored for each segment, the newest last: SeaweedFS keeps every part that was sent for a number."""


def object_etag(segments: Sequence[StoredSegment]) -> str:
    """Return the ETag of the object that these segments form."""
    digests = b"".join(bytes.fromhex(segment.etag) for segment in segments)
    return f"{md5(digests, usedforsecurity=False).hexdigest()}-{len(segments)}"


@dataclass(frozen=True, slots=True)
class FoundObject:
    """An object under a final name. ``id`` is its upload's, or "" when it is not ours; ``modified`` is Unix seconds."""

    id: str
    etag: str
    size: int
    modified: int


class MultipartUploads:
    """The requests that one upload is made of. ``prefix`` goes before the names of objects."""

    def __init__(self, client: S3Client, prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    def key(self, name: str) -> str:
        """Return the key of the object with this name."""
        return self._prefix + name

    def create(self, transfer: Transfer) -> str:
        """Begin a multipart upload and return its id. Type and metadata of the object are decided here."""
        metadata = {ID_METADATA: transfer.id}
        answer = self._client.call(
            "create_multipart_upload", Key=self.key(transfer.name), ContentType=transfer.type, Metadata=metadata
        )
        return str(answer["UploadId"])

    def parts(self, transfer: Transfer, *, limit: int | None = None) -> Parts | None:
        """Return what is stored; None when the server knows no such upload (SeaweedFS: or no part of it)."""
        found: Parts = {}
        asked = {**self._names(transfer), "MaxParts": limit or _PAGE, "PartNumberMarker": 0}
        while True:
            try:
                answer = self._client.call("list_parts", expect=NO_UPLOAD, **asked)
            except Refusal:
                return None
            for part in sorted(answer.get("Parts", ()), key=_modified):
                segment = StoredSegment(part["PartNumber"] - 1, part["Size"], part["ETag"].strip('"'))
                found.setdefault(segment.index, []).append(segment)
            if limit or not answer.get("IsTruncated"):
                return found
            asked["PartNumberMarker"] = answer["NextPartNumberMarker"]

    def is_listed(self, transfer: Transfer) -> bool:
        """Return whether the server lists the upload among those in progress."""
        key = self.key(transfer.name)
        answer = self._client.call("list_multipart_uploads", Prefix=key)
        return any(item["UploadId"] == transfer.reference for item in answer.get("Uploads", ()) if item["Key"] == key)

    def complete(self, transfer: Transfer, segments: Sequence[StoredSegment], *, conditional: bool) -> str:
        """Make the object; return its ETag, or the error code. The caller finds out what the code means.

        :param conditional: fail with ``PreconditionFailed`` when the name is taken.
        """
        parts = [{"PartNumber": s.index + 1, "ETag": f'"{s.etag}"'} for s in segments]
        asked: dict[str, Any] = {**self._names(transfer), "MultipartUpload": {"Parts": parts}}
        if conditional:
            asked["IfNoneMatch"] = "*"
        try:
            answer = self._client.call("complete_multipart_upload", expect=COMPLETE_REFUSALS, **asked)
        except Refusal as refusal:
            return refusal.code
        return str(answer.get("ETag", "")).strip('"')

    def abort(self, transfer: Transfer) -> None:
        """End the upload and all its URLs. Do nothing if it has ended already."""
        try:
            self._client.call("abort_multipart_upload", expect=NO_UPLOAD, **self._names(transfer))
        except Refusal:
            return

    def _names(self, transfer: Transfer) -> dict[str, str]:
        return {"Key": self.key(transfer.name), "UploadId": transfer.reference}

    # -- objects -------------------------------------------------------------------------------------------------

    def find(self, name: str) -> FoundObject | None:
        """Return the object under this name, also another upload's; None when there is none."""
        try:
            answer = self._client.call("head_object", expect=("404", "NoSuchKey"), Key=self.key(name))
        except Refusal:
            return None
        return FoundObject(
            id=answer.get("Metadata", {}).get(ID_METADATA, ""),
            etag=answer["ETag"].strip('"'),
            size=answer["ContentLength"],
            modified=int(answer["LastModified"].timestamp()),
        )

    def find_own(self, name: str, id: str) -> FoundObject | None:
        """Return the object of this upload; None when there is none, or another's."""
        found = self.find(name)
        return found if found is not None and found.id == id else None

    def delete(self, name: str) -> None:
        """Delete the object under this name, if there is one."""
        self._client.call("delete_object", Key=self.key(name))


COMPLETE_REFUSALS = ("400", "404", "409", "412", "500")
"""Complete's answers that do not tell what happened: servers differ, so the object is asked for afterwards."""


def _modified(part: dict[str, Any]) -> Any:
    return part["LastModified"]
