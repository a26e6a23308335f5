"""Writes the rings of a private Swift: one replica of everything on one device.

A program of its own, since importing Swift changes the process that does it (eventlet, logging); and a single one,
since ``swift-ring-builder`` would need nine runs, each of which imports Swift again.
"""

from __future__ import annotations

import sys
from pathlib import Path

PART_POWER = 4


def write_ring(path: Path, port: int) -> None:
    from swift.common.ring import RingBuilder

    builder = RingBuilder(PART_POWER, 1, 0)
    builder.add_dev({"region": 1, "zone": 1, "ip": "127.0.0.1", "port": port, "device": "d1", "weight": 1})
    builder.rebalance()
    builder.get_ring().save(str(path))


def main(directory: str, *rings: str) -> None:
    """``rings`` are words such as ``object:50001``: its name and the port of its server."""
    for ring in rings:
        name, port = ring.split(":")
        write_ring(Path(directory, f"{name}.ring.gz"), int(port))


if __name__ == "__main__":
    main(*sys.argv[1:])
