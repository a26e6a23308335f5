"""The protocol of a sweep: it finds old data that no complete upload needs.

A storage that supports it has a method ``sweep(older_than=seconds, dry_run=False)`` that yields one :class:`Finding`
after another. It may run on several machines at once, be killed at any moment, and be started again: after each step
the next sweep can continue. Nothing that belongs to a complete upload is ever among the findings.
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
"""Receives how many items were examined, and how many there are as far as is known."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that no complete upload needs.

    ``kind`` is "staged", the bytes of an upload of one segment; "segments", those of several; or "unfinished", an
    object in the final container that never became a complete upload. ``name`` is its place, ``size`` is in bytes,
    ``age`` the seconds since its last change. ``removed`` is False in a dry run, and after a failure: then ``error`` is
    the reason.
    """

    kind: Kind
    name: str
    size: int
    age: int
    removed: bool = False
    error: str | None = None

    def removed_by(self, remove: Callable[[], bool]) -> Finding | None:
        """Call ``remove`` and return the finding after it; None if ``remove`` found that it is needed after all.

        A failure does not end the sweep: the next one tries again.
        """
        try:
            if not remove():
                return None
        except DirectUploadError as error:
            log.warning("not swept: %s", error, extra=self._log_fields())
            return replace(self, error=str(error))
        log.info("swept", extra=self._log_fields())
        return replace(self, removed=True)

    def _log_fields(self) -> dict[str, object]:
        return {"sweep_kind": self.kind, "sweep_name": self.name, "sweep_size": self.size, "sweep_age": self.age}


def ignore_progress(done: int, total: int) -> None:
    """Ignore progress."""


@runtime_checkable
class Sweepable(Protocol):
    """A storage that can be swept."""

    def sweep(
        self, *, older_than: int, dry_run: bool = False, progress: Progress = ignore_progress
    ) -> Iterator[Finding]:
        """Find, and remove unless ``dry_run``, what no complete upload needs.

        :param older_than: only find what has not changed for so many seconds. With more than ``ticket_ttl``, nothing is
            found that an upload in progress could still need.
        """
