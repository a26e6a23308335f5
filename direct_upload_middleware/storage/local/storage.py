"""The embedded storage: a directory on this machine, with temp URLs under the middleware's own mount."""

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
from ..sweeping import Finding, Progress, no_progress
from .disk import Disk, UploadRecord
from .files import make_directory, write_once
from .receive import MAX_SEGMENT_SIZE
from .server import DOWNLOADS, PREFIX, TempUrlServer, object_path, segment_path, segment_purpose
from .sweep import LocalSweep

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from ...keys import Keys

_PASSING = (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.ENOLCK)


@contextmanager
def _faults() -> Iterator[None]:
    """Errors of the operating system as errors of the storage."""
    try:
        yield
    except OSError as error:
        raise (StorageUnavailable if error.errno in _PASSING else StorageError)() from error


class LocalStorage:
    """Uploads in a directory of this machine, shared by all processes that use it.

    For development, tests, and applications small enough to have one machine. The rules are Swift's: what holds here
    holds there. Needs a POSIX system.

    :param path: the directory; it is made on first use. A relative path is below the working directory of now.
    :param container: the name that goes into temp URLs and :class:`~direct_upload_middleware.receipts.Upload`.
    """

    needs_secret = False
    _keys: Keys
    _server: TempUrlServer

    def __init__(self, path: str | os.PathLike[str] = ".direct-upload", container: str = "uploads") -> None:
        if not container or "/" in container:
            raise ConfigurationError(f"container: give a name without '/', not {container!r}")
        self.container = container
        self._disk = Disk(os.path.abspath(path), container)

    @_faults()
    def default_secrets(self) -> tuple[str, ...]:
        """A secret of this storage's own, made by whichever process asks first."""
        path = os.path.join(self._disk.root, "secret")
        if not os.path.exists(path):
            make_directory(self._disk.root)
            write_once(path, secrets.token_hex(32).encode())
        with open(path, encoding="ascii", errors="replace") as file:
            secret = file.read().strip()
        if len(secret) < 32:
            raise StorageError("The secret of the local storage is damaged.")
        return (secret,)

    def bind(self, keys: Keys) -> None:
        """See :meth:`.base.Storage.bind`."""
        self._keys = keys
        self._server = TempUrlServer(self._disk, self.container, keys)

    def limits(self) -> Limits:
        """As Swift's."""
        return Limits(max_segment_size=MAX_SEGMENT_SIZE)

    @_faults()
    def begin(self, transfer: Transfer, *, origin: str) -> None:
        """See :meth:`.base.Storage.prepare`."""
        self._disk.begin(transfer.id)

    @_faults()
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
        """See :meth:`.base.Storage.sign`."""
        if not fresh:
            self._disk.files(transfer.id).check_open()
        key = self._keys.derive(*segment_purpose(transfer.id))
        expires = int(time.time()) + ttl
        paths = {index: segment_path(self.container, transfer.id, index) for index in indexes}
        return [
            SignedSegment(transfer.segment(index), temp_urls.url(key, "PUT", path, expires, ip_range=ip_range), expires)
            for index, path in paths.items()
        ]

    @_faults()
    def status(self, transfer: Transfer) -> UploadStatus:
        """See :meth:`.base.Storage.inspect`."""
        files = self._disk.files(transfer.id)
        with self._disk.lock(transfer.id):
            manifest = files.manifest()
            if manifest is None:
                return UploadStatus("open", tuple(files.segments().values()))
        return UploadStatus("complete" if manifest.complete else "sealed", manifest.stored(), manifest.sealed())

    @_faults()
    def seal(self, transfer: Transfer, etags: Mapping[int, str], *, pending: bool) -> Sealed:
        """See :meth:`.base.Storage.seal`."""
        files = self._disk.files(transfer.id)
        with self._disk.lock(transfer.id):
            manifest = files.manifest()
            if manifest is None:
                manifest = _verified(transfer, etags, files.segments())
                files.write(manifest)
            if not manifest.complete:
                self._disk.publish(manifest)  # again, where a crash may have come between
                if not pending:
                    manifest = files.complete(manifest)
        return manifest.sealed()

    @_faults()
    def confirm(self, transfer: Transfer, sealed: Sealed) -> None:
        """See :meth:`.base.Storage.confirm`. Raises NotFound when the upload was discarded meanwhile."""
        files = self._disk.files(transfer.id)
        with self._disk.lock(transfer.id):
            manifest = files.manifest()
            if manifest is None:
                raise NotFound("The upload is not sealed.")
            if not manifest.complete:
                files.complete(manifest)

    @_faults()
    def abort(self, transfer: Transfer) -> None:
        """See :meth:`.base.Storage.abort`."""
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
        """See :meth:`.base.Storage.refuse`. A discarded upload leaves nothing here."""
        self.abort(transfer)

    @_faults()
    def delete(self, stored: StoredObject, *, until: int = 0) -> None:
        """See :meth:`.base.Storage.delete`. Nothing brings an upload back whose directory is gone."""
        with self._disk.lock(stored.id):
            self._disk.unpublish(stored.name, stored.id)
            self._disk.remove(stored.id)

    @_faults()
    def open(self, stored: StoredObject) -> BinaryIO:
        """See :meth:`.base.Storage.open`."""
        manifest = self._disk.published(stored.name)
        if manifest is None or (manifest.id, manifest.size, manifest.etag) != (stored.id, stored.size, stored.etag):
            raise StorageError("The object is gone, or is not the one that was sealed.")
        return io.BufferedReader(self._disk.files(manifest.id).reader(manifest))

    def download_url(self, name: str, *, filename: str, inline: bool, ttl: int) -> str:
        """See :meth:`.base.Storage.download_url`."""
        key = self._keys.derive(*DOWNLOADS)
        path = object_path(self.container, name)
        return temp_urls.url(key, "GET", path, int(time.time()) + ttl, filename=filename, inline=inline)

    def sweep(self, *, older_than: int, dry_run: bool = False, progress: Progress = no_progress) -> Iterator[Finding]:
        """See :meth:`.sweeping.Sweepable.sweep`."""
        return LocalSweep(self._disk, older_than, dry_run).sweep(progress)

    def browser_storage_origin(self) -> str | None:
        """None: segments go to the application's own origin."""
        return None

    def serve(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes] | None:
        """Answer a request for a temp URL below ``/local/``; None for any other."""
        if not environ.get("PATH_INFO", "").startswith(PREFIX):
            return None
        return self._server(environ, start_response)


def _verified(transfer: Transfer, etags: Mapping[int, str], stored: Mapping[int, StoredSegment]) -> UploadRecord:
    """The manifest of the upload, if what is stored is what was declared; raises SegmentsMissing, SegmentsDiffer."""
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
