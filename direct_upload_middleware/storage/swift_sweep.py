"""The sweep of a Swift storage.

Swift has no conditional DELETE. So everything is looked at once more right before it goes, in an order in which an upload
that is being completed at this very moment is either seen, or is told that it cannot be. Where that is not to be had, the
age must do: nobody completes an upload whose ticket has expired.

- A staged object that goes is at worst missed by its ``complete``, which then says so. Only where the upload is sealed
  and not confirmed, what was sealed must go before: without the staged object it would count as complete.
- A segment container is *condemned* first, which ends its temp URLs and every ``complete`` that has not written its
  manifest yet; then the manifest is looked for once more.
- A name that is taken, or was given up, is known by its metadata. The type in the listing is a hint and no proof, since an
  uploader may have named that very type.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from .sweep import Finding, Progress, nowhere
from .swift_client import SwiftClient
from .swift_final import TYPE_OF_STATE, Final, FinalObjects
from .swift_listing import Age, changed, pages
from .swift_parallel import each_as_it_comes
from .swift_segments import SegmentedUploads
from .swift_sweep_segments import SegmentSweep

_ID = re.compile(r"[0-9a-f]{32}")
_STATE_OF_TYPE = {type: state for state, type in TYPE_OF_STATE.items()}

Item = Mapping[str, Any]
"""An object as a listing has it."""


class SwiftSweep:
    """One sweep of a storage, made of the storage's own parts. See :meth:`.sweep.Sweepable.sweep`."""

    def __init__(
        self, client: SwiftClient, container: str, staging: str, finals: FinalObjects, segments: SegmentedUploads
    ) -> None:
        self._client = client
        self._container = container
        self._staging = staging
        self._finals = finals
        self._segments = segments

    def __call__(self, *, older_than: int, dry_run: bool, progress: Progress = nowhere) -> Iterator[Finding]:
        age = Age(self._client.now(), older_than)
        steps = _Steps(progress, sum(map(self._count, (self._container, self._staging, self._segments.prefix))))
        staged = self._list_staged(age, steps)
        taken: list[Item] = []
        sealed: list[tuple[Item, Final]] = []
        for page in steps.through(pages(self._client, self._container)):
            taken += [item for item in page if item["content_type"] in _STATE_OF_TYPE and age.is_old(item)]
            sealed += self._sealed_of(staged, page)
        yield from self._sweep_sealed(sealed, staged, age, dry_run)
        yield from self._each(self._staged_finding, staged.values(), age, dry_run)
        yield from self._each(self._taken_finding, taken, age, dry_run)
        segments = SegmentSweep(self._client, self._container, self._finals, self._segments, age, dry_run)
        yield from segments.sweep(steps)

    def _count(self, container: str) -> int:
        response = self._client.request("HEAD", container, expect=(200, 204, 404))
        return int(response.headers.get("X-Container-Object-Count", 0))

    def _each(self, find: Any, items: Any, age: Age, dry_run: bool) -> Iterator[Finding]:
        yield from filter(None, each_as_it_comes(lambda item: find(item, age, dry_run), list(items)))
