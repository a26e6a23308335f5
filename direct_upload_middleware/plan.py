"""How a size becomes segments, and segments a size. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from .errors import SegmentsDiffer, SegmentsMissing, TooLarge
from .storage.base import Limits, StoredSegment, Transfer

MiB = 1024**2


@dataclass(frozen=True, slots=True)
class Plan:
    """``segment_count`` segments of ``segment_size`` bytes each, the last one as long as it needs to be."""

    segment_size: int
    segment_count: int


def make_plan(size: int, segment_size: int, limits: Limits) -> Plan:
    """Divide ``size`` bytes into segments of ``segment_size``, larger ones only where ``limits`` force it.

    An empty file has one segment of zero bytes. Raises :class:`~.errors.TooLarge` beyond ``limits``.
    """
    largest = limits.max_segments * limits.max_segment_size
    if size > largest:
        raise TooLarge(f"The file is larger than storage can take, which is {largest} bytes.")
    segment_size = min(max(segment_size, limits.min_segment_size), limits.max_segment_size)
    if size > segment_size * limits.max_segments:
        whole_mebibytes = -(-size // (limits.max_segments * MiB)) * MiB
        segment_size = min(whole_mebibytes, limits.max_segment_size)
    return Plan(segment_size, max(1, -(-size // segment_size)))


def plan_for_unknown_size(limits: Limits) -> Plan:
    """For a file whose size is not known yet: as many segments as there can be, as large as they can be."""
    return Plan(limits.max_segment_size, limits.max_segments)


def measure(transfer: Transfer, declared: Collection[int], stored: Iterable[StoredSegment]) -> Transfer:
    """An open-ended upload as large as what is stored for it: the ``declared`` segments, all as long as the first one
    but for the last.

    Only their ends are looked at: the seal looks at each. Raises SegmentsMissing or SegmentsDiffer, the latter also for
    what is stored and not declared: nobody would ever find it again.
    """
    sizes = {segment.index: segment.size for segment in stored}
    last = max(declared)
    if missing := [i for i in range(last + 1) if i not in declared or (i in (0, last) and i not in sizes)]:
        raise SegmentsMissing(missing)
    if wrong := [i for i, size in sizes.items() if i not in declared or not size]:
        raise SegmentsDiffer(wrong)
    size = last * sizes[0] + sizes[last]
    return replace(transfer, size=size, segment_size=sizes[0], segment_count=last + 1)
