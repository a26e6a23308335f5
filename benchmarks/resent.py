"""How much is sent again when connections to storage break.

    python benchmarks/resent.py

A file of 64 segments; for one segment in five a connection is cut, at a random byte of the file. What was in flight is
what that connection had sent and storage had not answered.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
from pathlib import Path

from setting import Connection, MiB, Proxy, Website, chromium, machine, swift

SEGMENT = 4 * MiB
COUNT = 64
CUTS = COUNT // 5
HEAD = 1536  # bytes of a request beside its body, and of its preflight
AIM = 1.5


class CuttingProxy(Proxy):
    """Breaks the connection that passes on certain bytes, counted over all connections."""

    def __init__(self, port: int, moments: list[int]) -> None:
        self.in_flight: list[int] = []
        self._moments = sorted(moments)
        super().__init__(port)

    def count(self, connection: Connection, passed: int) -> None:
        super().count(connection, passed)
        if self._moments and self.sent >= self._moments[0]:
            self._moments.pop(0)
            self.in_flight.append(connection.unanswered)
            connection.break_off()


def main() -> None:
    print(machine())
    chance = random.Random(1)  # noqa: S311  no secret
    size = COUNT * SEGMENT
    with swift() as server, Website(server, segment_size=SEGMENT, parallel=4) as website:
        website.storage_way = CuttingProxy(server.port, [chance.randrange(size) for _ in range(CUTS)])
        website.renew()
        with tempfile.TemporaryDirectory() as directory, chromium(website) as (visitor, _):
            file = Path(directory) / "file.bin"
            file.write_bytes(os.urandom(size))
            visitor.visit()
            visitor.choose(file)
            visitor.result()
            sent = website.storage_way.sent
    in_flight = sum(website.storage_way.in_flight)
    again = sent - size - (COUNT + CUTS) * HEAD
    print(f"{CUTS} cuts in {COUNT} segments of {SEGMENT // MiB} MiB")
    print(f"in flight at the cuts: {in_flight / MiB:.1f} MiB; sent again: {again / MiB:.1f} MiB")
    print(f"ratio {again / in_flight:.2f}")
    sys.exit(again > AIM * in_flight)


if __name__ == "__main__":
    main()
