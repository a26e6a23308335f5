"""The state of an upload, and how it changes: seal, confirm, abort, delete.

===========  ==========================================================================
state        how it is recognized
===========  ==========================================================================
aborted      the decision says so; or there is neither a multipart upload nor an object
complete     our object, and a decision ``complete``; or our object without any record
sealed       our object and a pin, without a decision
open         anything else
===========  ==========================================================================

When a Complete races with another one or with an Abort, servers answer in every possible way, and some answers are
wrong (200 for what was not done, 404 and 500 for what was done). So a refusal proves nothing: the records and the
object are read again. Two callers compete for nothing but the decision.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from ...errors import AlreadyComplete, ApplicationError, NotFound, SegmentsDiffer, SegmentsMissing, StorageUnavailable
from ..base import Sealed, StoredObject, StoredSegment, Transfer, UploadStatus
from .client import S3Client
from .multipart import MIN_PART_SIZE, FoundObject, MultipartUploads, Parts, object_etag
from .records import DECISION, PIN, Record, Records, record_of

PIN_LIFE = 900
"""Seconds after which a pin without an object is of a completion that was interrupted."""


class Sealing:
    """The state changes of one bucket. ``is_conditional()`` tells whether Complete honours ``If-None-Match``."""

    def __init__(
        self, client: S3Client, multipart: MultipartUploads, records: Records, is_conditional: Callable[[], bool]
    ) -> None:
        self._client = client
        self._multipart = multipart
        self._records = records
        self._is_conditional = is_conditional

    # -- the state -----------------------------------------------------------------------------------------------

    def status(self, transfer: Transfer) -> UploadStatus:
        """Return how far the upload is. Raise NotFound when it was aborted."""
        parts = self._multipart.parts(transfer)
        sealed = self.find_sealed(transfer)
        if sealed is not None:
            return UploadStatus("complete" if sealed.complete else "sealed", sealed.segments, sealed)
        if parts is None and not self._multipart.is_listed(transfer):
            raise NotFound("The upload was aborted.")
        return UploadStatus("open", tuple(stored[-1] for _, stored in sorted((parts or {}).items())))

    def check_open(self, transfer: Transfer) -> None:
        """Raise AlreadyComplete when the upload is sealed, NotFound when it was aborted."""
        if self._multipart.parts(transfer, limit=1) is not None:
            return
        if self.find_sealed(transfer) is not None:
            raise AlreadyComplete
        if not self._multipart.is_listed(transfer):
            raise NotFound("The upload was aborted.")

    def find_sealed(self, transfer: Transfer) -> Sealed | None:
        """Return the sealed upload; None when it is not sealed. Raise NotFound when it was aborted or deleted."""
        decision = self._decision(transfer)
        found = self._multipart.find_own(transfer.name, transfer.id)
        if found is None:
            if decision is not None:
                raise NotFound("The upload was deleted.")
            return None
        pin = decision or self._records.read(transfer.id, PIN)
        if pin is None:  # it was confirmed since, or the sweep has removed the records of a complete upload
            decision = pin = self._decision(transfer)
        return _sealed(found, pin, complete=decision is not None or pin is None)

    def _decision(self, transfer: Transfer) -> Record | None:
        """Return the decision ``complete``; None when there is none. Raise NotFound when it is ``aborted``."""
        decision = self._records.read(transfer.id, DECISION)
        if decision is not None and decision.outcome == "aborted":
            raise NotFound("The upload was aborted.")
        return decision

    # -- seal ----------------------------------------------------------------------------------------------------

    def seal(self, transfer: Transfer, etags: Mapping[int, str], *, pending: bool) -> Sealed:
        """See :meth:`.base.Storage.seal`."""
        declared = tuple(StoredSegment(s.index, s.size, etags[s.index]) for s in transfer.segments())
        parts = self._parts(transfer)
        sealed = self._seal_again(transfer) if parts is None else self._seal_open(transfer, declared, parts)
        if pending or sealed.complete:
            return sealed
        self.confirm(transfer, sealed)
        return replace(sealed, complete=True)

    def _parts(self, transfer: Transfer) -> Parts | None:
        """Return the stored parts; None when the multipart upload has ended.

        SeaweedFS lists no parts while another call completes the upload: then that call's end is awaited.
        """
        for delay in (0.05, 0.1, 0.2, 0.4, 0.8, 1.6):
            parts = self._multipart.parts(transfer)
            if parts or parts is None or self._records.read(transfer.id, PIN) is None:
                return parts
            time.sleep(delay)
        return self._multipart.parts(transfer)

    def _seal_again(self, transfer: Transfer) -> Sealed:
        sealed = self._find_sealed_or_clean_up(transfer)
        if sealed is not None:
            return sealed
        if self._multipart.is_listed(transfer):
            raise SegmentsMissing(range(transfer.segment_count))
        raise NotFound("The upload was aborted.")

    def _seal_open(self, transfer: Transfer, declared: tuple[StoredSegment, ...], parts: Parts) -> Sealed:
        check_parts(declared, parts)
        pin = self._pin(transfer, declared)
        is_conditional = self._is_conditional()
        if not is_conditional and self._multipart.find(transfer.name) is not None:
            return self._find_out(transfer, declared, "PreconditionFailed")
        answer = self._multipart.complete(transfer, declared, conditional=is_conditional)
        etag = object_etag(declared)
        if answer != etag:
            return self._find_out(transfer, declared, answer)
        return Sealed(etag, transfer.size, pin.sealed_at, complete=False, segments=declared)

    def _pin(self, transfer: Transfer, declared: tuple[StoredSegment, ...]) -> Record:
        """Fix the ETags. Raise StorageUnavailable while another completion declares others."""
        now = self._client.now()
        pin = record_of(transfer, "", now, sealed_at=now, segments=declared)
        for _ in range(2):
            if self._records.create(transfer.id, PIN, pin):
                return pin
            found = self._records.read(transfer.id, PIN)
            if found is not None and found.segments == declared:
                return found
            if found is not None and found.written > now - PIN_LIFE:
                break
            self._records.remove(transfer.id, PIN)
        raise StorageUnavailable("Another completion of this upload is in progress.")

    def _find_out(self, transfer: Transfer, declared: tuple[StoredSegment, ...], answer: str) -> Sealed:
        """Find out what a Complete did when it did not answer with the right ETag."""
        sealed = self._find_sealed_or_clean_up(transfer)
        if sealed is not None:
            if sealed.complete:
                self._records.remove(transfer.id, PIN)
            return sealed
        if self._multipart.find(transfer.name) is not None:
            self._records.remove(transfer.id, PIN)
            raise ApplicationError("object_name gave a name that another object has.")
        parts = self._multipart.parts(transfer)
        if parts is None:
            self._records.remove(transfer.id, PIN)
            raise NotFound("The upload was aborted.")
        if answer in ("InvalidPart", "EntityTooSmall"):
            self._records.remove(transfer.id, PIN)
            check_parts(declared, parts)
        raise StorageUnavailable

    def _find_sealed_or_clean_up(self, transfer: Transfer) -> Sealed | None:
        """Return what :meth:`find_sealed` does. If the upload was aborted, remove what a Complete has made since."""
        try:
            return self.find_sealed(transfer)
        except NotFound:
            self._remove_object(transfer)
            raise

    # -- the decision --------------------------------------------------------------------------------------------

    def confirm(self, transfer: Transfer, sealed: Sealed) -> None:
        """See :meth:`.base.Storage.confirm`."""
        if sealed.complete:
            return
        facts = {"sealed_at": sealed.sealed_at, "segments": sealed.segments}
        if not self._records.create(
            transfer.id,
            DECISION,
            record_of(transfer, "complete", self._client.now(), **facts),  # type: ignore[arg-type]
        ):
            self._find_sealed_or_clean_up(transfer)  # raises NotFound when the decision is another
        self._records.remove(transfer.id, PIN)

    def abort(self, transfer: Transfer) -> None:
        """See :meth:`.base.Storage.abort`."""
        try:
            sealed = self.find_sealed(transfer)
        except NotFound:  # again, or after a crash
            sealed = None
        if sealed is not None and sealed.complete:
            raise AlreadyComplete
        if not self._records.create(transfer.id, DECISION, record_of(transfer, "aborted", self._client.now())):
            decision = self._records.read(transfer.id, DECISION)
            if decision is None or decision.outcome == "complete":
                if self._multipart.find_own(transfer.name, transfer.id) is not None:
                    raise AlreadyComplete
                return
        self.clean_up(transfer)

    def clean_up(self, transfer: Transfer) -> None:
        """Remove everything of an aborted upload but the decision."""
        self._multipart.abort(transfer)
        self._remove_object(transfer)
        self._multipart.abort(transfer)  # a part that was on its way may have revived the upload
        self._records.remove(transfer.id, PIN)

    def _remove_object(self, transfer: Transfer) -> None:
        if self._multipart.find_own(transfer.name, transfer.id) is not None:
            self._multipart.delete(transfer.name)

    def delete(self, stored: StoredObject, *, until: int) -> None:
        """See :meth:`.base.Storage.delete`."""
        if self._multipart.find_own(stored.name, stored.id) is None:
            return
        if until > self._client.now():
            tombstone = Record(stored.name, "", "aborted", self._client.now(), until)
            self._records.overwrite(stored.id, DECISION, tombstone)
        self._multipart.delete(stored.name)


def _sealed(found: FoundObject, record: Record | None, *, complete: bool) -> Sealed:
    if record is None:
        return Sealed(found.etag, found.size, found.modified, complete)
    return Sealed(found.etag, found.size, record.sealed_at, complete, record.segments)


def check_parts(declared: tuple[StoredSegment, ...], parts: Parts) -> None:
    """Compare what is stored with what was declared; raises SegmentsMissing or SegmentsDiffer."""
    if missing := [s.index for s in declared if s.index not in parts]:
        raise SegmentsMissing(missing)
    if different := [s.index for s in declared if s not in parts[s.index]]:
        raise SegmentsDiffer(different)
    if small := [s.index for s in declared[:-1] if s.size < MIN_PART_SIZE]:
        raise SegmentsDiffer(small, f"S3 takes no segment under {MIN_PART_SIZE} bytes but the last.")
