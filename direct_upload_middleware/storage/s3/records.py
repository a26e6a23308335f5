"""The records of an upload: two small objects beside its own, below ``.direct-upload/uploads/ID/``.

The *pin* is made before the multipart upload is completed. It fixes the ETags, so that two completions with different
ETags cannot both succeed. The *decision* is made once, ``complete`` or ``aborted``, and the first caller wins. A
decision ``aborted`` is the upload's tombstone. Both rely on ``If-None-Match: *``, which is probed
(:mod:`.capabilities`).
"""

from __future__ import annotations

import json
import random
import time
from dataclasses import dataclass
from typing import Any, Literal

from ...errors import StorageError, StorageUnavailable
from ..base import StoredSegment, Transfer
from .client import Refusal, S3Client

FOLDER = ".direct-upload/uploads/"  # not .uploads/, which SeaweedFS leaves out of listings
PIN, DECISION, SEALING = "pin", "decision", "sealing"
_ATTEMPTS = 6
_TAKEN = ("PreconditionFailed", "412")
_CONFLICT = ("ConditionalRequestConflict", "409")


@dataclass(frozen=True, slots=True)
class Record:
    """A pin or a decision. ``written``, ``sealed_at`` and ``expires`` (the ticket's end) are Unix seconds.

    ``outcome`` is "" in a pin.
    """

    name: str
    reference: str
    outcome: Literal["", "complete", "aborted"]
    written: int
    expires: int
    sealed_at: int = 0
    segments: tuple[StoredSegment, ...] = ()


class Records:
    """Reads and writes records. ``prefix`` is the storage's."""

    def __init__(self, client: S3Client, prefix: str) -> None:
        self._client = client
        self.folder = prefix + FOLDER

    def key(self, id: str, kind: str) -> str:
        """Return the key of a record. ``kind`` is :data:`PIN` or :data:`DECISION`."""
        return f"{self.folder}{id}/{kind}"

    def create(self, id: str, kind: str, record: Record) -> bool:
        """Write the record unless there is one already. Return whether it was written."""
        for attempt in range(_ATTEMPTS):
            try:
                self._put(self.key(id, kind), record, expect=(*_TAKEN, *_CONFLICT), IfNoneMatch="*")
            except Refusal as refusal:
                if refusal.status != 409:
                    return False
                time.sleep(random.uniform(0, 0.05 * 2**attempt))  # noqa: S311  no secret
            else:
                return True
        raise StorageUnavailable

    def overwrite(self, id: str, kind: str, record: Record) -> None:
        """Write the record, also over another."""
        self._put(self.key(id, kind), record)

    def _put(self, key: str, record: Record, *, expect: tuple[str, ...] = (), **more: Any) -> None:
        body = json.dumps(_members(record), separators=(",", ":")).encode()
        self._client.call("put_object", expect=expect, Key=key, Body=body, ContentType="application/json", **more)

    def read(self, id: str, kind: str) -> Record | None:
        """Return the record; None when there is none."""
        try:
            answer = self._client.call("get_object", expect=("404", "NoSuchKey"), Key=self.key(id, kind))
        except Refusal:
            return None
        try:
            members = json.loads(answer["Body"])
            segments = tuple(StoredSegment(i, size, etag) for i, (size, etag) in enumerate(members.pop("segments")))
            return Record(**members, segments=segments)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise StorageError(f"The record {self.key(id, kind)} is damaged.") from error

    def remove(self, id: str, kind: str) -> None:
        """Remove the record, if there is one."""
        self._client.call("delete_object", Key=self.key(id, kind))


class S3SealingMarks:
    """Marks of uploads that are being sealed: small objects beside the records, with the time when they end."""

    def __init__(self, client: S3Client, records: Records) -> None:
        self._client = client
        self._records = records

    def put(self, id: str, seconds: int) -> None:
        """See :meth:`~..base.SealingMarks.put`."""
        ends = str(self._client.now() + seconds).encode()
        self._client.call("put_object", Key=self._records.key(id, SEALING), Body=ends, ContentType="text/plain")

    def exists(self, id: str) -> bool:
        """See :meth:`~..base.SealingMarks.exists`."""
        try:
            answer = self._client.call("get_object", expect=("404", "NoSuchKey"), Key=self._records.key(id, SEALING))
        except Refusal:
            return False
        ends: bytes = answer["Body"]
        return ends.isdigit() and int(ends) > self._client.now()

    def remove(self, id: str) -> None:
        """See :meth:`~..base.SealingMarks.remove`."""
        self._records.remove(id, SEALING)


def record_of(
    transfer: Transfer,
    outcome: Literal["", "complete", "aborted"],
    now: int,
    *,
    sealed_at: int = 0,
    segments: tuple[StoredSegment, ...] = (),
) -> Record:
    """Return a record about this upload."""
    return Record(transfer.name, transfer.reference, outcome, now, transfer.expires, sealed_at, segments)


def _members(record: Record) -> dict[str, Any]:
    return {
        "name": record.name,
        "reference": record.reference,
        "outcome": record.outcome,
        "written": record.written,
        "expires": record.expires,
        "sealed_at": record.sealed_at,
        "segments": [[segment.size, segment.etag] for segment in record.segments],
    }
