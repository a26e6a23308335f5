"""Seal uploads in threads of this process, so that no request has to wait until a large upload is sealed.

A request waits for about a second, and hardly at all for large uploads. If sealing takes longer, it continues in its
thread, and a repeated request for the same upload joins it. An upload whose sealing has not begun by then is sealed by
the process that gets the repeated request.

Other processes learn from a mark in storage that this one is at work, and do not do the same work again. The mark
expires soon after a process died: then the next request seals the upload again, which is safe.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from typing import TypeAlias

from ..errors import DirectUploadError
from ..storage.base import HasSealingMarks, Sealed, SealingMarks, Storage, Transfer

log = logging.getLogger(__name__)

PATIENCE = 1.0
"""Seconds that a request waits."""
LARGE_SEGMENTS = 50
LARGE_PATIENCE = 0.05
"""Seconds that a request waits if all its uploads have at least LARGE_SEGMENTS: they take longer anyway, and a few of
them at once would occupy all workers."""
MARK_SECONDS = 15
"""The lifetime of a mark. The process that seals renews it."""
KEPT_SECONDS = 60.0
"""The time that a result is kept until a call asks for it."""
THREADS = 16
MARKED_SEGMENTS = 17
"""From so many segments on, processes tell each other: fewer are sealed in less time than that takes."""

_Key: TypeAlias = tuple[str, frozenset[tuple[int, str]]]


class SealedElsewhere(Exception):
    """Another process is sealing the upload."""


@dataclass(slots=True)
class Run:
    """The sealing of one upload. ``ended`` is when, by the monotonic clock."""

    key: _Key
    transfer: Transfer
    future: Future[Sealed]
    ended: float | None = None
    is_marked: bool = False


class SealingThreads:
    """The uploads that this process seals."""

    def __init__(self, storage: Storage) -> None:
        self._marks: SealingMarks | None = storage.sealing_marks if isinstance(storage, HasSealingMarks) else None
        self._lock = threading.Lock()
        self._runs: dict[_Key, Run] = {}
        self._pool: ThreadPoolExecutor | None = None
        self._pid = 0

    def start(self, transfer: Transfer, etags: Mapping[int, str], seal: Callable[[], Sealed]) -> Run:
        """Call ``seal`` in a thread, or join the run that was started before for the same segments."""
        key = (transfer.id, frozenset(etags.items()))
        with self._lock:
            self._forget_old()
            if key not in self._runs:
                future = self._threads().submit(copy_context().run, self._seal, transfer, seal)
                run = self._runs[key] = Run(key, transfer, future)
                future.add_done_callback(lambda _: _end(run))
            return self._runs[key]

    def _threads(self) -> ThreadPoolExecutor:
        """Return the threads of this process: a forked one does not have its parent's, nor what they do."""
        if self._pool is None or self._pid != os.getpid():
            self._runs.clear()
            self._pool, self._pid = ThreadPoolExecutor(THREADS, "direct-upload-seal"), os.getpid()
        return self._pool

    def _forget_old(self) -> None:
        oldest = time.monotonic() - KEPT_SECONDS
        for key, run in [*self._runs.items()]:
            if run.ended is not None and run.ended < oldest:
                del self._runs[key]

    def _seal(self, transfer: Transfer, seal: Callable[[], Sealed]) -> Sealed:
        marks = self._marks if transfer.segment_count >= MARKED_SEGMENTS else None
        if marks is not None and marks.exists(transfer.id):
            raise SealedElsewhere
        return seal()

    def wait(self, runs: list[Run]) -> None:
        """Wait until all runs have ended, for about a second at most. Cancel what has not begun, mark the others."""
        are_large = all(run.transfer.segment_count >= LARGE_SEGMENTS for run in runs)
        _, late = wait([run.future for run in runs], timeout=LARGE_PATIENCE if are_large else PATIENCE)
        for future in late:
            future.cancel()
        with self._lock:
            unmarked = [run for run in runs if run.ended is None and not run.is_marked]
            for run in unmarked:
                run.is_marked = True
        for run in unmarked:
            if self._marks is not None and run.transfer.segment_count >= MARKED_SEGMENTS:
                threading.Thread(target=_keep_marked, args=(self._marks, run), daemon=True).start()

    def take(self, run: Run) -> Sealed | None:
        """Return the result of a run, None while the upload is being sealed. Raise what sealing raised."""
        if not run.future.done():
            return None
        self._remove(run)
        try:
            return run.future.result()
        except (SealedElsewhere, CancelledError):
            return None

    def _remove(self, run: Run) -> None:
        with self._lock:
            if self._runs.get(run.key) is run:
                del self._runs[run.key]

    def forget(self, id: str) -> None:
        """Forget the results for an upload that was aborted or deleted since."""
        with self._lock:
            for key in [key for key in self._runs if key[0] == id]:
                del self._runs[key]


def _end(run: Run) -> None:
    run.ended = time.monotonic()


def _keep_marked(marks: SealingMarks, run: Run) -> None:
    """Renew the mark of an upload until it is sealed, then remove it. Without a mark the work may be done twice."""
    id = run.transfer.id
    while run.ended is None:
        with suppress(DirectUploadError):
            marks.put(id, MARK_SECONDS)
        wait([run.future], timeout=MARK_SECONDS / 3)
    with suppress(DirectUploadError):
        marks.remove(id)
