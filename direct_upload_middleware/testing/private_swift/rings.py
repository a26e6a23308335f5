"""Write the rings of a private Swift: one replica of everything on one device.

This is a separate program because importing Swift changes its process (eventlet, logging). It replaces nine runs of
``swift-ring-builder``, since each run would import Swift again.
"""

from __future__ import annotations

import sys
from pathlib import Path

PART_POWER = 4


def write_ring(path: Path, port: int) -> None:
    """Write one ring for the server at ``port``."""
    from swift.common.ring import RingBuilder

    builder = RingBuilder(PART_POWER, 1, 0)
    builder.add_dev({"region": 1, "zone": 1, "ip": "127.0.0.1", "port": port, "device": "d1", "weight": 1})
    builder.rebalance()
    builder.get_ring().save(str(path))


def main(directory: str, *rings: str) -> None:
    """Write the rings; each is given as its name and its server's port: ``object:50001``."""
    for ring in rings:
        name, port = ring.split(":")
        write_ring(Path(directory, f"{name}.ring.gz"), int(port))


if __name__ == "__main__":
    main(*sys.argv[1:])
