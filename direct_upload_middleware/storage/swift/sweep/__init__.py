"""The sweep of a Swift storage.

Swift has no conditional DELETE. So everything is looked at once more right before it goes, in an order in which an
upload that is being completed at this very moment is either seen, or is told that it cannot be. Where that is not to be
had the age must do: nobody completes an upload whose ticket has expired.

- A staged object that goes is at worst missed by its ``complete``, which then says so. Only where the upload is sealed
  and was never confirmed, what was sealed goes first: without the staged object it would count as complete.
- A name that is taken is known by its metadata. The type in the listing is a hint and no proof, since an uploader may
  have named that very type.
- A segment container is *condemned* first, which ends its temp URLs and every ``complete`` that has not written its
  manifest yet; then the manifest is looked for once more.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...sweeping import Finding
from .common import Sweeping
from .segments import sweep_segments
from .staged import sweep_staged

__all__ = ["Sweeping", "sweep_swift"]


def sweep_swift(sweeping: Sweeping) -> Iterator[Finding]:
    """Everything that no finished upload needs."""
    yield from sweep_staged(sweeping)
    yield from sweep_segments(sweeping)
