"""Uploads of one segment: staged in a shared container, and copied to their final name on completion.

No temp URL is ever signed for the final name. One for the staged object cannot be revoked, but what it writes after
completion is never read: the final name is taken by then. After an abort there is a tombstone (:mod:`.tombstones`).

An upload of one segment is *complete* when its final object says so, or when the final object is sealed and the staged
object is gone: where the application has to confirm the upload, :meth:`SingleSegmentUploads.confirm` deletes what is
staged. A staged object that is newer than the copy was written later, through a temp URL that is still valid. Whether
the first one had been deleted by then is unknown: so the upload counts as complete for an abort, and the application
is asked again before there is a receipt.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ...errors import SegmentsDiffer, SegmentsMissing, StorageUnavailable
from ..base import GROUP_DIGITS, Sealed, StoredSegment, Transfer, UploadStatus
from ..concurrency import SharedCalls
from .client import SwiftClient
from .final_objects import DecidedUploads, FinalMetadata, FinalObject, FinalObjects
from .headers import NEWEST
from .responses import PAGE, Item, last_modified, read_etag, read_modified, read_objects, read_size, read_timestamp
from .tombstones import Tombstones, tombstone_name

_MISSING = 404


@dataclass(frozen=True, slots=True)
class Staged:
    """The staged object. ``modified`` is in Unix seconds, ``timestamp`` is Swift's time of the write."""

    etag: str
    size: int
    modified: int
    timestamp: float

    def has(self, size: int, etag: str) -> bool:
        """Return whether the object is the declared one."""
        return (self.size, self.etag) == (size, etag)


class SingleSegmentUploads(DecidedUploads):
    """Uploads of one segment, staged in ``container`` under their ids."""

    def __init__(self, client: SwiftClient, container: str, finals: FinalObjects, tombstones: Tombstones) -> None:
        super().__init__(finals, tombstones)
        self.container = container
        self._client = client
        self._groups = SharedCalls(self._list_group)

    def status(self, transfer: Transfer) -> UploadStatus:
        """Return how far the upload is. Raise NotFound."""
        final = self._finals.find_own_or_raise(transfer)
        staged = self._find(transfer)
        self._tombstones.check(transfer.id)  # last: an abort may have begun after the first look
        if final is None or not final.is_sealed:
            return UploadStatus("open", (StoredSegment(0, staged.size, staged.etag),) if staged else ())
        complete = final.state == "complete" or staged is None
        if complete:
            self._decide_complete(transfer)
        return UploadStatus(
            "complete" if complete else "sealed",
            (StoredSegment(0, final.size, final.etag),),
            final.sealed(complete=complete),
        )

    def _find(self, transfer: Transfer) -> Staged | None:
        response = self._client.request("HEAD", self.container, transfer.id, headers=NEWEST, expect=(200, _MISSING))
        if response.status_code == _MISSING:
            return None
        headers = response.headers
        return Staged(read_etag(headers), read_size(headers), read_modified(headers), read_timestamp(headers))

    def _list(self, id: str) -> tuple[Staged | None, bool]:
        """Return what is staged and whether there is a tombstone. A listing may lag."""
        items = self._groups(id[:GROUP_DIGITS])
        return _staged(items[id]) if id in items else None, tombstone_name(id) in items

    def _list_group(self, prefix: str) -> dict[str, Item]:
        """Return what the container has of uploads that began together, by name."""
        params = {"format": "json", "prefix": prefix, "limit": str(PAGE)}
        response = self._client.request("GET", self.container, params=params, expect=(200, 204, _MISSING))
        return {item["name"]: item for item in read_objects(response)}

    # -- completion --------------------------------------------------------------------------------------------

    def seal(self, transfer: Transfer, etags: Mapping[int, str], *, pending: bool) -> Sealed:
        """Look at what is staged, claim the final name, and copy, provided that the object is still the same."""
        staged, has_tombstone = self._list(transfer.id)
        if has_tombstone:
            self._check_aborted(transfer)
        if staged is None or not staged.has(transfer.size, etags[0]):
            staged = self._find(transfer)
        if staged is None or not staged.has(transfer.size, etags[0]):
            problem = SegmentsMissing([0]) if staged is None else SegmentsDiffer([0])
            return self._sealed_before(transfer, staged, problem)
        sealed_at = staged.modified  # the same for all calls, also for those at the same moment
        if not self._finals.claim(FinalMetadata(transfer, "sealing", staged.etag, sealed_at)):
            final = self._finals.find_own_or_raise(transfer)
            if final is None:
                raise StorageUnavailable  # it was taken, and is free again
            if final.is_sealed:
                return self._sealed(transfer, final, staged)
            if final.etag != staged.etag:
                raise SegmentsDiffer([0], "Another call has declared other bytes. Abort this upload and begin anew.")
            sealed_at = final.sealed_at
        return self._copy(transfer, staged, sealed_at, pending)

    def _copy(self, transfer: Transfer, staged: Staged, sealed_at: int, pending: bool) -> Sealed:
        metadata = FinalMetadata(transfer, "sealed" if pending else "complete", staged.etag, sealed_at)
        status = self._finals.copy(metadata, f"/{self.container}/{transfer.id}")
        if status == 201:
            if not pending:
                self._decide_complete(transfer)
            return Sealed(metadata.etag, transfer.size, sealed_at, not pending)
        if status == _MISSING:
            return self._sealed_before(transfer, None, SegmentsMissing([0]))
        return self._sealed_before(transfer, staged, SegmentsDiffer([0]))

    def _sealed_before(
        self, transfer: Transfer, staged: Staged | None, problem: SegmentsMissing | SegmentsDiffer
    ) -> Sealed:
        """Return what another call has sealed, which may have removed what was staged; otherwise raise the problem."""
        final = self._finals.find_own_or_raise(transfer)
        if final is None or not final.is_sealed:
            self._check_aborted(transfer)
            raise problem
        return self._sealed(transfer, final, staged)

    def _sealed(self, transfer: Transfer, final: FinalObject, staged: Staged | None) -> Sealed:
        complete = _is_complete(final, staged)
        if complete:
            self._decide_complete(transfer)
        return final.sealed(complete=complete)

    def confirm(self, transfer: Transfer, sealed: Sealed) -> None:
        """Delete what is staged: with that the upload is complete. Raise NotFound when an abort wins."""
        deleted = self._delete_staged(transfer)
        if sealed.complete:
            return
        self._decide_complete(transfer)
        if not deleted and self._finals.find_own(transfer) is None:
            raise StorageUnavailable("This upload was refused by another call.", retry_after=1)

    def _delete_staged(self, transfer: Transfer) -> bool:
        """Return whether it was there, which decides nothing."""
        response = self._client.request("DELETE", self.container, transfer.id, expect=(204, _MISSING))
        return response.status_code == 204

    def _may_be_complete(self, transfer: Transfer) -> bool:
        final = self._finals.find_own(transfer)
        return final is not None and final.is_sealed and _is_complete(final, self._find(transfer))

    def _remove(self, transfer: Transfer) -> None:
        self._finals.delete_own(transfer)
        self._delete_staged(transfer)


def _staged(item: Item) -> Staged:
    """Return what a HEAD would tell: its Last-Modified has no fractions of a second."""
    timestamp = last_modified(item)
    return Staged(item["hash"], item["bytes"], math.ceil(timestamp), timestamp)


def _is_complete(final: FinalObject, staged: Staged | None) -> bool:
    return final.state == "complete" or staged is None or staged.timestamp > final.timestamp
