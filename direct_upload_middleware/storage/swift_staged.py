"""Uploads of one segment: staged in a shared container, and copied into the final one on completion.

No temp URL is ever signed for the final name. One for the staged object cannot be called back, but what it writes after
completion is never read: the final name is taken by then. After an abort there is word of it (:mod:`.swift_words`).

Where the application has to confirm the upload, the staged object is deleted only then: as long as it is there, the
upload is sealed and not complete. One that is younger than the copy was written later, through a temp URL that still
lives; whether the first had been deleted by then cannot be told, so nobody gets a receipt for it before the application
has been asked (again), and nobody can abort it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from ..errors import AlreadyComplete, NotFound, SegmentsDiffer, SegmentsMissing, StorageUnavailable
from .base import Inspection, Sealed, StoredSegment, Transfer
from .swift_client import SwiftClient
from .swift_final import Final, FinalObjects, Mark
from .swift_words import Words

_GONE = 404


@dataclass(frozen=True, slots=True)
class Staged:
    """The staged object. ``modified`` is in Unix seconds, ``timestamp`` Swift's."""

    etag: str
    size: int
    modified: int
    timestamp: float


class StagedUploads:
    """The seal of one-segment uploads, staged in ``container`` under the upload's id."""

    def __init__(self, client: SwiftClient, container: str, finals: FinalObjects) -> None:
        self.container = container
        self.words = Words(client, container)
        self._client = client
        self._finals = finals

    def inspect(self, transfer: Transfer) -> Inspection:
        final = self._finals.find_of(transfer)
        staged = self._find(transfer)
        self.words.check(transfer.id)  # last, so that what was found was not about to be given up
        if final is not None and final.is_whole:
            return _inspection(final, complete=final.state == "complete" or staged is None)
        return Inspection("open", (StoredSegment(0, staged.size, staged.etag),) if staged else ())

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

    def seal(self, transfer: Transfer, etags: Mapping[int, str], *, pending: bool) -> Sealed:
        """Look at what is staged, take the final name, and copy, provided that it is still the same."""
        sealed = self._seal(transfer, etags, pending=pending)
        self._give_way(transfer)
        return sealed

    def _seal(self, transfer: Transfer, etags: Mapping[int, str], *, pending: bool) -> Sealed:
        staged = self._find(transfer)
        if staged is None or (staged.size, staged.etag) != (transfer.size, etags[0]):
            problem = SegmentsMissing([0]) if staged is None else SegmentsDiffer([0])
            return self._sealed_before(transfer, staged, problem)
        sealed_at = staged.modified  # the same for all calls, also for those at the same time
        if not self._finals.claim(Mark(transfer, "sealing", staged.etag, sealed_at)):
            final = self._finals.find_of(transfer)
            if final is None:
                raise StorageUnavailable  # taken, and free again
            if final.is_whole:
                return final.sealed(complete=_may_be_complete(final, staged))
            if final.etag != staged.etag:
                raise SegmentsDiffer([0], "Another call has declared other bytes. Abort this upload and begin anew.")
            sealed_at = final.sealed_at
        mark = Mark(transfer, "sealed" if pending else "complete", staged.etag, sealed_at)
        status = self._finals.copy(mark, f"/{self.container}/{transfer.id}")
        if status == 201:
            return Sealed(mark.etag, transfer.size, sealed_at, not pending)
        changed = SegmentsMissing([0]) if status == _GONE else SegmentsDiffer([0])
        return self._sealed_before(transfer, None if status == _GONE else staged, changed)

    def _sealed_before(self, transfer: Transfer, staged: Staged | None, problem: SegmentsMissing) -> Sealed:
        """What another call has made of it, which may have removed what was staged; else the problem is raised."""
        final = self._finals.find_of(transfer)
        if final is None or not final.is_whole:
            self._give_way(transfer)
            raise problem
        return final.sealed(complete=_may_be_complete(final, staged))

    def confirm(self, transfer: Transfer) -> None:
        """Delete what is staged: with that the upload is complete, unless it is over.

        Raises NotFound, StorageUnavailable.
        """
        self.tidy(transfer)
        self._give_way(transfer)

    def tidy(self, transfer: Transfer) -> None:
        """Delete what is staged, and not needed any more."""
        self._client.request("DELETE", self.container, transfer.id, expect=(204, _GONE))

    def _give_way(self, transfer: Transfer) -> None:
        """To an abort that was first. What has come under the final name after it goes again."""
        try:
            self.words.check(transfer.id)
        except NotFound:
            self._finals.delete_ours(transfer)
            raise

    def discard(self, transfer: Transfer) -> None:
        """Leave word that nothing is ever read again, and delete what there is."""
        is_over = self.words.announce(transfer.id)
        final = self._finals.find_ours(transfer)
        if not is_over and final is not None and final.is_whole and _may_be_complete(final, self._find(transfer)):
            self.words.withdraw(transfer.id)
            raise AlreadyComplete
        self.words.settle(transfer.id, transfer.expires)
        if final is not None:
            self._finals.delete(transfer.name)
        self.tidy(transfer)


def _inspection(final: Final, *, complete: bool) -> Inspection:
    whole = (StoredSegment(0, final.size, final.etag),)
    return Inspection("complete" if complete else "sealed", whole, final.sealed(complete=complete))


def _may_be_complete(final: Final, staged: Staged | None) -> bool:
    return final.state == "complete" or staged is None or staged.timestamp > final.timestamp
