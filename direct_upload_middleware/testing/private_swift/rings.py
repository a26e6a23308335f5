"""Write the rings of a private Swift: one replica of everything for each server that stores it.

This is a separate program because importing Swift changes its process (eventlet, logging). It replaces nine runs of
``swift-ring-builder``, since each run would import Swift again.
"""

from __future__ import annotations

import sys
from pathlib import Path

PART_POWER = 4


def write_ring(path: Path, ports: list[int]) -> None:
    """Write one ring for the servers at these ports. The device of the first one is ``d1``."""
    from swift.common.ring import RingBuilder

    builder = RingBuilder(PART_POWER, len(ports), 0)
    for number, port in enumerate(ports, 1):
        device = f"d{number}"
        builder.add_dev({"region": 1, "zone": number, "ip": "127.0.0.1", "port": port, "device": device, "weight": 1})
    builder.rebalance()
    builder.get_ring().save(str(path))


def main(directory: str, *rings: str) -> None:
    """Write the rings; each is given as its name and its servers' ports: ``object:50001,50002``."""
    for ring in rings:
        name, ports = ring.split(":")
        write_ring(Path(directory, f"{name}.ring.gz"), [int(port) for port in ports.split(",")])


if __name__ == "__main__":
    main(*sys.argv[1:])
