"""A stand-in for Rackspace's identity service, whose catalog points at the private Swift."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

from helpers.clouds.swift_elsewhere import Swift

USERNAME, API_KEY = "ann", "an API key"
CREDENTIALS = {"auth": {"RAX-KSKEY:apiKeyCredentials": {"username": USERNAME, "apiKey": API_KEY}}}


class Identity:
    """What the service does. ``statuses`` are answered first, one a log-in; ``life`` is a token's, in seconds."""

    url = ""

    def __init__(self, swift: Swift) -> None:
        self._swift = swift
        self._lock = Lock()
        self.logins: list[Any] = []
        self.statuses: list[int] = []
        self.life = 86400
        self.public_url: str | None = None
        self.internal_url: str | None = None

    def answer(self, asked: Any) -> tuple[int, Any]:
        with self._lock:
            self.logins.append(asked)
            if self.statuses:
                return self.statuses.pop(0), {"fault": {"message": "as the test wishes"}}
            if asked != CREDENTIALS:
                return 401, {"unauthorized": {"code": 401, "message": "Unable to authenticate user."}}
            return 200, self._access()

    def _access(self) -> Any:
        token, url = self._swift.login()
        expires = datetime.now(UTC) + timedelta(seconds=self.life)
        endpoint = {
            "region": "ORD",
            "publicURL": self.public_url or url,
            "internalURL": self.internal_url or f"{url}-internal",
        }
        return {
            "access": {
                "token": {
                    "id": token,
                    "expires": expires.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
                    "tenant": {"id": "1", "name": "1"},
                },
                "serviceCatalog": [{"name": "cloudFiles", "type": "object-store", "endpoints": [endpoint]}],
                "user": {"id": "1", "name": USERNAME, "roles": []},
            }
        }


class _Handler(BaseHTTPRequestHandler):
    identity: Identity

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status, answer = self.identity.answer(asked) if self.path == "/v2.0/tokens" else (404, {})
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@contextmanager
def identity_service(swift: Swift) -> Iterator[Identity]:
    """The service, on a port of its own."""
    identity = Identity(swift)
    handler = type("Handler", (_Handler,), {"identity": identity})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        identity.url = f"http://127.0.0.1:{server.server_address[1]}/v2.0/"
        yield identity
        server.shutdown()
