"""A wrapped application for tests, and a browser's side of an upload."""

from __future__ import annotations

import hashlib
import secrets
import string
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit
from wsgiref.validate import validator

import requests
from webtest import TestApp, TestResponse

from direct_upload_middleware import DirectUploadMiddleware
from direct_upload_middleware.storage import Storage
from direct_upload_middleware.storage.swift import SwiftStorage
from direct_upload_middleware.storage.swift.client import Login
from direct_upload_middleware.testing.client import _checksum
from direct_upload_middleware.testing.private_swift.server import SwiftServer

SECRET = "a-secret-of-the-tests"
SEGMENT = 10
EMPTY = b""
ONE = b"one file"  # of one segment
SEVERAL = b"0123456789abcdefghijXYZ"  # of three segments, the last one short
CALLS = ("sign", "status", "complete", "abort")

T = TypeVar("T")

Environ = dict[str, Any]
Page = Callable[[Environ], Any]


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def new_container() -> str:
    return f"test-{secrets.token_hex(6)}"


def page(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The wrapped application: calls ``test.page`` with its environ, if the test has put it there."""
    call = environ.get("test.page")
    text = str(call(environ) if call else "").encode()
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(text)))])
    return [text]


class ServerAccess:
    """Logs in to the private Swift; counts how often."""

    def __init__(self, server: SwiftServer) -> None:
        self._server = server
        self.logins = 0

    def login(self) -> Login:
        self.logins += 1
        return Login(self._server.token(), self._server.storage_url)

    def forget(self, token: str) -> None:
        """Each log-in gives what is good now."""


def swift_storage(server: SwiftServer, container: str | None = None) -> SwiftStorage:
    return SwiftStorage(container or new_container(), access=ServerAccess(server))


@dataclass
class Answered:
    """What a storage answered to a browser."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Site:
    """A wrapped application, and one browser of one user of it."""

    def __init__(
        self,
        storage: Storage | str,
        *,
        user: str | None = "ann",
        script_name: str = "",
        scheme: str = "http",
        **options: Any,
    ) -> None:
        self.storage = storage
        options = {"secret": SECRET, "segment_size": SEGMENT, **options}
        self.middleware = DirectUploadMiddleware(validator(page), storage, **options)
        self.mount = script_name + self.middleware.options.mount
        self._environ = {"REMOTE_ADDR": "127.0.0.1", "wsgi.url_scheme": scheme, "SCRIPT_NAME": script_name}
        self._script_name = script_name
        self.browser = self.new_browser(user)

    def new_browser(self, user: str | None = "ann") -> TestApp:
        environ = self._environ | ({"REMOTE_USER": user} if user is not None else {})
        return TestApp(validator(self.middleware), extra_environ=environ)

    def log_in(self, user: str | None) -> None:
        """Another identity in the same browser."""
        self.browser.extra_environ.pop("REMOTE_USER", None)
        if user is not None:
            self.browser.extra_environ["REMOTE_USER"] = user

    def _path(self, url: str) -> str:
        """A URL as WebTest takes it, without SCRIPT_NAME."""
        assert url.startswith(self._script_name)
        return url.removeprefix(self._script_name)

    def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        ticket: str | None = None,
        headers: Mapping[str, str] | None = None,
        browser: TestApp | None = None,
    ) -> TestResponse:
        """One request to an address below the mount. ``browser`` is another one than ours."""
        sent = {**({"Upload-Ticket": ticket} if ticket is not None else {}), **(headers or {})}
        app = browser or self.browser
        url = self.middleware.options.mount + path
        if json is not None:
            return app._gen_request(  # post_json() knows no DELETE with a body, this does
                method, url, params=_json(json), headers=sent, status="*", content_type="application/json"
            )
        return app.request(url, method=method, headers=sent, status="*", environ=dict(app.extra_environ))

    def begin(
        self, data: bytes = ONE, filename: str = "report.pdf", type: str = "application/pdf", **changes: Any
    ) -> BegunUpload:
        answer = self.request(
            "POST", "/uploads", json={"filename": filename, "size": len(data), "type": type, **changes}
        )
        assert answer.status_int == 201, answer.text
        return BegunUpload(self, data, answer, filename)

    def batch(self, call: str, uploads: Any, *, browser: TestApp | None = None, **request: Any) -> TestResponse:
        """``batch/begin`` or ``batch/complete``."""
        return self.request("POST", f"/batch/{call}", json={"uploads": uploads}, browser=browser, **request)

    def begin_all(self, files: Mapping[str, bytes], type: str = "application/pdf") -> list[BegunUpload]:
        """Begin an upload for each file with one call."""
        wanted = [{"filename": name, "size": len(data), "type": type} for name, data in files.items()]
        answer = self.batch("begin", wanted)
        assert answer.status_int == 200, answer.text
        begun = answer.json["uploads"]
        assert [each["status"] for each in begun] == [201] * len(files), answer.text
        return [
            BegunUpload(self, data, answer, name, each) for (name, data), each in zip(files.items(), begun, strict=True)
        ]

    def complete_all(self, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Complete uploads with as few calls as possible; what each of them was answered, in order."""
        done: dict[int, dict[str, Any]] = {}
        while left := [number for number in range(len(items)) if number not in done]:
            answer = self.batch("complete", [items[number] for number in left])
            assert answer.status_int == 200, answer.text
            answers = zip(left, answer.json["uploads"], strict=True)
            done |= {number: each for number, each in answers if each["status"] != 202}
        return [done[number] for number in range(len(items))]

    def call(
        self, name: str, begun: BegunUpload, *, ticket: str | None = None, browser: TestApp | None = None
    ) -> TestResponse:
        """One of :data:`CALLS`, as the browser that began the upload makes it."""
        base = f"/uploads/{begun.id}"
        method, path, json = {
            "sign": ("POST", base + "/segments", {"indexes": [0]}),
            "status": ("GET", base, None),
            "complete": ("POST", base + "/complete", {"segments": begun.declared}),
            "abort": ("DELETE", base, None),
        }[name]
        sent = begun.ticket if ticket is None else ticket
        return until_sealed(lambda: self.request(method, path, json=json, ticket=sent, browser=browser))

    def upload(self, data: bytes = ONE, **begin: Any) -> TestResponse:
        """A whole upload; what complete answered."""
        begun = self.begin(data, **begin)
        begun.send()
        return begun.complete()

    def visit(self, call: Page, *, browser: TestApp | None = None, **environ: Any) -> Any:
        """Ask the wrapped application for a page that calls ``call(environ)``; what that gave or raised."""
        outcome: list[Any] = []

        def asked(inner: Environ) -> str:
            outcome.append(call(inner))
            return ""

        app = browser or self.browser
        app.get("/page", extra_environ={"test.page": asked, **environ})
        return outcome[0]

    def uploads(self, call: Callable[[Any], Any], **visit: Any) -> Any:
        """What ``call`` makes of ``environ["direct_upload.uploads"]`` on a page."""
        return self.visit(lambda environ: call(environ["direct_upload.uploads"]), **visit)

    def fetch(self, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answered:
        """A request to a temp URL, as the browser makes it."""
        sent = dict(headers or {})
        if urlsplit(url).netloc and urlsplit(url).netloc != "localhost":
            raw = requests.request(method, url, data=body, headers=sent, timeout=30, allow_redirects=False)
            return Answered(raw.status_code, raw.headers, raw.content)
        path = self._path(url.removeprefix("http://localhost").removeprefix("https://localhost"))
        if method == "PUT":
            answer = self.browser.put(path, body, headers=sent, status="*", content_type="")
        else:
            environ = dict(self.browser.extra_environ)
            answer = self.browser.request(path, method=method, headers=sent, status="*", environ=environ)
        return Answered(answer.status_int, answer.headers, answer.body)

    def download(self, url: str) -> bytes:
        answered = self.fetch("GET", url)
        assert answered.status == 200, answered
        return answered.body


class BegunUpload:
    """An upload under way."""

    def __init__(
        self, site: Site, data: bytes, answer: TestResponse, filename: str = "", begun: dict[str, Any] | None = None
    ) -> None:
        begun = begun or answer.json
        self.site = site
        self.filename = filename
        self.data = data
        self.answer = answer
        self.id: str = begun["id"]
        self.ticket: str = begun["ticket"]
        self.segment_size: int = begun["segment_size"]
        self.segments: list[dict[str, Any]] = begun["segments"]
        self.urls = {segment["index"]: segment["url"] for segment in self.segments}

    def pieces(self) -> list[bytes]:
        return [self.data[i : i + self.segment_size] for i in range(0, len(self.data), self.segment_size)] or [b""]

    @property
    def declared(self) -> list[dict[str, Any]]:
        return [{"index": index, "etag": md5(piece)} for index, piece in enumerate(self.pieces())]

    def put(self, index: int, piece: bytes, headers: Mapping[str, str] | None = None) -> Answered:
        if index not in self.urls:
            self.sign([index])
        sent = {**self.segments[0]["headers"], **_checksum(self.segments[0], piece), **(headers or {})}
        return self.site.fetch("PUT", self.urls[index], piece, sent)

    def send(self, headers: Mapping[str, str] | None = None) -> None:
        """Every segment."""
        for index, piece in enumerate(self.pieces()):
            answered = self.put(index, piece, headers)
            assert answered.status in (200, 201), answered

    def sign(self, indexes: list[int]) -> list[dict[str, Any]]:
        answer = self.site.request(
            "POST", f"/uploads/{self.id}/segments", json={"indexes": indexes}, ticket=self.ticket
        )
        assert answer.status_int == 200, answer.text
        self.urls |= {segment["index"]: segment["url"] for segment in answer.json["segments"]}
        segments: list[dict[str, Any]] = answer.json["segments"]
        return segments

    def status(self) -> Any:
        answer = self.site.call("status", self)
        assert answer.status_int == 200, answer.text
        return answer.json

    def complete(self, segments: list[dict[str, Any]] | None = None) -> TestResponse:
        """What complete answers, once the upload is sealed."""
        return until_sealed(lambda: self.complete_once(segments))

    def complete_once(self, segments: list[dict[str, Any]] | None = None) -> TestResponse:
        return self.site.request(
            "POST",
            f"/uploads/{self.id}/complete",
            json={"segments": self.declared if segments is None else segments},
            ticket=self.ticket,
        )

    @property
    def batch_item(self) -> dict[str, Any]:
        """The upload as ``batch/complete`` takes it."""
        return {"id": self.id, "ticket": self.ticket, "segments": self.declared}

    def abort(self) -> TestResponse:
        return self.site.call("abort", self)


def until_sealed(ask: Callable[[], T]) -> T:
    """Repeat a complete call like a page, until it answers something else than 202. It waits by itself each time."""
    while True:
        answer = ask()
        if getattr(answer, "status_code", None) != 202:
            return answer


def _json(value: Any) -> bytes:
    import json

    return json.dumps(value).encode()


def assert_problem(answer: TestResponse, status: int, code: str, **members: Any) -> None:
    """The answer is the problem document of this code."""
    assert answer.status_int == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    document = answer.json
    assert (document["code"], document["status"]) == (code, status)
    assert document["title"]
    assert document["detail"]
    assert {name: document[name] for name in members} == members
    assert set(document) == {"title", "status", "detail", "code", *members}


def spoilt(token: str, limit: int | None = None) -> Iterable[str]:
    """The token with each of its characters changed, in turn, to one that may stand in a token."""
    alphabet = string.ascii_letters + string.digits + "-_."
    for position, character in enumerate(token[:limit]):
        other = alphabet[(alphabet.index(character) + 1) % len(alphabet)]
        yield token[:position] + other + token[position + 1 :]
