"""Word that an upload is over, where its temp URLs cannot be called back: of one segment, and of seal "pin".

It is an object of its own beside what the temp URLs write, and none of them is for it. As long as it is there, nothing
that they write is ever read.

Swift compares and sets nothing in one step, so it also keeps a complete and an abort at the same moment from both
succeeding: each leaves its own sign first and looks for the other's then. An abort *announces* itself before it looks
whether the upload is complete; a complete has made it complete before it looks for the word (of one segment it looks
only where an abort was quicker, see :mod:`.single`). One of them sees the other at least, and gives way. An
announcement whose abort died ends by itself.
"""

from __future__ import annotations

import re
from typing import Literal

from ...errors import NotFound, StorageUnavailable
from .client import SwiftClient
from .final_objects import META, ContainerMissing

ABORTING_SECONDS = 300
"""For which an announcement counts: far longer than an abort may take."""

NAME = re.compile(r"[0-9a-f]{32}_over")
_STATE = META + "State"
_DAY = 86400
_GONE = 404


def aborted_or_deleted() -> NotFound:
    """The answer to whoever wants something of an upload that is over."""
    return NotFound("This upload was aborted, or its file was deleted.")


def abort_under_way() -> StorageUnavailable:
    """The answer while nobody can tell yet whether a complete or an abort was first."""
    return StorageUnavailable("This upload is being aborted.", retry_after=1)


class Tombstones:
    """The words in ``container``, one for each upload that is over, by the upload's id."""

    def __init__(self, client: SwiftClient, container: str) -> None:
        self._client = client
        self._container = container

    def check(self, id: str) -> None:
        """Raises NotFound when the upload is over, StorageUnavailable while that is being decided."""
        state = self._find(id)
        if state == "over":
            raise aborted_or_deleted()
        if state is not None:
            raise abort_under_way()

    def mark_aborting(self, id: str) -> bool:
        """Say that the upload is to be aborted; whether it is over already. Raises ContainerMissing."""
        if self._find(id) == "over":
            return True
        self._put(id, "aborting", {"X-Delete-After": str(ABORTING_SECONDS)})
        return False

    def mark_aborted(self, id: str, expires: int) -> None:
        """The upload is over, until its last ticket has expired (Unix seconds), and a day. Raises ContainerMissing."""
        self._put(id, "over", {"X-Delete-At": str(max(expires, self._client.now()) + _DAY)})

    def remove(self, id: str) -> None:
        """Take the word back."""
        self._client.request("DELETE", self._container, tombstone_name(id), expect=(204, _GONE))

    def _find(self, id: str) -> str | None:
        response = self._client.request("HEAD", self._container, tombstone_name(id), expect=(200, _GONE))
        return response.headers.get(_STATE) if response.status_code == 200 else None

    def _put(self, id: str, state: Literal["aborting", "over"], headers: dict[str, str]) -> None:
        sent = {_STATE: state, **headers}
        response = self._client.request(
            "PUT", self._container, tombstone_name(id), headers=sent, data=b"", expect=(201, 202, _GONE)
        )
        if response.status_code == _GONE:
            raise ContainerMissing


def tombstone_name(id: str) -> str:
    """The name of the object that is an upload's word."""
    return f"{id}_over"


class SwiftSealingMarks:
    """Marks of uploads that are being sealed: empty objects beside the tombstones, which Swift expires itself."""

    def __init__(self, client: SwiftClient, container: str) -> None:
        self._client = client
        self._container = container

    def put(self, id: str, seconds: int) -> None:
        """See :meth:`~..base.SealingMarks.put`."""
        headers = {"X-Delete-After": str(seconds)}
        self._client.request(
            "PUT", self._container, _mark_name(id), headers=headers, data=b"", expect=(201, 202, _GONE)
        )

    def exists(self, id: str) -> bool:
        """See :meth:`~..base.SealingMarks.exists`."""
        response = self._client.request("HEAD", self._container, _mark_name(id), expect=(200, _GONE))
        return response.status_code == 200

    def remove(self, id: str) -> None:
        """See :meth:`~..base.SealingMarks.remove`."""
        self._client.request("DELETE", self._container, _mark_name(id), expect=(204, _GONE))


def _mark_name(id: str) -> str:
    return f"{id}_sealing"
