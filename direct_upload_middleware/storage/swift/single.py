"""Uploads of one segment: staged in a shared container, and copied into the final one on completion.

No temp URL is ever signed for the final name. One for the staged object cannot be called back, but what it writes after
completion is never read: the final name is taken by then. After an abort there is word of it (:mod:`.tombstones`).

To delete what is staged is the last step of a complete and the first of an abort that changes anything: when both come
at the same moment, the one whose DELETE finds it there has its way, and the other looks what became of the upload.

Where the application has to confirm the upload, the staged object is deleted only then: as long as it is there, the
upload is sealed and not complete. One that is younger than the copy was written later, through a temp URL that still
lives; whether the first had been deleted by then cannot be told, so nobody gets a receipt for it before the application
has been asked (again), and nobody can abort it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from ...errors import AlreadyComplete, NotFound, SegmentsDiffer, SegmentsMissing, StorageUnavailable
from ..base import Sealed, StoredSegment, Transfer, UploadStatus
from .client import ATTEMPTS, SwiftClient
from .final_objects import FinalMetadata, FinalObject, FinalObjects
from .listings import changed
from .tombstones import Tombstones, tombstone_name

_GONE = 404


@dataclass(frozen=True, slots=True)
class Staged:
    """The staged object. ``modified`` is in Unix seconds, ``timestamp`` Swift's."""

    etag: str
    size: int
    modified: int
    timestamp: float

    def has(self, size: int, etag: str) -> bool:
        """Whether it is what was declared."""
        return (self.size, self.etag) == (size, etag)


