"""The storage protocol: the operations of a storage, and the values that they take and return.

A storage keeps complete uploads as objects of one container, under names that the client never chooses. Until an upload
is complete its bytes are elsewhere (staging, segments), and only there may the holder of a presigned URL write.

Every storage passes ``tests/contract/storage_contract.py``. Methods raise
:class:`~direct_upload_middleware.errors.StorageError` for an unusable response and
:class:`~direct_upload_middleware.errors.StorageUnavailable` if a retry may help. Several threads and processes may call
all methods concurrently, and each method may be repeated after an exception.
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

GROUP_DIGITS = 16
"""So many first digits of their ids are the same for uploads that begin together: one listing finds all of them."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The storage's limits: ``max_segments`` in one upload, ``max_segment_size`` in bytes.

    No segment but the last may have less than ``min_segment_size`` bytes.
    """

    max_segments: int = 1000
    max_segment_size: int = 5 * GiB
    min_segment_size: int = 1


@dataclass(frozen=True, slots=True)
class Segment:
    """One piece of a file: its ``index`` (from 0), its ``offset`` in the file and its ``size``, in bytes."""

    index: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Transfer:
    """One upload in progress, as the storage must know it. Everything comes from the ticket.

    ``id`` is 32 random hex digits, of which uploads that begin together share the first GROUP_DIGITS. ``name`` is the
    name of the final object, ``type`` its MIME type (never empty), ``size`` and ``segment_size`` are bytes, ``expires``
    is the end of the ticket in Unix seconds. An upload of ``unknown_size`` began before its size was known: until it is
    measured, ``size`` and ``segment_count`` are the largest possible. ``reference`` is what :meth:`Storage.begin`
    returned.
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
    reference: str = ""
    own_container: bool = False  # set by a storage that keeps the only segment apart from those of other uploads

    @property
    def is_segmented(self) -> bool:
        """True if the final object refers to the segments where they are. Otherwise the only segment is copied."""
        return self.unknown_size or self.own_container or self.segment_count > 1

    def segment(self, index: int) -> Segment:
        """Return the segment with this index. Raise IndexError if it does not exist."""
        if not 0 <= index < self.segment_count:
            raise IndexError(index)
        offset = index * self.segment_size
        return Segment(index, offset, min(self.segment_size, self.size - offset))

    def segments(self) -> Iterator[Segment]:
        """Return all segments in order. An empty file has one of zero bytes."""
        return map(self.segment, range(self.segment_count))


@dataclass(frozen=True, slots=True)
class Checksum:
    """The header that sends the MD5 of a segment, and the encoding of its value."""

    header: str
    encoding: Literal["hex", "base64"]


@dataclass(frozen=True, slots=True)
class SignedSegment:
    """A presigned request that uploads one segment: its URL, its headers, and when it expires (Unix seconds).

    A ``url`` that begins with ``/`` is relative to the middleware's mount. Without a ``checksum`` the MD5 is sent as
    ``ETag`` in hex.
    """

    segment: Segment
    url: str = field(repr=False)
    expires: int
    headers: Mapping[str, str] = field(default_factory=dict)
    checksum: Checksum | None = None


@dataclass(frozen=True, slots=True)
class StoredSegment:
    """One segment in storage: its ``size`` in bytes and its ``etag``, the MD5 in hex."""

    index: int
    size: int
    etag: str


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed upload.

    ``sealed_at`` is when its last byte was stored or a little later, in Unix seconds; every call returns the same
    value. ``complete`` is True if :meth:`Storage.confirm` was called, or may have been. ``etag`` is the object's: of
    several segments, the MD5 of their concatenated ETags. ``segments`` is for the storage's own use.
    """

    etag: str
    size: int
    sealed_at: int
    complete: bool
    segments: tuple[StoredSegment, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class UploadStatus:
    """The state of an upload. ``sealed`` is set if ``state`` is "sealed" or "complete"."""

    state: State
    stored: tuple[StoredSegment, ...] = ()
    sealed: Sealed | None = None


@dataclass(frozen=True, slots=True)
class StoredObject:
    """The object of a complete upload: its ``name``, the upload's ``id``, ``size`` in bytes and ``etag``."""

    name: str
    id: str
    size: int
    etag: str


