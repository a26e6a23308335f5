"""The application of ``many.py``: every way to upload many files, and a record of what each of them costs.

Its settings are in ``MANY_…`` variables: where browsers reach Swift, the bundle of the page, and the record,
with one line for each request: its kind and its seconds.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests
from werkzeug.wrappers import Request, Response

from direct_upload_middleware import DirectUploadMiddleware
from direct_upload_middleware.storage import temp_urls
from direct_upload_middleware.storage.base import SignedSegment
from direct_upload_middleware.storage.swift import SwiftStorage
from direct_upload_middleware.storage.swift.credentials import OpenStackAccess

Environ = dict[str, Any]

PAGE = """<!doctype html>
<title>Many files</title>
<form><input type="file" id="input" name="files" multiple data-direct-upload></form>
<input type="file" id="files" multiple>
<script type="module" src="/many.js"></script>
"""
KEY = "the key of the how-to's container"
_written = threading.Lock()


def note(kind: str, seconds: float) -> None:
    with _written, open(os.environ["MANY_RECORD"], "a") as file:
        file.write(f"{kind} {seconds:.6f}\n")


def count_requests_to_swift() -> None:
    """Note each request that the application makes."""
    send = requests.Session.send

    def counted(self: requests.Session, *request: Any, **options: Any) -> requests.Response:
        begin = time.monotonic()
        try:
            return send(self, *request, **options)
        finally:
            note("swift", time.monotonic() - begin)

    requests.Session.send = counted  # type: ignore[method-assign]


class Storage(SwiftStorage):
    """Swift, which browsers reach by a way of their own."""

    def sign(self, *what: Any, **how: Any) -> list[SignedSegment]:
        return [replace(signed, url=for_browsers(signed.url)) for signed in super().sign(*what, **how)]


def for_browsers(url: str) -> str:
    return os.environ["MANY_SWIFT"] + url[url.index("/v1/") :]


class Application:
    """The page, and the ways that do not use the middleware. Whoever sends a file is known."""

    def __init__(self) -> None:
        self._access = OpenStackAccess()
        self._container = f"howto-{secrets.token_hex(4)}"
        headers = {"X-Container-Meta-Temp-URL-Key": KEY, "X-Container-Meta-Access-Control-Allow-Origin": "*"}
        self._swift("PUT", self._container, headers=headers)

    def _swift(self, method: str, path: str, headers: dict[str, str] | None = None, data: Any = None) -> None:
        login = self._access.login()
        sent = {"X-Auth-Token": login.token, **(headers or {})}
        answer = requests.request(method, f"{login.storage_url}/{path}", headers=sent, data=data, timeout=600)
        answer.raise_for_status()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        if request.path == "/many.js":
            answer = Response(Path(os.environ["MANY_BUNDLE"]).read_bytes(), content_type="text/javascript")
        elif request.method == "POST":
            call = {"/sign": self._sign, "/record": self._record, "/through": self._through}[request.path]
            answer = Response(json.dumps(call(request)), content_type="application/json")
        else:
            answer = Response(PAGE, content_type="text/html; charset=utf-8")
        answer.headers["Cache-Control"] = "no-store"
        return answer(environ, start_response)

    def _sign(self, request: Request) -> dict[str, str]:
        name = secrets.token_hex(16)
        login = self._access.login()
        path = f"{login.storage_url[login.storage_url.index('/v1/') :]}/{self._container}/{name}"
        url = temp_urls.url(KEY, "PUT", quote(path), int(time.time()) + 900)
        return {"name": name, "url": os.environ["MANY_SWIFT"] + url}

    def _record(self, request: Request) -> dict[str, Any]:
        return {"recorded": request.get_json()["name"]}

    def _through(self, request: Request) -> dict[str, Any]:
        name = secrets.token_hex(16)
        self._swift("PUT", f"{self._container}/{name}", data=request.files["file"].stream)
        return {"recorded": name}


def application() -> Callable[..., Any]:
    """For gunicorn."""
    count_requests_to_swift()
    storage = Storage(os.environ["MANY_CONTAINER"])
    inner = DirectUploadMiddleware(
        Application(),
        storage,
        secret=os.environ["BENCHMARK_SECRET"],
        identify=lambda environ: "ann",
        on_complete=lambda environ, upload: {"recorded": upload.id},
    )

    def app(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        begin = time.monotonic()
        try:
            return inner(environ, start_response)
        finally:
            path = environ["PATH_INFO"]
            is_call = environ["REQUEST_METHOD"] != "GET" or path.startswith("/_upload/s3/")
            note("call" if is_call else "page", time.monotonic() - begin)

    return app
