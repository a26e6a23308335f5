"""What a sweep of a storage finds: whatever no finished upload needs, and nobody has touched for a while.

A storage that can be swept has a method ``sweep(older_than=seconds, dry_run=False)`` that gives one :class:`Finding`
after another. It may run on several machines at once, be killed at any moment, and be started again: each step of it
leaves a state that the next one goes on from. Nothing that a finished upload is made of is ever among the findings.
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
"""Is told how many things were looked at, and how many there are, as far as is known."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that no finished upload needs.

    ``kind`` tells what: "staged", what was sent of an upload of one segment; "segments", of several; "unfinished", an
    object in the final container that never became a complete upload. ``name`` is where it is, ``size`` bytes, ``age``
    the seconds since its last change. ``removed`` is False in a dry run, and when it failed: then ``error`` says why.
    """

    kind: Kind
    name: str
    size: int
    age: int
    removed: bool = False
    error: str | None = None

    def removed_by(self, remove: Callable[[], bool]) -> Finding | None:
        """This finding after ``remove``; None when that found that it is needed after all, and let it be.

        What could not be removed is left to the next sweep, so that one fault does not end this one.
        """
        try:
            if not remove():
                return None
        except DirectUploadError as error:
            log.warning("not swept: %s", error, extra=self._story())
            return replace(self, error=str(error))
        log.info("swept", extra=self._story())
        return replace(self, removed=True)

    def _story(self) -> dict[str, object]:
        return {"sweep_kind": self.kind, "sweep_name": self.name, "sweep_size": self.size, "sweep_age": self.age}


def nowhere(done: int, total: int) -> None:
    """Progress that nobody wants to know of."""


@runtime_checkable
class Sweepable(Protocol):
    """A storage that can be swept."""

    def sweep(self, *, older_than: int, dry_run: bool = False, progress: Progress = nowhere) -> Iterator[Finding]:
        """Find, and unless ``dry_run`` remove, what no finished upload needs.

        :param older_than: seconds for which nobody has touched it. Above ``ticket_ttl``, nothing is found that an
            upload under way could still want.
        """
