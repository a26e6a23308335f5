"""The sweep of a local storage. It examines and removes an upload under its lock, so nothing can happen in between."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress

from ...errors import NotFound, StorageError
from ..sweeping import Finding, Progress
from .disk import Disk, UploadFiles, UploadRecord


class LocalSweep:
    """One sweep. The parameters are those of :meth:`.sweeping.Sweepable.sweep`."""

    def __init__(self, disk: Disk, older_than: int, dry_run: bool) -> None:
        self._disk = disk
        self._older_than = older_than
        self._dry_run = dry_run
        self._now = time.time()

    def sweep(self, progress: Progress) -> Iterator[Finding]:
        """Find uploads that never became complete, and files that a crash left beside complete ones."""
        ids = self._disk.ids()
        for number, upload_id in enumerate(ids, 1):
            with self._disk.lock(upload_id), suppress(NotFound, FileNotFoundError):  # gone since it was listed
                finding = self._examine(upload_id)
                if finding is not None:
                    yield finding
            progress(number, len(ids))

    def _examine(self, upload_id: str) -> Finding | None:
        files = self._disk.files(upload_id)
        manifest = files.manifest()
        is_complete = manifest is not None and manifest.complete
        names = files.unneeded(manifest) if manifest is not None and is_complete else os.listdir(files.path)
        if is_complete and not names:
            return None
        finding = self._finding(files.path, names)
        if finding.age < self._older_than:
            return None
        return finding if self._dry_run else finding.removed_by(lambda: self._remove(upload_id, files, manifest))

    def _finding(self, path: str, names: Iterable[str]) -> Finding:
        stats = [os.stat(os.path.join(path, name)) for name in names]
        newest = max((stat.st_mtime for stat in stats), default=os.stat(path).st_mtime)
        return Finding("segments", path, sum(stat.st_size for stat in stats), max(0, int(self._now - newest)))

    def _remove(self, upload_id: str, files: UploadFiles, manifest: UploadRecord | None) -> bool:
        try:
            if manifest is not None and manifest.complete:
                files.complete(manifest)
                return True
            if manifest is not None:
                self._disk.unpublish(manifest.name, upload_id)
            self._disk.remove(upload_id)
        except OSError as error:
            raise StorageError(f"The operating system reports: {error.strerror}.") from error
        return True
