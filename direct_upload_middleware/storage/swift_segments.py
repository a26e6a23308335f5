"""Uploads of several segments: each upload has a container of its own, whose temp URL key is its own.

Completion removes the key, which ends every temp URL of the upload at once, and then has Swift verify the segments for
the manifest. Where it finds that a segment was changed at the last moment, the upload is opened again under another key
(a new *generation*), so that what was revoked stays revoked. Where the application has to confirm the upload, an empty
object beside the segments tells that it did.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from ..errors import AlreadyComplete, NotFound, SegmentsDiffer, SegmentsMissing, StorageUnavailable
from ..keys import Keys
from .base import Inspection, Sealed, StoredSegment, Transfer
from .manifest import Entry, Problems, object_etag
from .swift_client import SwiftClient
from .swift_final import Final, FinalObjects, Mark
from .swift_names import name_headers, object_name
from .swift_parallel import each
from .swift_removal import PAGE, remove_segments
from .swift_setup import cors_headers
from .swift_temp_urls import CONTAINER_KEYS

CONFIRMED = "confirmed"  # the name of the object that tells that the application has taken the upload

GENERATION = "X-Container-Meta-Direct-Upload-Generation"
SWEPT = "swept"  # the generation of a container that is being swept: as good as gone
_UPLOADERS_HEADERS = {"x-delete-at", "content-encoding", "content-disposition", "content-language", "cache-control"}
_ATTEMPTS = 3
_GONE = 404


def upload_key(keys: Keys, id: str) -> str:
    """The temp URL key of one upload's container."""
    return keys.derive("segments", id)


