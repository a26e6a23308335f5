"""Sizes for people, as the upload field shows them."""

from __future__ import annotations

UNITS = ("kB", "MB", "GB", "TB")


def readable_size(size: int) -> str:
    """Return a size such as ``64 kB`` or ``1.2 MB``: 1 kB is 1000 bytes."""
    if size < 1000:
        return f"{size} byte{'' if size == 1 else 's'}"
    power = min(len(UNITS), (len(str(size)) - 1) // 3)
    number = f"{size / 1000**power:,.{1 if power > 1 else 0}f}"
    return f"{number.removesuffix('.0')} {UNITS[power - 1]}"
