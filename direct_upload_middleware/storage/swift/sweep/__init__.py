"""The sweep of a Swift storage.

Swift has no conditional DELETE. So every object is read once more right before it is deleted, in an order in which an
upload that is being completed at this moment is either found, or its ``complete`` fails. Where that is impossible the
age must suffice: nobody completes an upload whose ticket has expired.

A listing or a replica may be stale: that an object is missing there proves nothing. So every final object is asked for
by its name, which the segments record, from all replicas (``X-Newest``).

- A staged object that is deleted is at worst missing for its ``complete``, which then says so. Only where the upload is
  sealed and was never confirmed, the final object is deleted first: without the staged object it would count as
  complete.
- A claimed name is recognised by its metadata. The type in the listing is a hint only: an uploader may have chosen that
  type.
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
    """Find and remove everything that no finished upload needs."""
    yield from sweep_staged(sweeping)
    yield from sweep_segments(sweeping)
