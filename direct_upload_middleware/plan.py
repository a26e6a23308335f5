"""Divide a size into segments, and measure segments. Pure functions."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from .errors import SegmentsDiffer, SegmentsMissing, TooLarge
from .storage.base import Limits, StoredSegment, Transfer

MiB = 1024**2


@dataclass(frozen=True, slots=True)
class Plan:
    """``segment_count`` segments of ``segment_size`` bytes each; the last one may be shorter."""

    segment_size: int
    segment_count: int


def make_plan(size: int, segment_size: int, limits: Limits) -> Plan:
    """Divide ``size`` bytes into segments of ``segment_size``, or larger ones where the limits require it.

    An empty file has one segment of zero bytes. Raise :class:`~.errors.TooLarge` for a size above ``limits``.
    """
    largest = limits.max_segments * limits.max_segment_size
    if size > largest:
        raise TooLarge(f"The file is larger than the storage's limit of {largest} bytes.")
    segment_size = min(max(segment_size, limits.min_segment_size), limits.max_segment_size)
    if size > segment_size * limits.max_segments:
        whole_mebibytes = -(-size // (limits.max_segments * MiB)) * MiB
        segment_size = min(whole_mebibytes, limits.max_segment_size)
    return Plan(segment_size, max(1, -(-size // segment_size)))


def plan_for_unknown_size(limits: Limits) -> Plan:
    """Return the largest plan that the limits allow, for a file of unknown size."""
    return Plan(limits.max_segment_size, limits.max_segments)


def measure(transfer: Transfer, declared: Collection[int], stored: Iterable[StoredSegment]) -> Transfer:
    """Return an upload of unknown size with the size of its ``declared`` segments in storage.

    All segments have the size of the first one, except the last. Only the first and last segment are checked here;
    sealing checks each one. Raise SegmentsMissing; raise SegmentsDiffer also for a stored segment that was not
    declared, because nothing would ever remove it.
    """
    sizes = {segment.index: segment.size for segment in stored}
    last = max(declared)
    if missing := [i for i in range(last + 1) if i not in declared or (i in (0, last) and i not in sizes)]:
        raise SegmentsMissing(missing)
    if wrong := [i for i, size in sizes.items() if i not in declared or not size]:
        raise SegmentsDiffer(wrong)
    size = last * sizes[0] + sizes[last]
    return replace(transfer, size=size, segment_size=sizes[0], segment_count=last + 1)