@dataclass(frozen=True, slots=True)
class Look:
    """A segment container as it is: its temp URL key ("" when revoked), its ``generation``, which changes whenever the
    upload is opened again, whether the upload is ``confirmed``, and the segments that are there."""

    key: str
    generation: str
    confirmed: bool
    stored: tuple[StoredSegment, ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment itself: what is stored, when it was (Unix seconds), and whether the uploader put headers on it."""

    stored: StoredSegment
    modified: int
    is_marked: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """A sealed upload, and whether it was this very call that wrote its manifest."""

    sealed: Sealed
    by_us: bool


class SegmentedUploads:
    """Segments in the shared container ``prefix`` (seal "pin"), or in ``prefix_<id>`` (seal "revoke")."""

    def __init__(self, client: SwiftClient, prefix: str, finals: FinalObjects) -> None:
        self._client = client
        self.prefix = prefix
        self._finals = finals

    def place(self, transfer: Transfer, index: int) -> tuple[str, str]:
        """Container and object of a segment."""
        return self._place(transfer, object_name(index))

    def _place(self, transfer: Transfer, name: str) -> tuple[str, str]:
        if transfer.seal == "pin":
            return self.prefix, f"{transfer.id}/{name}"
        return self.container_of(transfer.id), name

    def container_of(self, id: str) -> str:
        """The container of one upload's own."""
        return f"{self.prefix}_{id}"

    def prepare(self, transfer: Transfer, keys: Keys, origin: str) -> None:
        """Make the container, with its key, for pages of ``origin``."""
        headers = {CONTAINER_KEYS[0]: upload_key(keys, transfer.id), **cors_headers(origin)}
        headers |= name_headers(transfer.name)
        self._client.request("PUT", self.container_of(transfer.id), headers=headers, expect=(201, 202))

    def signing_key(self, transfer: Transfer) -> str:
        """The key for more temp URLs. Raises NotFound, AlreadyComplete; StorageUnavailable while it is being sealed."""
        look = self._look(transfer, limit=0)
        if look is None:
            self._raise_if_sealed(transfer)
            raise NotFound("This upload was aborted.")
        # The key is read before the final object is looked for: once that is there, nobody signs.
        if look.generation or not look.key:
            self._raise_if_sealed(transfer)
        if not look.key:
            raise StorageUnavailable("This upload is being completed.", retry_after=1)
        return look.key

    def _raise_if_sealed(self, transfer: Transfer) -> None:
        final = self._finals.find_of(transfer)
        if final is not None:
            raise AlreadyComplete

    def inspect(self, transfer: Transfer) -> Inspection:
        final = self._finals.find_of(transfer)
        look = self._look(transfer)
        if final is None:
            if look is None:
                raise NotFound("This upload was aborted.")
            return Inspection("open", look.stored)
        complete = _is_complete(final, look)
        stored = look.stored if look else ()
        return Inspection("complete" if complete else "sealed", stored, final.sealed(complete=complete))

    def _look(self, transfer: Transfer, limit: int = PAGE) -> Look | None:
        if transfer.seal == "pin":
            container, params = self.prefix, {"prefix": transfer.id + "/"}
        else:
            container, params = self.container_of(transfer.id), {}
        if limit:
            params |= {"format": "json", "limit": str(limit)}
            response = self._client.request("GET", container, params=params, expect=(200, 204, _GONE))
        else:
            response = self._client.request("HEAD", container, expect=(200, 204, _GONE))
        if response.status_code == _GONE or response.headers.get(GENERATION) == SWEPT:
            return None
        listing = response.json() if limit and response.status_code == 200 else []
        return Look(
            key=response.headers.get(CONTAINER_KEYS[0], ""),
            generation=response.headers.get(GENERATION, ""),
            confirmed=any(item["name"].rpartition("/")[2] == CONFIRMED for item in listing),
            stored=tuple(_stored(listing, transfer)),
        )

    # -- sealing -------------------------------------------------------------------------------------------

    def seal(self, transfer: Transfer, etags: Mapping[int, str], *, pending: bool) -> Sealed:
        """Compare, revoke, look at every segment itself, and write the manifest."""
        written = False
        for _ in range(_ATTEMPTS):
            look = self._look(transfer)
            if not written and (look is None or not look.key or transfer.seal == "pin"):
                final = self._finals.find_of(transfer)
                if final is not None:
                    return final.sealed(complete=_is_complete(final, look))
            if look is None:
                raise NotFound("This upload was aborted.")
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

    def _compare(self, transfer: Transfer, wanted: Sequence[StoredSegment], look: Look) -> Problems | None:
        """What is listed against what was declared. A listing may lag behind: what it says is wrong is asked for."""
        listed = {s.index: s for s in look.stored}
        doubtful = [w for w in wanted if listed.get(w.index) != w]
        return _problems(doubtful, each(lambda w: self._find(transfer, w.index), doubtful))

    def _find(self, transfer: Transfer, index: int) -> Segment | None:
        response = self._client.request("HEAD", *self.place(transfer, index), expect=(200, _GONE))
        if response.status_code == _GONE:
            return None
        headers = response.headers
        stored = StoredSegment(index, int(headers["Content-Length"]), headers["Etag"].strip('"'))
        modified = int(parsedate_to_datetime(headers["Last-Modified"]).timestamp())
        return Segment(stored, modified, any(_is_uploaders(name) for name in headers))

    def _revoke_and_examine(self, transfer: Transfer, wanted: Sequence[StoredSegment]) -> Problems | int:
        """End every temp URL; then look at each segment, and take away what the uploader put on it: an expiry, say.

        Gives when the last segment was stored, in Unix seconds.
        """
        self._revoke(transfer)
        found = each(lambda w: self._find(transfer, w.index), wanted)
        problems = _problems(wanted, found)
        if problems is not None:
            return problems
        segments = [segment for segment in found if segment is not None]
        each(lambda s: self._clear(transfer, s.stored.index), [s for s in segments if s.is_marked])
        return max(s.modified for s in segments)

    def _clear(self, transfer: Transfer, index: int) -> None:
        # 409: another call does the same just now, and was later than we.
        self._client.request("POST", *self.place(transfer, index), expect=(202, 409, _GONE))

    def _write(
        self, transfer: Transfer, wanted: Sequence[StoredSegment], sealed_at: int, pending: bool
    ) -> Problems | Outcome:
        etag = object_etag([w.etag for w in wanted])
        manifest = [Entry("/" + "/".join(self.place(transfer, w.index)), w.etag, w.size) for w in wanted]
        mark = Mark(transfer, "sealed" if pending else "complete", etag, sealed_at)
        written = self._finals.write_manifest(mark, manifest)
        if isinstance(written, Problems):
            return written
        if written:
            return Outcome(Sealed(etag, transfer.size, sealed_at, not pending), by_us=True)
        final = self._finals.find_of(transfer)
        if final is None:
            raise StorageUnavailable  # taken, and free again
        return Outcome(final.sealed(complete=_is_complete(final, self._look(transfer))), by_us=False)

    def _revoke(self, transfer: Transfer) -> bool:
        """End every temp URL of the upload; whether there is a container."""
        if transfer.seal == "pin":
            return True
        place, headers = self.container_of(transfer.id), {CONTAINER_KEYS[0]: ""}
        return self._client.request("POST", place, headers=headers, expect=(204, _GONE)).status_code != _GONE

    def _reopen(self, transfer: Transfer, written: bool) -> None:
        """Let segments be sent again. If the key has not been touched, nothing has happened; else there is a new one.

        The new key is random, so that no call that comes late can bring one back that was revoked since. A manifest
        that this very call has made, and whose segments were changed meanwhile, goes.
        """
        if transfer.seal == "pin":
            return
        now = self._look(transfer, limit=0)
        if now is None or now.key:
            return
        if written:
            self._finals.delete(transfer.name)
        generation = secrets.token_hex(8)
        headers = {CONTAINER_KEYS[0]: secrets.token_hex(32), GENERATION: generation}
        self._client.request("POST", self.container_of(transfer.id), headers=headers, expect=(204, _GONE))

    def _is_settled(self, transfer: Transfer, look: Look) -> bool:
        """Whether nobody has opened the upload again since we looked.

        Once there is a manifest nobody signs for it; so if it is revoked now, and was never opened since, no temp URL
        lives.
        """
        if transfer.seal == "pin":
            return True
        after = self._look(transfer, limit=0)
        return after is not None and not after.key and after.generation == look.generation

    def confirm(self, transfer: Transfer) -> None:
        """Leave word that the application has taken the upload. 202: another call has just left the same."""
        self._client.request("PUT", *self._place(transfer, CONFIRMED), data=b"", expect=(201, 202, _GONE))

    # -- giving up -----------------------------------------------------------------------------------------

    def discard(self, transfer: Transfer) -> None:
        """Revoke, then delete the segments; for "pin" the final name tells that nothing is ever read again."""
        final = self._finals.find_ours(transfer)
        if final is not None and final.is_whole and _is_complete(final, self._look(transfer)):
            raise AlreadyComplete
        if transfer.seal == "pin":
            self._finals.discard(transfer)
        elif self._revoke(transfer) and final is not None:
            self._finals.delete(transfer.name)
        self.delete_segments(transfer.id)

    def delete_segments(self, id: str) -> None:
        """Delete all segments of an upload, in its own container, which goes too, and in the shared one."""
        remove_segments(self._client, self.container_of(id), self.prefix, id)


def _stored(listing: Iterable[Mapping[str, Any]], transfer: Transfer) -> Iterator[StoredSegment]:
    for item in listing:
        number = item["name"].rpartition("/")[2]
        if number.isdigit() and int(number) < transfer.segment_count:
            yield StoredSegment(int(number), item["bytes"], item["hash"])


def _is_complete(final: Final, look: Look | None) -> bool:
    return final.state == "complete" or look is None or look.confirmed


def _is_uploaders(header: str) -> bool:
    return header.lower().startswith("x-object-meta-") or header.lower() in _UPLOADERS_HEADERS


def _problems(wanted: Sequence[StoredSegment], found: Sequence[Segment | None]) -> Problems | None:
    missing = [w.index for w, there in zip(wanted, found, strict=True) if there is None]
    differ = [w.index for w, there in zip(wanted, found, strict=True) if there is not None and there.stored != w]
    return Problems(missing, differ) if missing or differ else None


def _error(problems: Problems) -> SegmentsMissing:
    return SegmentsMissing(problems.missing) if problems.missing else SegmentsDiffer(problems.differ)
