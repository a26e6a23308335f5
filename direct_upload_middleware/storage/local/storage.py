"""The embedded storage: a directory on this machine, with presigned URLs below the middleware's own mount."""

from __future__ import annotations

import errno
import io
import os
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from ...errors import (
    AlreadyComplete,
    ConfigurationError,
    NotFound,
    SegmentsDiffer,
    SegmentsMissing,
    StorageError,
    StorageUnavailable,
)
from .. import temp_urls
from ..base import Limits, Sealed, SignedSegment, StoredObject, StoredSegment, Transfer, UploadStatus, object_etag
from ..sweeping import Finding, Progress, ignore_progress
from .disk import Disk, UploadRecord
from .files import check_private, make_directory, write_once
from .receive import MAX_SEGMENT_SIZE
from .server import DOWNLOADS, PREFIX, TempUrlServer, object_path, segment_path, segment_purpose
from .sweep import LocalSweep

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from ...keys import Keys

_TRANSIENT = (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.ENOLCK)


@contextmanager
def _convert_errors() -> Iterator[None]:
    """Convert errors of the operating system to errors of the storage."""
    try:
        yield
    except OSError as error:
        raise (StorageUnavailable if error.errno in _TRANSIENT else StorageError)() from error


class LocalStorage:
    """Keeps uploads in a directory of this machine, shared by all processes that use it.

    For development, tests, and applications on a single machine. It follows Swift's rules: what works here works there.
    It needs a POSIX system.

    :param path: the directory, created on first use. A relative path is below the present working directory.
    :param container: the name in presigned URLs and in :class:`~direct_upload_middleware.Upload`.
    """

    needs_secret = False
    _keys: Keys
    _server: TempUrlServer

    def __init__(self, path: str | os.PathLike[str] = ".direct-upload", container: str = "uploads") -> None:
        if not container or "/" in container:
            raise ConfigurationError(f"container must be a name without '/', not {container!r}")
        self.container = container
        self._disk = Disk(os.path.abspath(path), container)

    @_convert_errors()
    def default_secrets(self) -> tuple[str, ...]:
        """Return this storage's own secret. The first process that asks creates it."""
        path = os.path.join(self._disk.root, "secret")
        make_directory(self._disk.root)
        check_private(self._disk.root)
        if not os.path.exists(path):
            write_once(path, secrets.token_hex(32).encode())
        check_private(path)
        with open(path, encoding="ascii", errors="replace") as file:
            secret = file.read().strip()
        if len(secret) < 32:
            raise StorageError("The secret of the local storage is corrupt.")
        return (secret,)

    def bind(self, keys: Keys) -> None:
        """Set the keys. See :meth:`.base.Storage.bind`."""
        self._keys = keys
        self._server = TempUrlServer(self._disk, self.container, keys)

    def limits(self) -> Limits:
        """Return the same limits as Swift's."""
        return Limits(max_segment_size=MAX_SEGMENT_SIZE)

    @_convert_errors()
    def begin(self, transfer: Transfer, *, origin: str) -> None:
        """Begin an upload. See :meth:`.base.Storage.begin`."""
        self._disk.begin(transfer.id)
        check_private(self._disk.root)

    @_convert_errors()
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
        """Presign PUTs. See :meth:`.base.Storage.sign`."""
        if not fresh:
            self._disk.files(transfer.id).check_open()
        expires = int(time.time()) + ttl
        return [self._sign_segment(transfer, index, expires, ip_range) for index in indexes]

    def _sign_segment(self, transfer: Transfer, index: int, expires: int, ip_range: str | None) -> SignedSegment:
        segment = transfer.segment(index)
        key = self._keys.derive(*segment_purpose(transfer.id, segment.size))
        path = segment_path(self.container, transfer.id, index)
        url = temp_urls.url(key, "PUT", path, expires, ip_range=ip_range)
        return SignedSegment(segment, url.replace("?", f"?size={segment.size}&", 1), expires)

    @_convert_errors()
    def status(self, transfer: Transfer) -> UploadStatus:
        """Return the status. See :meth:`.base.Storage.status`."""
        files = self._disk.files(transfer.id)
        with self._disk.lock(transfer.id):
            manifest = files.manifest()
            if manifest is None:
                return UploadStatus("open", tuple(files.segments().values()))
        return UploadStatus("complete" if manifest.complete else "sealed", manifest.stored(), manifest.sealed())

    @_convert_errors()
    def seal(self, transfer: Transfer, etags: Mapping[int, str], *, pending: bool) -> Sealed:
        """Seal the upload. See :meth:`.base.Storage.seal`."""
        files = self._disk.files(transfer.id)
        with self._disk.lock(transfer.id):
            manifest = files.manifest()
            if manifest is None:
                manifest = _make_manifest(transfer, etags, files.segments())
                files.write(manifest)
            if not manifest.complete:
                self._disk.publish(manifest)  # again, in case of a crash in between
                if not pending:
                    manifest = files.complete(manifest)
        return manifest.sealed()

    @_convert_errors()
    def confirm(self, transfer: Transfer, sealed: Sealed) -> None:
        """Make the upload complete. See :meth:`.base.Storage.confirm`."""
        files = self._disk.files(transfer.id)
        with self._disk.lock(transfer.id):
            manifest = files.manifest()
            if manifest is None:
                raise NotFound("The upload is not sealed.")
            if not manifest.complete:
                files.complete(manifest)

    @_convert_errors()
    def abort(self, transfer: Transfer) -> None:
        """Abort the upload. See :meth:`.base.Storage.abort`."""
        with self._disk.lock(transfer.id):
            try:
                manifest = self._disk.files(transfer.id).manifest()
            except NotFound:
                return
            if manifest is not None and manifest.complete:
                raise AlreadyComplete
            self._disk.unpublish(transfer.name, transfer.id)
            self._disk.remove(transfer.id)

    def refuse(self, transfer: Transfer) -> None:
        """Remove the upload. See :meth:`.base.Storage.refuse`. An abort leaves no trace here either."""
        self.abort(transfer)

    @_convert_errors()
    def delete(self, stored: StoredObject, *, until: int = 0) -> None:
        """Delete the object. See :meth:`.base.Storage.delete`. Nothing can restore an upload without directory."""
        with self._disk.lock(stored.id):
            self._disk.unpublish(stored.name, stored.id)
            self._disk.remove(stored.id)

    @_convert_errors()
    def open(self, stored: StoredObject) -> BinaryIO:
        """Open the object. See :meth:`.base.Storage.open`."""
        manifest = self._disk.published(stored.name)
        if manifest is None or (manifest.id, manifest.size, manifest.etag) != (stored.id, stored.size, stored.etag):
            raise StorageError("The object is gone, or it is not the one that was sealed.")
        return io.BufferedReader(self._disk.files(manifest.id).reader(manifest))

    @_convert_errors()
    def check(self, stored: StoredObject) -> None:
        """Check that the object is the upload's. See :meth:`.base.Storage.check`."""
        manifest = self._disk.published(stored.name)
        if manifest is None or (manifest.id, manifest.etag) != (stored.id, stored.etag):
            raise NotFound("The upload was deleted.")

    def download_url(self, name: str, *, filename: str, inline: bool, ttl: int) -> str:
        """Presign a GET. See :meth:`.base.Storage.download_url`."""
        key = self._keys.derive(*DOWNLOADS)
        path = object_path(self.container, name)
        return temp_urls.url(key, "GET", path, int(time.time()) + ttl, filename=filename, inline=inline)

    def sweep(
        self, *, older_than: int, dry_run: bool = False, progress: Progress = ignore_progress
    ) -> Iterator[Finding]:
        """Sweep the storage. See :meth:`.sweeping.Sweepable.sweep`."""
        return LocalSweep(self._disk, older_than, dry_run).sweep(progress)

    def browser_storage_origin(self) -> str | None:
        """Return None: segments go to the application's own origin."""
        return None

    def serve(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes] | None:
        """Answer a request for a presigned URL below ``/local/``; return None for any other."""
        if not environ.get("PATH_INFO", "").startswith(PREFIX):
            return None
        return self._server(environ, start_response)


def _make_manifest(transfer: Transfer, etags: Mapping[int, str], stored: Mapping[int, StoredSegment]) -> UploadRecord:
    """Return the manifest of an upload whose stored segments are as declared. Raise SegmentsMissing, SegmentsDiffer."""
    declared = [StoredSegment(s.index, s.size, etags[s.index]) for s in transfer.segments()]
    if missing := [s.index for s in declared if s.index not in stored]:
        raise SegmentsMissing(missing)
    if different := [s.index for s in declared if stored[s.index] != s]:
        raise SegmentsDiffer(different)
    return UploadRecord(
        id=transfer.id,
        name=transfer.name,
        type=transfer.type,
        size=transfer.size,
        etag=object_etag([s.etag for s in declared]) if transfer.is_segmented else etags[0],
        sealed_at=int(time.time()),
        complete=False,
        segments=tuple((s.etag, s.size) for s in declared),
    )
