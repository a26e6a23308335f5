"""The sweep of a storage: it removes what no finished upload needs and what has not changed for some time.

A storage that can be swept has a method ``sweep(older_than=seconds, dry_run=False)`` that yields :class:`Finding` objects.
It may run on several machines at once, be killed at any moment, and be started again: each step leaves a state that the
next sweep goes on from. Nothing that a finished upload consists of is ever among the findings.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, Protocol, TypeAlias, runtime_checkable

from ..errors import DirectUploadError

log = logging.getLogger(__name__)

Kind = Literal["staged", "segments", "unfinished"]

Progress: TypeAlias = Callable[[int, int], None]
"""A callable that gets how many objects were examined, and how many there are, as far as is known."""


@dataclass(frozen=True, slots=True)
class Finding:
    """An object, or a group of segments, that no finished upload needs.

    ``kind`` is "staged" for an upload of one segment, "segments" for several, "unfinished" for an object in the final
    container that never became a complete upload. ``name`` is its place, ``size`` in bytes, ``age`` in seconds since its
    last change. ``removed`` is False in a dry run, and after a fault: then ``error`` says why.
    """

    kind: Kind
    name: str
    size: int
    age: int
    removed: bool = False
    error: str | None = None

    def removed_by(self, remove: Callable[[], bool]) -> Finding | None:
        """Call ``remove`` and return the finding with its result; None when ``remove`` found that it is needed after all.

        What could not be removed is left to the next sweep, so that one fault does not end this one.
        """
        try:
            if not remove():
                return None
        except DirectUploadError as error:
            log.warning("sweep could not remove: %s", error, extra=self._log_details())
            return replace(self, error=str(error))
        log.info("swept", extra=self._log_details())
        return replace(self, removed=True)

    def _log_details(self) -> dict[str, object]:
        return {"sweep_kind": self.kind, "sweep_name": self.name, "sweep_size": self.size, "sweep_age": self.age}


def no_progress(done: int, total: int) -> None:
    """Report no progress."""


@runtime_checkable
class Sweepable(Protocol):
    """A storage that can be swept."""

    def sweep(self, *, older_than: int, dry_run: bool = False, progress: Progress = no_progress) -> Iterator[Finding]:
        """Find, and unless ``dry_run`` remove, what no finished upload needs.

        :param older_than: only what is older than this, in seconds. Above ``ticket_ttl``, nothing is found that an upload
            in progress could still need.
        """