@runtime_checkable
class Storage(Protocol):
    """Keeps uploads. See the module's docstring."""

    container: str
    needs_secret: bool
    """True if the application must set a secret; otherwise :meth:`default_secrets` returns one."""

    def default_secrets(self) -> tuple[str, ...]:
        """Return the storage's own secrets, for an application without one. Called on first use; may do I/O."""

    def bind(self, keys: Keys) -> None:
        """Set the keys that sign presigned URLs. Called when the middleware is constructed; does no I/O."""

    def limits(self) -> Limits:
        """Return the storage's limits."""

    def begin(self, transfer: Transfer, *, origin: str) -> str | None:
        """Prepare for the segments of a new upload, sent by pages of ``origin`` (as in the Origin header).

        A storage that must remember something about the upload returns it, and the ticket keeps it as the transfer's
        ``reference``.
        """

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
        """Presign a PUT for each index, valid for ``ttl`` seconds.

        ``fresh`` means that :meth:`begin` was called just before, so that storage need not be asked. Otherwise what it
        prepared may have been removed since; with an ``origin`` it is prepared again for pages of that origin.
        Raise AlreadyComplete if the upload is sealed, NotFound if it was aborted.
        """

    def status(self, transfer: Transfer) -> UploadStatus:
        """Return the upload's state and stored segments. Raise NotFound if it was aborted."""

    def seal(self, transfer: Transfer, etags: Mapping[int, str], *, pending: bool) -> Sealed:
        """Verify the size and ETag of every segment, and make the upload immutable for holders of presigned URLs.

        ``etags`` has an ETag for every index; the caller has checked that. The sealed object has the ticket's type, our
        metadata and no expiry, whatever the uploader sent. With ``pending`` it becomes complete by :meth:`confirm`,
        without it at once. Repeated and concurrent calls return the same ``Sealed``. Raise SegmentsMissing or
        SegmentsDiffer, in which case nothing has changed; raise NotFound if the upload was aborted.
        """

    def confirm(self, transfer: Transfer, sealed: Sealed) -> None:
        """Make the sealed upload complete after the application accepted it, and remove what was staged. Repeatable.

        Raise NotFound if it was aborted meanwhile, StorageUnavailable while that is undecided: of a confirm and an
        abort at the same moment, never both succeed.
        """

    def abort(self, transfer: Transfer) -> None:
        """Abort an open or sealed upload: remove its segments and make its presigned URLs useless. Repeatable.

        Raise AlreadyComplete if it is complete.
        """

    def refuse(self, transfer: Transfer) -> None:
        """Remove a sealed upload that the application refused, without any trace. Repeatable.

        There is no tombstone either: what its presigned URLs still write may be completed, and the application decides
        again. Raise AlreadyComplete if it is complete.
        """

    def delete(self, stored: StoredObject, *, until: int = 0) -> None:
        """Delete the object and all its segments. Do nothing if they are gone or if another upload has the name now.

        :param until: when the upload's last ticket expires, in Unix seconds. Until then nothing brings the upload back:
            it is NotFound, whatever its presigned URLs still write.
        """

    def open(self, stored: StoredObject) -> BinaryIO:
        """Open the object as a readable, seekable file that reads from storage on demand.

        Reading raises StorageError if the object is gone or is not the one that was sealed.
        """

    def check(self, stored: StoredObject) -> None:
        """Raise NotFound if the object is gone, or is that of another upload with the same name."""

    def download_url(self, name: str, *, filename: str, inline: bool, ttl: int) -> str:
        """Presign a GET that downloads the object as ``filename``, valid for ``ttl`` seconds."""

    def browser_storage_origin(self) -> str | None:
        """Return the origin to which browsers send segments; None if it is the application's own. May do I/O."""

    def serve(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes] | None:
        """Answer a request for one of the storage's own URLs below the mount; return None for any other URL.

        SCRIPT_NAME ends with the mount.
        """


@runtime_checkable
class ChecksOptions(Protocol):
    """A storage that cannot honour every option of the middleware."""

    def check_options(self, *, seal: Seal, bind_ip: bool) -> None:
        """Raise ConfigurationError, with the remedy, for an option that this storage cannot honour."""


class SealingMarks(Protocol):
    """Marks by which processes tell each other that one of them is sealing an upload. A mark ends by itself."""

    def put(self, id: str, seconds: int) -> None:
        """Mark the upload for so many seconds, or mark it again."""

    def exists(self, id: str) -> bool:
        """Return whether the upload is marked."""

    def remove(self, id: str) -> None:
        """Remove the mark, if there is one."""


@runtime_checkable
class HasSealingMarks(Protocol):
    """A storage in which sealing may take long."""

    sealing_marks: SealingMarks


def object_etag(etags: Sequence[str]) -> str:
    """Return the ETag of an object of segments, as in Swift: the MD5 of their concatenated ETags."""
    return md5("".join(etags).encode(), usedforsecurity=False).hexdigest()