class SingleSegmentUploads:
    """The seal of one-segment uploads, staged in ``container`` under the upload's id."""

    def __init__(self, client: SwiftClient, container: str, finals: FinalObjects) -> None:
        self.container = container
        self.tombstones = Tombstones(client, container)
        self._client = client
        self._finals = finals

    def status(self, transfer: Transfer) -> UploadStatus:
        final = self._finals.find_own_or_raise(transfer)
        staged = self._find(transfer)
        self.tombstones.check(transfer.id)  # last, so that what was found was not about to be given up
        if final is not None and final.is_sealed:
            return _upload_status(final, complete=final.state == "complete" or staged is None)
        return UploadStatus("open", (StoredSegment(0, staged.size, staged.etag),) if staged else ())

    def _find(self, transfer: Transfer) -> Staged | None:
        response = self._client.request("HEAD", self.container, transfer.id, expect=(200, _GONE))
        if response.status_code == _GONE:
            return None
        return Staged(
            etag=response.headers["Etag"].strip('"'),
            size=int(response.headers["Content-Length"]),
            modified=int(parsedate_to_datetime(response.headers["Last-Modified"]).timestamp()),
            timestamp=float(response.headers["X-Timestamp"]),
        )

    def _listed(self, id: str) -> tuple[Staged | None, bool]:
        """What is staged, and whether there is a word: both with one request. A listing may lag."""
        params = {"format": "json", "prefix": id, "limit": "2"}
        response = self._client.request("GET", self.container, params=params, expect=(200, 204, _GONE))
        items = {item["name"]: item for item in response.json()} if response.status_code == 200 else {}
        staged = _staged(items[id]) if id in items else None
        return staged, tombstone_name(id) in items

    def seal(self, transfer: Transfer, etags: Mapping[int, str], *, pending: bool) -> Sealed:
        """ContainerState at what is staged, take the final name, and copy, provided that it is still the same."""
        staged, has_tombstone = self._listed(transfer.id)
        if has_tombstone:
            self._yield_to_abort(transfer)
        if staged is None or not staged.has(transfer.size, etags[0]):
            staged = self._find(transfer)
        if staged is None or not staged.has(transfer.size, etags[0]):
            problem = SegmentsMissing([0]) if staged is None else SegmentsDiffer([0])
            return self._sealed_before(transfer, staged, problem)
        sealed_at = staged.modified  # the same for all calls, also for those at the same time
        if not self._finals.claim(FinalMetadata(transfer, "sealing", staged.etag, sealed_at)):
            final = self._finals.find_own_or_raise(transfer)
            if final is None:
                raise StorageUnavailable  # taken, and free again
            if final.is_sealed:
                return final.sealed(complete=_may_be_complete(final, staged))
            if final.etag != staged.etag:
                raise SegmentsDiffer([0], "Another call has declared other bytes. Abort this upload and begin anew.")
            sealed_at = final.sealed_at
        metadata = FinalMetadata(transfer, "sealed" if pending else "complete", staged.etag, sealed_at)
        status = self._finals.copy(metadata, f"/{self.container}/{transfer.id}")
        if status == 201:
            return Sealed(metadata.etag, transfer.size, sealed_at, not pending)
        changed = SegmentsMissing([0]) if status == _GONE else SegmentsDiffer([0])
        return self._sealed_before(transfer, None if status == _GONE else staged, changed)

    def _sealed_before(
        self, transfer: Transfer, staged: Staged | None, problem: SegmentsMissing | SegmentsDiffer
    ) -> Sealed:
        """What another call has made of it, which may have removed what was staged; else the problem is raised."""
        final = self._finals.find_own_or_raise(transfer)
        if final is None or not final.is_sealed:
            self._yield_to_abort(transfer)
            raise problem
        return final.sealed(complete=_may_be_complete(final, staged))

    def confirm(self, transfer: Transfer) -> None:
        """Delete what is staged: with that the upload is complete, unless somebody else has deleted it to give it up.

        Raises NotFound, StorageUnavailable.
        """
        if not self._take(transfer):
            self._yield_to_abort(transfer)

    def _take(self, transfer: Transfer, attempts: int = ATTEMPTS) -> bool:
        """Delete what is staged; whether it was there, by the last of these attempts."""
        request = self._client.request
        return request("DELETE", self.container, transfer.id, expect=(204, _GONE), attempts=attempts).status_code == 204

    def _yield_to_abort(self, transfer: Transfer) -> None:
        """To an abort that was first. What has come under the final name after it goes again."""
        try:
            self.tombstones.check(transfer.id)
        except NotFound:
            self._finals.delete_own(transfer)
            raise

    def abort(self, transfer: Transfer) -> None:
        """Leave word that nothing is ever read again, and delete what there is."""
        if self.tombstones.mark_aborting(transfer.id):
            self._take(transfer)
        else:
            self._decide(transfer)
        self._finals.delete_own(transfer)

    def _decide(self, transfer: Transfer) -> None:
        """Of a complete and an abort at the same moment, the one that deletes what is staged has its way."""
        final = self._finals.find_own(transfer)
        is_over = final is None or not final.is_sealed or not _may_be_complete(final, self._find(transfer))
        if is_over:
            self.tombstones.mark_aborted(transfer.id, transfer.expires)
            # Once: where the answer is lost, the word says that the upload is over, and who asks again gives it up.
            is_over = self._take(transfer, attempts=1) or not self._is_sealed(transfer)
        if not is_over:
            self.tombstones.remove(transfer.id)
            raise AlreadyComplete

    def _is_sealed(self, transfer: Transfer) -> bool:
        final = self._finals.find_own(transfer)
        return final is not None and final.is_sealed


def _staged(item: Mapping[str, Any]) -> Staged:
    """As a HEAD would tell it, whose Last-Modified has no fractions of a second."""
    timestamp = changed(item)
    return Staged(item["hash"], item["bytes"], math.ceil(timestamp), timestamp)


def _upload_status(final: FinalObject, *, complete: bool) -> UploadStatus:
    whole = (StoredSegment(0, final.size, final.etag),)
    return UploadStatus("complete" if complete else "sealed", whole, final.sealed(complete=complete))


def _may_be_complete(final: FinalObject, staged: Staged | None) -> bool:
    return final.state == "complete" or staged is None or staged.timestamp > final.timestamp
