"""A browser for the local storage, and what its tests share."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

from direct_upload_middleware.keys import Keys
from direct_upload_middleware.storage.base import SignedSegment, Storage
from direct_upload_middleware.storage.local import LocalStorage

MOUNT = "/app/_upload"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Message
    body: bytes


class Browser:
    """Sends requests to the storage, mounted below an application, through ``wsgiref.validate``."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def request(self, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        parts = urlsplit(url)
        environ: dict[str, Any] = {
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
            "PATH_INFO": _unquoted(parts.path),
            "QUERY_STRING": parts.query,
        }
        for name, value in (headers or {}).items():
            variable = name.upper().replace("-", "_")
            environ[variable if variable in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{variable}"] = value
        return self.send(method, environ)

    def send(self, method: str, environ: Mapping[str, Any]) -> Answer:
        """A request as the server hands it over."""
        full: dict[str, Any] = {"REQUEST_METHOD": method, "SCRIPT_NAME": MOUNT, "REMOTE_ADDR": "127.0.0.1"}
        full |= {name: value for name, value in environ.items() if value is not None}
        setup_testing_defaults(full)
        started: list[tuple[str, list[tuple[str, str]]]] = []
        answer = validator(self._app)(full, lambda status, headers, *_: started.append((status, headers)))  # type: ignore[arg-type]
        try:
            received = b"".join(answer)
        finally:
            answer.close()  # type: ignore[attr-defined]
        [(status, header_list)] = started
        headers = Message()
        for name, value in header_list:
            headers[name] = value
        return Answer(int(status[:3]), headers, received)

    def _app(self, environ: Any, start_response: Any) -> Any:
        answer = self._storage.serve(environ, start_response)
        assert answer is not None
        return answer


def _unquoted(path: str) -> str:
    """As a WSGI server does: bytes as Latin-1."""
    return re.sub(r"%(..)", lambda match: chr(int(match[1], 16)), path)


def bound(path: Path, *secrets: str) -> LocalStorage:
    storage = LocalStorage(path)
    storage.bind(Keys(secrets or ("a secret",)))
    return storage


def files_below(directory: Path) -> set[str]:
    """The regular files of the storage, but for its locks."""
    found = (path.relative_to(directory) for path in directory.rglob("*") if path.is_file())
    return {str(path) for path in found if path.parts[0] != "locks"}


class Body(io.RawIOBase):
    """A request's body: so many zero bytes, then perhaps an error."""

    def __init__(self, size: int, error: Exception | None = None) -> None:
        self.left = size
        self.error = error

    def read(self, size: int = -1) -> bytes:
        if not self.left and self.error:
            raise self.error
        given = min(size, self.left)
        self.left -= given
        return bytes(given)


def put_raw(http: Browser, signed: SignedSegment, **environ: Any) -> Answer:
    path, _, query = signed.url.partition("?")
    return http.send("PUT", {"PATH_INFO": path, "QUERY_STRING": query, **environ})
