"""A network with latency: every byte arrives half a round trip later, however many are on their way."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

READ = 64 * 1024


class Far:
    """Passes on to ``port`` of this machine what comes to its own ``port``, ``seconds`` of a round trip away."""

    def __init__(self, target: int, seconds: float) -> None:
        self._target = target
        self._seconds = seconds
        self.port = 0

    async def start(self) -> asyncio.Server:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(self._seconds)  # of the handshake
        try:
            to_server = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.close()
            return
        await asyncio.gather(self._pass_on(reader, to_server[1]), self._pass_on(to_server[0], writer))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        clock = asyncio.get_running_loop().time
        on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(256)

        async def deliver() -> None:
            while True:
                due, data = await on_the_way.get()
                await asyncio.sleep(max(0.0, due - clock()))
                if not data:
                    break
                writer.write(data)
                await writer.drain()

        async def send() -> None:
            data = b"?"
            while data:
                data = await reader.read(READ)
                await on_the_way.put((clock() + self._seconds / 2, data))

        with suppress(OSError):
            await asyncio.gather(deliver(), send())
        writer.close()


@contextmanager
def far(target: int, seconds: float) -> Iterator[int]:
    """The port at which the server at ``target`` is so many seconds away; its own one without latency."""
    if not seconds:
        yield target
        return
    network, loop = Far(target, seconds), asyncio.new_event_loop()
    loop.run_until_complete(network.start())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield network.port
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
