"""Uploads of several segments: each upload has a container of its own, whose temp URL key is its own.

Completion removes the key, which ends every temp URL of the upload at once, and then has Swift verify the segments for
the manifest. Where it finds that a segment was changed at the last moment, the upload is opened again under another key
(a new *generation*), so that what was revoked stays revoked. Where the application has to confirm the upload, an empty
object beside the segments tells that it did.

An abort marks the container as given up, together with taking the key, and only then looks whether the upload is
complete; a complete makes it complete, and only then looks for that mark. So one of them gives way to the other. Those
of seal "pin" have words for that (:mod:`.tombstones`).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...errors import AlreadyComplete, NotFound, SegmentsDiffer, SegmentsMissing, StorageUnavailable
from ...keys import Keys
from ..base import Sealed, StoredSegment, Transfer, UploadStatus, object_etag
from ..concurrency import map_concurrently
from .client import SwiftClient
from .final_objects import FinalMetadata, FinalObject, FinalObjects
from .manifests import ManifestEntry, Problems
from .segment_containers import ContainerState, SegmentContainers, SegmentObject
from .tombstones import Tombstones, abort_under_way, aborted_or_deleted

_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Outcome:
    """A sealed upload, and whether it was this very call that wrote its manifest."""

    sealed: Sealed
    by_us: bool


class SegmentedUploads:
    """The seal of uploads whose segments are in ``prefix`` (seal "pin"), or in ``prefix_<id>`` (seal "revoke")."""

    def __init__(self, client: SwiftClient, prefix: str, finals: FinalObjects) -> None:
        self.containers = SegmentContainers(client, prefix)
        self.tombstones = Tombstones(client, prefix)
        self._client = client
        self._finals = finals

    def begin(self, transfer: Transfer, keys: Keys, origin: str) -> None:
        """Make the container, with its key, for pages of ``origin``."""
        self.containers.make(transfer, keys, origin)

    def signing_key(self, transfer: Transfer) -> str:
        """The key for more temp URLs. Raises NotFound, AlreadyComplete; StorageUnavailable while it is being sealed."""
        look = self.containers.look(transfer, limit=0)
        if look is None:
            self._raise_if_sealed(transfer)
            raise aborted_or_deleted()
        # The key is read before the final object is looked for: once that is there, nobody signs.
        if look.generation or not look.key:
            self._raise_if_sealed(transfer)
        if not look.key:
            raise StorageUnavailable("This upload is being completed.", retry_after=1)
        return look.key

    def _raise_if_sealed(self, transfer: Transfer) -> None:
        final = self._finals.find_own_or_raise(transfer)
        if final is not None:
            raise AlreadyComplete

    def status(self, transfer: Transfer) -> UploadStatus:
        final = self._finals.find_own_or_raise(transfer)
        look = self.containers.look(transfer)
        self._check_not_over(transfer, look)
        if final is None:
            if look is None:
                raise aborted_or_deleted()
            return UploadStatus("open", look.stored)
        complete = _is_complete(final, look)
        stored = look.stored if look else ()
        return UploadStatus("complete" if complete else "sealed", stored, final.sealed(complete=complete))

    def _check_not_over(self, transfer: Transfer, look: ContainerState | None) -> None:
        """Raises NotFound when the upload is over, StorageUnavailable while that is being decided."""
        if transfer.seal == "pin":
            self.tombstones.check(transfer.id)
        elif look is not None and look.is_aborting(self._client.now()):
            raise abort_under_way()

    # -- sealing -------------------------------------------------------------------------------------------

    def seal(self, transfer: Transfer, etags: Mapping[int, str], *, pending: bool) -> Sealed:
        """Compare, revoke, look at every segment itself, and write the manifest."""
        written = False
        for _ in range(_ATTEMPTS):
            look = self.containers.look(transfer)
            self._check_not_over(transfer, look)
            if not written and (look is None or not look.key or transfer.seal == "pin"):
                final = self._finals.find_own_or_raise(transfer)
                if final is not None:
                    return final.sealed(complete=_is_complete(final, look))
            if look is None:
                self._raise_gone(transfer)
                raise aborted_or_deleted()
            wanted = [StoredSegment(s.index, s.size, etags[s.index]) for s in transfer.segments()]
            found = self._compare(transfer, wanted, look) or self._revoke_and_examine(transfer, wanted)
            outcome = found if isinstance(found, Problems) else self._write(transfer, wanted, found, pending)
            if isinstance(outcome, Problems):
                self._reopen(transfer, written)
                raise _error(outcome)
            written = written or outcome.by_us
            if self._is_settled(transfer, look):
                return outcome.sealed
        raise StorageUnavailable("Several calls try to complete this upload, with different segments.")

    def _compare(self, transfer: Transfer, wanted: Sequence[StoredSegment], look: ContainerState) -> Problems | None:
        """What is listed against what was declared. A listing may lag behind: what it says is wrong is asked for."""
        listed = {s.index: s for s in look.stored}
        doubtful = [w for w in wanted if listed.get(w.index) != w]
        return _problems(doubtful, map_concurrently(lambda w: self.containers.find(transfer, w.index), doubtful))

    def _revoke_and_examine(self, transfer: Transfer, wanted: Sequence[StoredSegment]) -> Problems | int:
        """End every temp URL; then look at each segment, and take away what the uploader put on it: an expiry, say.

        Gives when the last segment was stored, in Unix seconds.
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
        written = self._finals.write_manifest(metadata, manifest)
        if isinstance(written, Problems):
            return written
        if written:
            return Outcome(Sealed(etag, transfer.size, sealed_at, not pending), by_us=True)
        final = self._finals.find_own_or_raise(transfer)
        if final is None:
            raise StorageUnavailable  # taken, and free again
        return Outcome(final.sealed(complete=_is_complete(final, self.containers.look(transfer))), by_us=False)

    def _reopen(self, transfer: Transfer, written: bool) -> None:
        """Let segments be sent again. If the key has not been touched, nothing has happened; else there is a new one.

        The new key is random, so that no call that comes late can bring one back that was revoked since. A manifest
        that this very call has made, and whose segments were changed meanwhile, goes.
        """
        if transfer.seal == "pin":
            return
        now = self.containers.look(transfer, limit=0)
        if now is None or now.key or now.is_aborting(self._client.now()):
            return
        if written:
            self._finals.delete(transfer.name)
        self.containers.reopen(transfer, key=secrets.token_hex(32), generation=secrets.token_hex(8))

    def _is_settled(self, transfer: Transfer, look: ContainerState) -> bool:
        """Whether nobody has opened the upload again, or given it up, since we looked.

        Once there is a manifest nobody signs for it; so if it is revoked now, and was never opened since, no temp URL
        lives.
        """
        if transfer.seal == "pin":
            self._yield_to_abort(transfer)
            return True
        after = self.containers.look(transfer, limit=0)
        return after is not None and not after.key and after.generation == look.generation

    def confirm(self, transfer: Transfer) -> None:
        """Leave word that the application has taken the upload: it is complete, unless it is over.

        Raises NotFound, StorageUnavailable.
        """
        self.containers.confirm(transfer)
        self._yield_to_abort(transfer)

    def _yield_to_abort(self, transfer: Transfer) -> None:
        """To an abort that was first. A manifest that has come after it goes again."""
        look = None
        if transfer.seal == "revoke" and (look := self.containers.look(transfer, limit=0)) is None:
            self._raise_gone(transfer)
        try:
            self._check_not_over(transfer, look)
        except NotFound:
            self._finals.delete_own(transfer)
            raise

    def _raise_gone(self, transfer: Transfer) -> None:
        """Where the container is gone, the manifest goes too, and NotFound is raised. One that is being swept is not
        gone: the sweep itself looks for the manifest."""
        if transfer.seal == "revoke" and self.containers.is_gone(transfer):
            self._finals.delete_own(transfer)
            raise aborted_or_deleted()

    # -- giving up -----------------------------------------------------------------------------------------

    def abort(self, transfer: Transfer) -> None:
        """Revoke, then delete what there is; for "pin" there is word that nothing is ever read again."""
        if transfer.seal == "pin":
            self._abort_pinned(transfer)
            return
        look = self.containers.look(transfer, limit=0)
        if look is not None:
            self.containers.mark_aborting(transfer)
        if self._is_finished(transfer, look):
            if look is not None:
                self.containers.reopen(transfer, key="", generation=secrets.token_hex(8))
            raise AlreadyComplete
        self._finals.delete_own(transfer)
        self.containers.remove(transfer.id)
        self._finals.delete_own(transfer)  # that a call has written meanwhile

    def _abort_pinned(self, transfer: Transfer) -> None:
        is_over = self.tombstones.mark_aborting(transfer.id)
        if not is_over and self._is_finished(transfer, self.containers.look(transfer, limit=0)):
            self.tombstones.remove(transfer.id)
            raise AlreadyComplete
        self.tombstones.mark_aborted(transfer.id, transfer.expires)
        self._finals.delete_own(transfer)
        self.containers.remove(transfer.id)

    def _is_finished(self, transfer: Transfer, look: ContainerState | None) -> bool:
        final = self._finals.find_own(transfer)
        if final is None or not final.is_sealed:
            return False
        return _is_complete(final, look) or self.containers.is_confirmed(transfer)


def _is_complete(final: FinalObject, look: ContainerState | None) -> bool:
    return final.state == "complete" or look is None or look.confirmed


def _problems(wanted: Sequence[StoredSegment], found: Sequence[SegmentObject | None]) -> Problems | None:
    missing = [w.index for w, there in zip(wanted, found, strict=True) if there is None]
    differ = [w.index for w, there in zip(wanted, found, strict=True) if there is not None and there.stored != w]
    return Problems(missing, differ) if missing or differ else None


def _error(problems: Problems) -> SegmentsMissing | SegmentsDiffer:
    return SegmentsMissing(problems.missing) if problems.missing else SegmentsDiffer(problems.differ)
