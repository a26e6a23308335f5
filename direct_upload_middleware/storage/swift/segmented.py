"""Uploads of several segments: each upload has a container of its own, with a temp URL key of its own.

Completion removes the key, which ends every temp URL of the upload at once, and then has Swift verify the segments for
the manifest. Where Swift finds that a segment was changed at the last moment, the upload is opened again with another
key (a new *generation*), so that what was revoked stays revoked. Where the application has to confirm the upload, an
empty object beside the segments records that it did.

An upload of several segments is *complete* when its manifest says so, or when it was confirmed. An abort and a complete
decide between them as :mod:`.tombstones` describes. Segments of seal "pin" are in one shared container, without
revocation.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...errors import AlreadyComplete, SegmentsDiffer, SegmentsMissing, StorageUnavailable
from ...keys import Keys
from ..base import Sealed, StoredSegment, Transfer, UploadStatus, object_etag
from ..concurrency import map_concurrently
from .final_objects import DecidedUploads, FinalMetadata, FinalObject, FinalObjects
from .manifests import ManifestEntry, Problems
from .segment_containers import ContainerState, SegmentContainers, SegmentObject
from .tombstones import Tombstones, aborted_or_deleted

_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Outcome:
    """A sealed upload, and whether this very call wrote its manifest."""

    sealed: Sealed
    by_us: bool


class SegmentedUploads(DecidedUploads):
    """Uploads whose segments are in ``containers``."""

    def __init__(self, containers: SegmentContainers, finals: FinalObjects, tombstones: Tombstones) -> None:
        super().__init__(finals, tombstones)
        self.containers = containers

    def begin(self, transfer: Transfer, keys: Keys, origin: str) -> None:
        """Create the container, with its key, for pages of ``origin``."""
        self.containers.make(transfer, keys, origin)

    def signing_key(self, transfer: Transfer) -> str:
        """Return the key for more temp URLs.

        Raise NotFound, AlreadyComplete; StorageUnavailable while the upload is being sealed.
        """
        state = self.containers.read(transfer, limit=0)
        if state is None:
            self._raise_if_sealed(transfer)
            raise aborted_or_deleted()
        # The key is read before the final object is looked for: once that exists, nobody signs.
        if state.generation or not state.key:
            self._raise_if_sealed(transfer)
        self._tombstones.check(transfer.id)  # a replica that missed the abort still has the key
        if not state.key:
            raise StorageUnavailable("This upload is being completed.", retry_after=1)
        return state.key

    def _raise_if_sealed(self, transfer: Transfer) -> None:
        if self._finals.find_own_or_raise(transfer) is not None:
            raise AlreadyComplete

    def status(self, transfer: Transfer) -> UploadStatus:
        """Return how far the upload is. Raise NotFound."""
        final = self._finals.find_own_or_raise(transfer)
        state = self.containers.read(transfer)
        self._tombstones.check(transfer.id)
        if final is None:
            if state is None:
                raise aborted_or_deleted()
            return UploadStatus("open", state.stored)
        complete = self._is_complete(transfer, final, state)
        if complete:
            self._decide_complete(transfer)
        stored = state.stored if state else ()
        return UploadStatus("complete" if complete else "sealed", stored, final.sealed(complete=complete))

    # -- completion --------------------------------------------------------------------------------------------

    def seal(self, transfer: Transfer, etags: Mapping[int, str], *, pending: bool) -> Sealed:
        """Compare, revoke, examine every segment itself, and write the manifest."""
        sealed = self._seal(transfer, etags, pending=pending)
        if sealed.complete:
            self._decide_complete(transfer)
        return sealed

    def _seal(self, transfer: Transfer, etags: Mapping[int, str], *, pending: bool) -> Sealed:
        written = False
        for _ in range(_ATTEMPTS):
            state = self.containers.read(transfer)
            if transfer.seal == "pin":
                self._check_aborted(transfer)
            if not written and (state is None or not state.key or transfer.seal == "pin"):
                final = self._finals.find_own_or_raise(transfer)
                if final is not None:
                    return final.sealed(complete=self._is_complete(transfer, final, state))
            if state is None:
                self._delete_if_gone(transfer)
                raise aborted_or_deleted()
            wanted = [StoredSegment(s.index, s.size, etags[s.index]) for s in transfer.segments()]
            found = self._compare(transfer, wanted, state) or self._revoke_and_examine(transfer, wanted)
            outcome = found if isinstance(found, Problems) else self._write(transfer, wanted, found, pending)
            if isinstance(outcome, Problems):
                self._check_aborted(transfer)  # a replica that missed the abort still has the container
                self._reopen(transfer, written)
                raise _error(outcome)
            written = written or outcome.by_us
            if self._is_revoked(transfer, state):
                return outcome.sealed
        raise StorageUnavailable("Several calls try to complete this upload, with different segments.")

    def _compare(self, transfer: Transfer, wanted: Sequence[StoredSegment], state: ContainerState) -> Problems | None:
        """Compare the listing with what was declared. A listing may lag: every difference is asked for by itself."""
        listed = {s.index: s for s in state.stored}
        doubtful = [w for w in wanted if listed.get(w.index) != w]
        return _problems(doubtful, map_concurrently(lambda w: self.containers.find(transfer, w.index), doubtful))

    def _revoke_and_examine(self, transfer: Transfer, wanted: Sequence[StoredSegment]) -> Problems | int:
        """End every temp URL; then examine each segment, and remove what the uploader put on it, such as an expiry.

        Return when the last segment was stored, in Unix seconds.
        """
        self._revoke(transfer)
        found = map_concurrently(lambda w: self.containers.find(transfer, w.index), wanted)
        problems = _problems(wanted, found)
        if problems is not None:
            return problems
        segments = [segment for segment in found if segment is not None]
        map_concurrently(
            lambda s: self.containers.clear(transfer, s.stored.index), [s for s in segments if s.is_marked]
        )
        return max(s.modified for s in segments)

    def _revoke(self, transfer: Transfer) -> None:
        if transfer.seal == "revoke":
            self.containers.revoke(transfer)

    def _write(
        self, transfer: Transfer, wanted: Sequence[StoredSegment], sealed_at: int, pending: bool
    ) -> Problems | Outcome:
        etag = object_etag([w.etag for w in wanted])
        manifest = [
            ManifestEntry("/" + "/".join(self.containers.of(transfer, w.index)), w.etag, w.size) for w in wanted
        ]
        metadata = FinalMetadata(transfer, "sealed" if pending else "complete", etag, sealed_at)
        if transfer.seal == "pin":
            self.containers.record_name(transfer)
        written = self._finals.write_manifest(metadata, manifest)
        if isinstance(written, Problems):
            return written
        if written:
            return Outcome(Sealed(etag, transfer.size, sealed_at, not pending), by_us=True)
        final = self._finals.find_own_or_raise(transfer)
        if final is None:
            raise StorageUnavailable  # it was taken, and is free again
        complete = self._is_complete(transfer, final, self.containers.read(transfer))
        return Outcome(final.sealed(complete=complete), by_us=False)

    def _reopen(self, transfer: Transfer, written: bool) -> None:
        """Let segments be sent again. When the key was not touched, nothing has happened; otherwise store a new key.

        The new key is random, so that no late call can bring back one that was revoked since. A manifest that this very
        call has written, and whose segments were changed meanwhile, is deleted.
        """
        if transfer.seal == "pin":
            return
        now = self.containers.read(transfer, limit=0)
        if now is None or now.key:
            return
        if written:
            self._finals.delete(transfer.name)
        self.containers.reopen(transfer, key=secrets.token_hex(32), generation=secrets.token_hex(8))

    def _is_revoked(self, transfer: Transfer, state: ContainerState) -> bool:
        """Return whether the upload was not opened again since ``state`` was read.

        Nothing is signed once a manifest exists. So if the key is revoked now, and the upload was never opened again,
        no temp URL is valid. Raise NotFound if an abort was first.
        """
        if transfer.seal == "pin":
            return True
        after = self.containers.read(transfer, limit=0)
        if after is None:
            self._delete_if_gone(transfer)
            return False
        return not after.key and after.generation == state.generation

    def confirm(self, transfer: Transfer, sealed: Sealed) -> None:
        """Record that the application has confirmed the upload: it is complete. Raise NotFound when an abort wins."""
        if not sealed.complete:
            self.containers.confirm(transfer)
            self._decide_complete(transfer)

    def _may_be_complete(self, transfer: Transfer) -> bool:
        final = self._finals.find_own(transfer)
        if final is None or not final.is_sealed:
            return False
        return self._is_complete(transfer, final, self.containers.read(transfer, limit=0))

    def _is_complete(self, transfer: Transfer, final: FinalObject, state: ContainerState | None) -> bool:
        """Return whether the upload is complete. A listing may lag: that it was confirmed is asked for by itself."""
        if final.state == "complete" or state is None or state.confirmed:
            return True
        return self.containers.is_confirmed(transfer)

    def _delete_if_gone(self, transfer: Transfer) -> None:
        """Raise NotFound where the container is gone: then the manifest goes.

        One that is being swept is not gone: the sweep itself looks for the manifest.
        """
        if transfer.seal == "revoke":
            self._check_aborted(transfer)
            if self.containers.is_gone(transfer):
                self._delete_final(transfer)

    # -- abort -------------------------------------------------------------------------------------------------

    def refuse(self, transfer: Transfer) -> None:
        """Delete an upload that the application refused.

        With seal "pin" what its temp URLs still write may be completed; an upload with a container of its own is
        aborted.
        """
        if transfer.seal == "revoke":
            self.abort(transfer)
        else:
            super().refuse(transfer)

    def _remove(self, transfer: Transfer) -> None:
        if transfer.seal == "revoke":
            self.containers.condemn(transfer.id)
        self._finals.delete_own(transfer)
        self.containers.remove(transfer.id, range(transfer.segment_count))
        self._finals.delete_own(transfer)  # that a call has written meanwhile


def _problems(wanted: Sequence[StoredSegment], found: Sequence[SegmentObject | None]) -> Problems | None:
    missing = [w.index for w, there in zip(wanted, found, strict=True) if there is None]
    differ = [w.index for w, there in zip(wanted, found, strict=True) if there is not None and there.stored != w]
    return Problems(missing, differ) if missing or differ else None


def _error(problems: Problems) -> SegmentsMissing | SegmentsDiffer:
    return SegmentsMissing(problems.missing) if problems.missing else SegmentsDiffer(problems.differ)
