"""The storage protocol: what a storage can do for an upload, and the values that go to and fro.

A storage keeps finished uploads as objects of one container, under names that the client never chooses. Until an
upload is finished its bytes are elsewhere (staging, segments), and only there may the holder of a temp URL write.

Every storage passes ``tests/contract/storage_contract.py``. Faults are raised as
:class:`~direct_upload_middleware.errors.StorageError` (an answer that cannot be worked with) and
:class:`~direct_upload_middleware.errors.StorageUnavailable` (try again). All methods may be called by several threads
and processes at once, and each may be repeated after a fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import md5
from typing import TYPE_CHECKING, BinaryIO, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from ..keys import Keys

GiB = 1024**3

Seal = Literal["revoke", "pin"]
SEALS: tuple[Seal, ...] = ("revoke", "pin")
State = Literal["open", "sealed", "complete"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What the storage can take: ``max_segments`` in one upload, ``max_segment_size`` in bytes."""

    max_segments: int = 1000
    max_segment_size: int = 5 * GiB


@dataclass(frozen=True, slots=True)
class Segment:
    """One piece of a file: its ``index`` (from 0), its ``offset`` in the file and its ``size``, in bytes."""

    index: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Transfer:
    """One upload under way, as the storage must know it; all of it comes from the ticket.

    ``id`` is 32 hex digits at random, ``name`` the name of the finished object, ``type`` its MIME type (never empty),
    ``size`` and ``segment_size`` bytes, ``expires`` the end of the ticket in Unix seconds. One that is ``unknown_size``
    began before its size was known: until it is measured, ``size`` is as much as there can be, in as many segments.
    """

    id: str
    name: str
    type: str
    size: int
    segment_size: int
    segment_count: int
    seal: Seal
    expires: int
    unknown_size: bool = False
    own_container: bool = False  # set by a storage that keeps the only segment apart from those of other uploads

    @property
    def is_segmented(self) -> bool:
        """Whether what is sent stays where it is, and is made one object of. Otherwise its only segment is copied."""
        return self.unknown_size or self.own_container or self.segment_count > 1

    def segment(self, index: int) -> Segment:
        """The segment with this index; IndexError when there is none."""
        if not 0 <= index < self.segment_count:
            raise IndexError(index)
        offset = index * self.segment_size
        return Segment(index, offset, min(self.segment_size, self.size - offset))

    def segments(self) -> Iterator[Segment]:
        """All segments, in order. An empty file has one, of zero bytes."""
        return map(self.segment, range(self.segment_count))


@dataclass(frozen=True, slots=True)
class SignedSegment:
    """Leave to PUT one segment: the temp URL, the headers to send with it, and when it ends (Unix seconds).

    A ``url`` that begins with ``/`` is relative to the middleware's mount.
    """

    segment: Segment
    url: str
    expires: int
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredSegment:
    """What is in storage for one segment: its ``size`` in bytes and its ``etag``, the MD5 in hex."""

    index: int
    size: int
    etag: str


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed upload. ``sealed_at``, in Unix seconds, is when its last byte was stored or a little later, and the same
    whoever asks; ``complete`` tells whether :meth:`Storage.confirm` was done, or may have been. ``etag`` is the
    object's: of several segments, the MD5 of their ETags in a row."""

    etag: str
    size: int
    sealed_at: int
    complete: bool


@dataclass(frozen=True, slots=True)
class UploadStatus:
    """How far an upload is. ``sealed`` is there when ``state`` is "sealed" or "complete"."""

    state: State
    stored: tuple[StoredSegment, ...] = ()
    sealed: Sealed | None = None


@dataclass(frozen=True, slots=True)
class StoredObject:
    """A finished object: its ``name``, its upload's ``id``, ``size`` in bytes and ``etag``."""

    name: str
    id: str
    size: int
    etag: str


