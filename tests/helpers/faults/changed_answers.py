"""A proxy between everybody and the private Swift that meddles with what goes through: providers' quirks, on demand."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

import requests


@dataclass
class Exchange:
    """A request, and then its answer. ``status`` 0: it was not answered yet."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes
    status: int = 0

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    def drop(self, *names: str) -> None:
        """Take headers away."""
        self.headers = {n: v for n, v in self.headers.items() if n.lower() not in {name.lower() for name in names}}


Meddle = Callable[[Exchange], None]
"""Is called with each request before it is forwarded, when it may answer it by setting ``status``, and each answer."""

METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS")
_HOP = {"connection", "transfer-encoding", "keep-alive", "content-encoding"}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstream = ""
    meddle: Meddle

    def handle_request(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        exchange = Exchange(self.command, self.path, dict(self.headers.items()), body)
        asked = Exchange(self.command, self.path, dict(exchange.headers), body)
        type(self).meddle(exchange)
        if not exchange.status:
            answer = requests.request(
                exchange.method,
                self.upstream + exchange.url,
                headers=exchange.headers,
                data=exchange.body,
                timeout=60,
                allow_redirects=False,
            )
            headers = {n: v for n, v in answer.headers.items() if n.lower() not in _HOP}
            exchange = Exchange(asked.method, asked.url, headers, answer.content, answer.status_code)
            type(self).meddle(exchange)
        self._answer(exchange)

    def _answer(self, exchange: Exchange) -> None:
        self.send_response_only(exchange.status)
        for name, value in exchange.headers.items():
            if name.lower() != "content-length" or self.command == "HEAD":
                self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(exchange.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(exchange.body)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@contextmanager
def meddling(upstream: str, meddle: Meddle, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The URL of a proxy to this one, which speaks https where there is a certificate."""
    methods = {f"do_{method}": _Handler.handle_request for method in METHODS}
    handler = type("Handler", (_Handler,), {"upstream": upstream, "meddle": staticmethod(meddle), **methods})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
