"""How a size becomes segments. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import TooLarge
from .storage.base import Limits

MiB = 1024**2


@dataclass(frozen=True, slots=True)
class Plan:
    """``segment_count`` segments of ``segment_size`` bytes each, the last one as long as it needs to be."""

    segment_size: int
    segment_count: int


def make_plan(size: int, segment_size: int, limits: Limits) -> Plan:
    """Divide ``size`` bytes into segments of ``segment_size``, larger ones only where the limits force it.

    An empty file has one segment of zero bytes. Raises :class:`~.errors.TooLarge` beyond ``limits``.
    """
    largest = limits.max_segments * limits.max_segment_size
    if size > largest:
        raise TooLarge(f"The file is larger than storage can take, which is {largest} bytes.")
    segment_size = min(segment_size, limits.max_segment_size)
    if size > segment_size * limits.max_segments:
        whole_mebibytes = -(-size // (limits.max_segments * MiB)) * MiB
        segment_size = min(whole_mebibytes, limits.max_segment_size)
    return Plan(segment_size, max(1, -(-size // segment_size)))
