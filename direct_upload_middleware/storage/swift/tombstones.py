"""Tombstones of aborted and deleted uploads, and the decision between a complete and an abort.

Both are empty objects in the staging container, beside what temp URLs write; no temp URL is signed for them.

*The tombstone* of an upload says that it was aborted or deleted. While it exists, nothing is signed for the upload and
nothing that its temp URLs still write is read.

*The decision.* Swift has no compare-and-set: of two DELETEs of one object both may answer 204, and of two PUTs with
``If-None-Match: *`` both may answer 201. All that can be relied on is that a read sees the writes before it. So a
complete and an abort agree as concurrent processes do that share registers only, by rounds of *adopt-commit*. A round
has three registers, which are written once and stay: ``completing``, ``aborting``, ``aborted``.

- A complete writes ``completing``, then reads ``aborting``. When that is not set, the upload is complete: every abort
  that comes later sees ``completing``. When it is set, ``aborted`` tells the preference for the next round.
- An abort writes ``aborting``, then reads ``completing``. When that is set, it prefers "complete" in the next round.
  Otherwise it writes ``aborted`` and reads ``completing`` again. When that is still not set, the upload is aborted:
  every complete that comes later sees ``aborting`` and ``aborted``. When it is set, it prefers "aborted" in the next
  round.

When one call decides in a round, every other call of that round decides the same or prefers the same in the next round.
This holds for any number of calls in any number of processes, and for calls that died. Without a race one round
decides. In the first round the upload itself is the register ``completing``: it is set once the upload is complete.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from typing import Literal

from ...errors import NotFound, StorageUnavailable
from .client import SwiftClient
from .headers import NEWEST
from .responses import read_listing

Outcome = Literal["complete", "aborted"]
Register = Literal["completing", "aborting", "aborted"]

ROUNDS = 8
"""After so many rounds without a decision the caller retries."""
NAME = re.compile(r"[0-9a-f]{32}_[a-z0-9_]+")
_DAY = 86400
_MISSING = 404


class ContainerMissing(StorageUnavailable):
    """A shared container does not exist: an operator has removed it since it was set up."""


def aborted_or_deleted() -> NotFound:
    """Return the error for an upload that was aborted or deleted."""
    return NotFound("This upload was aborted, or its file was deleted.")


class Tombstones:
    """The tombstones and registers in ``container``, by the ids of their uploads."""

    def __init__(self, client: SwiftClient, container: str) -> None:
        self._client = client
        self._container = container

    def check(self, id: str) -> None:
        """Raise NotFound when the upload was aborted or deleted."""
        if self.has(id):
            raise aborted_or_deleted()

    def has(self, id: str) -> bool:
        """Return whether the upload has a tombstone."""
        return self.exists(tombstone_name(id))

    def put(self, id: str, expires: int) -> None:
        """Write the tombstone.

        It outlives the upload's last ticket, which expires at ``expires`` (Unix seconds), by a day. The register
        ``aborting`` of the first round is written too: a complete reads no more than that. Raise ContainerMissing.
        """
        self.write(tombstone_name(id), expires)
        self.write(register_name(id, 1, "aborting"), expires)

    def exists(self, name: str) -> bool:
        """Return whether an object exists."""
        response = self._client.request("HEAD", self._container, name, headers=NEWEST, expect=(200, _MISSING))
        return response.status_code == 200

    def write(self, name: str, expires: int) -> None:
        """Write an empty object. Raise ContainerMissing."""
        headers = {"X-Delete-At": str(max(expires, self._client.now()) + _DAY)}
        response = self._client.request(
            "PUT", self._container, name, headers=headers, data=b"", expect=(201, 202, _MISSING)
        )
        if response.status_code == _MISSING:
            raise ContainerMissing

    def names(self, id: str) -> set[str]:
        """Return the names of what is listed for an upload. A listing may lag."""
        params = {"format": "json", "prefix": f"{id}_"}
        response = self._client.request("GET", self._container, params=params, expect=(200, 204, _MISSING))
        return {item["name"] for item in read_listing(response)}

    def delete(self, name: str) -> None:
        """Delete an object. A missing one is no error."""
        self._client.request("DELETE", self._container, name, expect=(204, _MISSING))


class Decision:
    """The decision whether one upload is complete or aborted.

    :param expires: when the upload's ticket expires, in Unix seconds.
    :param is_complete: reads the register ``completing`` of the first round: whether the upload is complete.
    """

    def __init__(self, tombstones: Tombstones, id: str, expires: int, is_complete: Callable[[], bool]) -> None:
        self._tombstones = tombstones
        self._id = id
        self._expires = expires
        self._is_complete = is_complete

    def complete(self) -> bool:
        """Return True when a complete wins, False when an abort does. The upload is complete already.

        Raise StorageUnavailable when nobody wins: a retry decides.
        """
        if not self._is_set(1, "aborting"):
            return True
        if self._tombstones.has(self._id) or self._decide("complete") == "aborted":
            return False
        if not self._is_complete():
            raise StorageUnavailable("This upload was refused by another call.", retry_after=1)
        return True

    def abort(self) -> bool:
        """Return True when an abort wins, False when a complete does. Raise StorageUnavailable when nobody wins."""
        return self._tombstones.has(self._id) or self._decide("aborted") == "aborted"

    def reset(self) -> None:
        """Let an upload that the application refused be completed after all.

        ``aborting`` of the first round stays, so that a call that is still under way looks twice.
        """
        kept = {tombstone_name(self._id), register_name(self._id, 1, "aborting")}
        self._tombstones.delete(register_name(self._id, 1, "aborted"))  # a listing may lag
        for name in self._tombstones.names(self._id) - kept:
            self._tombstones.delete(name)

    def _decide(self, preferred: Outcome) -> Outcome:
        for number in range(1, ROUNDS + 1):
            play = self._play_complete if preferred == "complete" else self._play_abort
            preferred, is_decided = play(number)
            if is_decided:
                return preferred
            time.sleep(random.uniform(0, 0.02 * number))  # noqa: S311  no secret; calls in step never decide
        raise StorageUnavailable("This upload is being completed and aborted at the same time.", retry_after=1)

    def _play_complete(self, number: int) -> tuple[Outcome, bool]:
        if number > 1:
            self._set(number, "completing")
        if not self._is_set(number, "aborting"):
            return "complete", True
        return ("aborted" if self._is_set(number, "aborted") else "complete"), False

    def _play_abort(self, number: int) -> tuple[Outcome, bool]:
        self._set(number, "aborting")
        if self._is_set(number, "completing"):
            return "complete", False
        self._set(number, "aborted")
        return "aborted", not self._is_set(number, "completing")

    def _is_set(self, number: int, register: Register) -> bool:
        if (number, register) == (1, "completing"):
            return self._is_complete()
        return self._tombstones.exists(register_name(self._id, number, register))

    def _set(self, number: int, register: Register) -> None:
        self._tombstones.write(register_name(self._id, number, register), self._expires)


def tombstone_name(id: str) -> str:
    """Return the name of an upload's tombstone."""
    return f"{id}_over"


def register_name(id: str, number: int, register: Register) -> str:
    """Return the name of a register of a round."""
    return f"{id}_{number}_{register}"


class SwiftSealingMarks:
    """Marks of uploads that are being sealed: empty objects beside the tombstones, which Swift expires itself."""

    def __init__(self, client: SwiftClient, container: str) -> None:
        self._client = client
        self._container = container

    def put(self, id: str, seconds: int) -> None:
        """See :meth:`~..base.SealingMarks.put`."""
        headers = {"X-Delete-After": str(seconds)}
        self._client.request("PUT", self._container, _mark_name(id), headers=headers, data=b"", expect=(201, 202, 404))

    def exists(self, id: str) -> bool:
        """See :meth:`~..base.SealingMarks.exists`."""
        response = self._client.request("HEAD", self._container, _mark_name(id), expect=(200, 404))
        return response.status_code == 200

    def remove(self, id: str) -> None:
        """See :meth:`~..base.SealingMarks.remove`."""
        self._client.request("DELETE", self._container, _mark_name(id), expect=(204, 404))


def _mark_name(id: str) -> str:
    return f"{id}_sealing"
