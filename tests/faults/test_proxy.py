"""The proxy does what it says."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest
from helpers.faults.fault_proxy import HOST, Fault, Proxy

DATA = bytes(range(256)) * 400


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that sends back what it gets."""
    listener = socket.create_server((HOST, 0))

    def answer(connection: socket.socket) -> None:
        with connection:
            try:
                while data := connection.recv(4096):
                    connection.sendall(data)
            except OSError:
                pass

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@pytest.fixture
def proxy(echo: int) -> Iterator[Proxy]:
    with Proxy(echo) as proxy:
        yield proxy


def send(proxy: Proxy, data: bytes = DATA, timeout: float = 30) -> bytes:
    """What comes back. Raises OSError when the connection is broken."""
    with socket.create_connection((HOST, proxy.port), timeout=timeout) as connection:

        def write() -> None:
            try:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass

        writer = threading.Thread(target=write)
        writer.start()
        received = b""
        try:
            while more := connection.recv(65536):
                received += more
        finally:
            writer.join()
        return received


def test_a_proxy_without_a_fault_passes_everything(proxy: Proxy) -> None:
    assert send(proxy) == DATA
    assert proxy.sent == len(DATA)


@pytest.mark.parametrize("answer", [False, True])
def test_a_cut_passes_so_much_and_no_more(proxy: Proxy, answer: bool) -> None:
    proxy.once(Fault("cut", after=5000, answer=answer))
    with pytest.raises(ConnectionError):
        send(proxy)
    assert answer or proxy.sent == 5000
    assert send(proxy) == DATA, "the next connection is well"


@pytest.mark.parametrize("answer", [False, True])
def test_one_byte_is_corrupted(proxy: Proxy, answer: bool) -> None:
    proxy.once(Fault("corrupt", after=5000, answer=answer))
    received = send(proxy)
    assert len(received) == len(DATA)
    assert [i for i, (one, other) in enumerate(zip(received, DATA, strict=True)) if one != other] == [5000]


def test_a_stall_lasts_until_it_is_cut(proxy: Proxy) -> None:
    proxy.once(Fault("stall", after=10))
    with socket.create_connection((HOST, proxy.port), timeout=0.5) as connection:
        connection.sendall(b"only this")
        assert connection.recv(9) == b"only this"
        connection.sendall(b"and no more")
        with pytest.raises(TimeoutError):
            connection.recv(1)
        proxy.cut()
        with pytest.raises(ConnectionError):
            connection.recv(1)


def test_a_delay_and_a_throttle_take_their_time(proxy: Proxy) -> None:
    proxy.once(Fault("delay", seconds=0.3), Fault("throttle", rate=len(DATA) * 2))
    for least in (0.3, 0.5):
        begin = time.monotonic()
        assert send(proxy) == DATA
        assert time.monotonic() - begin >= least


def test_a_lag_is_repeated(proxy: Proxy) -> None:
    proxy.once(Fault("lag", seconds=0.2, answer=True))
    with socket.create_connection((HOST, proxy.port), timeout=30) as connection:
        for _ in range(2):
            begin = time.monotonic()
            connection.sendall(b"hello")
            assert connection.recv(5) == b"hello"
            assert time.monotonic() - begin >= 0.2


def test_a_status_is_answered_in_place_of_the_server_but_to_a_preflight(proxy: Proxy) -> None:
    proxy.once(Fault("status", status=503, seconds=7))
    with socket.create_connection((HOST, proxy.port), timeout=30) as connection:
        preflight = b"OPTIONS / HTTP/1.1\r\n\r\n"
        connection.sendall(preflight)
        assert connection.recv(100) == preflight
        connection.sendall(b"PUT / HTTP/1.1\r\n\r\nall of this is read")
        received = b""
        while more := connection.recv(1000):
            received += more
    assert received.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nRetry-After: 7\r\n" in received
    assert proxy.sent == len(preflight)


def test_refused_until_accepted_again(proxy: Proxy) -> None:
    with socket.create_connection((HOST, proxy.port), timeout=30) as connection:
        connection.sendall(b"hello")
        assert connection.recv(5) == b"hello"
        proxy.refuse()
        with pytest.raises(ConnectionError):
            connection.recv(5) or connection.sendall(b"gone") or connection.recv(5)
    with pytest.raises(ConnectionRefusedError):
        send(proxy)
    proxy.accept()
    assert send(proxy) == DATA
