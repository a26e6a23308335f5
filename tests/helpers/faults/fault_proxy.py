"""A TCP proxy that does on purpose what networks do: cut, refuse, stall, throttle, delay, lag, and corrupt a byte. And
what a proxy before Swift does: answer by itself, with a status that tells of trouble.

It goes between a browser, or the application, and Swift. A temp URL signs the path only, so it is good at the proxy's
address as well.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

HOST = "127.0.0.1"
READ = 16 * 1024
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing answers RST, as a broken connection does


@dataclass(frozen=True)
class Fault:
    """What happens to one connection, once ``after`` bytes have gone towards the server.

    ``seconds`` is of a delay, which comes once, or of a lag, which comes with all that is passed on; ``rate`` is
    of a throttle, in bytes a second. ``answer`` counts and damages what comes from the server instead. ``status`` is
    what the first request that is no preflight is answered, with ``seconds`` to wait before the next.
    """

    kind: Literal["cut", "stall", "corrupt", "throttle", "delay", "lag", "status"]
    after: int = 0
    seconds: float = 0
    rate: int = 0
    answer: bool = False
    status: int = 0


Choose = Callable[[], Fault | None]


def no_fault() -> None:
    """For :attr:`Proxy.choose`: every connection is well."""


class Proxy:
    """Passes on to ``port`` of this machine what comes to a port of its own.

    ``choose`` gives each new connection its fault, or None; :meth:`once` has precedence. ``sent`` counts the bytes
    that were passed on towards the server.
    """

    def __init__(self, port: int, choose: Choose = no_fault) -> None:
        self.target = port
        self.choose = choose
        self.sent = 0
        self.faults: list[Fault] = []
        self._next: queue.SimpleQueue[Fault | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._connections: set[Connection] = set()
        self._closed = False
        self._listener = _bound(0)
        self.port: int = self._listener.getsockname()[1]
        self.accept()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        self._stop_listening()
        self.cut()

    def once(self, *faults: Fault | None) -> None:
        """The next connections have these faults, one each."""
        for fault in faults:
            self._next.put(fault)

    def cut(self) -> None:
        """Break all connections that there are."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            connection.break_off()

    def refuse(self) -> None:
        """Break all connections and refuse new ones."""
        self._stop_listening()
        self._listener = _bound(self.port)  # holds the port, and does not listen
        self.cut()

    def accept(self) -> None:
        """Take connections (again)."""
        self._listener.listen(128)
        threading.Thread(target=self._serve, args=(self._listener,), daemon=True).start()

    @property
    def open_connections(self) -> int:
        with self._lock:
            return len(self._connections)

    @property
    def is_idle(self) -> bool:
        """Whether no connection waits for an answer."""
        with self._lock:
            return not any(connection.unanswered for connection in self._connections)

    def count(self, connection: Connection, passed: int) -> None:
        """The connection has passed so much on towards the server."""
        with self._lock:
            self.sent += passed

    def _stop_listening(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
        self._listener.close()

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            fault = self._fault()
            try:
                server = socket.create_connection((HOST, self.target), timeout=10)
            except OSError:
                _reset(client)
                continue
            server.settimeout(None)
            self._start(Connection(self, client, server, fault))

    def _fault(self) -> Fault | None:
        try:
            fault = self._next.get_nowait()
        except queue.Empty:
            fault = self.choose()
        if fault is not None:
            self.faults.append(fault)
        return fault

    def _start(self, connection: Connection) -> None:
        with self._lock:
            self._connections.add(connection)
        connection.start()
        if self._closed:
            connection.break_off()

    def ended(self, connection: Connection) -> None:
        """A connection is no more."""
        with self._lock:
            self._connections.discard(connection)


class Connection:
    """A connection that is passed on, each direction in a thread.

    ``unanswered`` are the bytes that the server got since it last said something.
    """

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket, fault: Fault | None) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._fault = fault
        self.unanswered = 0
        self._over = threading.Event()

    def start(self) -> None:
        for towards_server in (True, False):
            threading.Thread(target=self._pump, args=(towards_server,), daemon=True).start()

    def break_off(self) -> None:
        """Reset both ends."""
        if self._over.is_set():
            return
        self._over.set()
        self._proxy.ended(self)
        _reset(self._client)
        _reset(self._server)

    def _pump(self, towards_server: bool) -> None:
        source, sink = (self._client, self._server) if towards_server else (self._server, self._client)
        fault = self._fault if self._fault and self._fault.answer is not towards_server else None
        passed = 0
        try:
            while data := source.recv(READ):
                if fault and fault.kind == "status" and not data.startswith(b"OPTIONS "):
                    self._answer_itself(fault)
                    break
                data = self._damage(fault, data, passed)
                if self._over.is_set():  # cut while it stalled: then nothing of it arrives any more
                    return
                sink.sendall(data)
                passed += len(data)
                self.unanswered = self.unanswered + len(data) if towards_server else 0
                if towards_server:
                    self._proxy.count(self, len(data))
                if fault and fault.kind == "cut" and passed >= fault.after:
                    break
            else:
                sink.shutdown(socket.SHUT_WR)
                if towards_server:
                    return  # the answer may be on its way still
        except OSError:
            pass  # one of the ends is gone: so is the other
        self.break_off()

    def _answer_itself(self, fault: Fault) -> None:
        """To whomever it may be, and then read on until they have understood."""
        headers = {
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Expose-Headers": "Retry-After",
            "Retry-After": str(int(fault.seconds)),
            "Content-Length": "0",
            "Connection": "close",
        }
        lines = [f"HTTP/1.1 {fault.status} Trouble", *map(": ".join, headers.items()), "", ""]
        self._client.sendall("\r\n".join(lines).encode())
        self._client.shutdown(socket.SHUT_WR)
        while self._client.recv(READ):
            pass

    def _damage(self, fault: Fault | None, data: bytes, passed: int) -> bytes:
        """What is passed on of ``data``, when the fault allows."""
        if fault is None or passed + len(data) <= fault.after:
            return data
        reached = max(0, fault.after - passed)
        match fault.kind:
            case "cut":
                return data[:reached]
            case "stall":
                self._over.wait()
            case "delay" if passed <= fault.after:
                self._over.wait(fault.seconds)
            case "lag":
                self._over.wait(fault.seconds)
            case "throttle":
                self._over.wait(len(data) / fault.rate)
            case "corrupt" if passed <= fault.after:
                return data[:reached] + bytes([data[reached] ^ 1]) + data[reached + 1 :]
        return data


def _bound(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    deadline = time.monotonic() + 10
    while True:
        try:
            listener.bind((HOST, port))
            return listener
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)  # the port's last listener is not quite gone


def _reset(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RD)  # wakes a thread that reads, and sends nothing
    end.close()