@runtime_checkable
class Storage(Protocol):
    """Where uploads go."""

    container: str
    needs_secret: bool
    """Whether the application must give a secret; if not, :meth:`default_secrets` has one."""

    def default_secrets(self) -> tuple[str, ...]:
        """Secrets of the storage's own, for an application that gave none. Asked on first use: may do I/O."""

    def bind(self, keys: Keys) -> None:
        """Take the keys to derive temp URL keys from. Called when the middleware is made: no I/O."""

    def limits(self) -> Limits:
        """What one upload may be made of."""

    def begin(self, transfer: Transfer, *, origin: str) -> None:
        """Make ready for the segments of a new upload, from pages of ``origin`` (as in the Origin header)."""

    def sign(
        self,
        transfer: Transfer,
        indexes: Iterable[int],
        *,
        ttl: int,
        ip_range: str | None = None,
        fresh: bool = False,
        origin: str | None = None,
    ) -> list[SignedSegment]:
        """Sign a temp URL for PUT for each index, good for ``ttl`` seconds.

        ``fresh`` says that :meth:`prepare` has just been called: nothing needs to be asked of storage then. Otherwise
        what it made may have been removed since, and is made again for pages of ``origin``, where that is given.
        Raises AlreadyComplete when the upload is sealed, NotFound when it was discarded.
        """

    def status(self, transfer: Transfer) -> UploadStatus:
        """How far the upload is. Raises NotFound when it was discarded."""

    def seal(self, transfer: Transfer, etags: Mapping[int, str], *, pending: bool) -> Sealed:
        """Verify every segment's size and ETag, and make the upload unchangeable for every holder of a temp URL.

        ``etags`` has an ETag for every index (the caller has looked). The object has then the ticket's type, our
        metadata and no expiry, whatever the uploader sent. With ``pending`` the result is not complete before
        :meth:`confirm`; without, it is at once. Called again, even at the same time, it gives the same ``Sealed``.
        Raises SegmentsMissing or SegmentsDiffer, then nothing has changed; NotFound when it was discarded.
        """

    def confirm(self, transfer: Transfer, sealed: Sealed) -> None:
        """The application has taken the sealed upload: it is complete, and what was staged for it goes. Repeatable.

        Raises NotFound when it was discarded meanwhile, StorageUnavailable while that is being decided: of this and a
        discard at the same moment never both succeed.
        """

    def abort(self, transfer: Transfer) -> None:
        """Give the upload up, sealed but unconfirmed or not; its segments go, its temp URLs are worth nothing.

        Raises AlreadyComplete when it is complete. Repeatable.
        """

    def refuse(self, transfer: Transfer) -> None:
        """Discard an upload that was sealed and that the application does not want, and leave nothing at all of it.

        No word is left either that it was refused: what its temp URLs still write may be completed, and the application
        is asked again. Raises AlreadyComplete when it is complete. Repeatable.
        """

    def delete(self, stored: StoredObject, *, until: int = 0) -> None:
        """Delete a finished object with all its segments. No error when it is gone already.

        :param until: Unix seconds, when the last ticket for it expires. So long nothing brings the upload back: it is
            NotFound, whatever its temp URLs still write.
        """

    def open(self, stored: StoredObject) -> BinaryIO:
        """The object's bytes: readable, seekable, read from storage as they are asked for.

        Reading raises StorageError when the object is gone or not the one that was sealed.
        """

    def download_url(self, name: str, *, filename: str, inline: bool, ttl: int) -> str:
        """A temp URL for GET, good for ``ttl`` seconds, that gives the object under ``filename``."""

    def browser_storage_origin(self) -> str | None:
        """The origin that browsers send segments to; None when it is the application's own. May do I/O."""

    def serve(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes] | None:
        """Answer a request for a URL of this storage's own, below the mount; None when it is not ours.

        SCRIPT_NAME ends with the mount.
        """


def object_etag(etags: Sequence[str]) -> str:
    """The ETag of the whole: the MD5 of the segments' in a row, as Swift has it, also of one."""
    return md5("".join(etags).encode(), usedforsecurity=False).hexdigest()
