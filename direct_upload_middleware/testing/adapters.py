"""One view of the test clients of WebTest, Flask (Werkzeug) and Django, for :mod:`.client`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

from ..requester import COOKIE


class Answer(NamedTuple):
    """A response as the client received it."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class UploadFailed(AssertionError):
    """The middleware refused an upload, for the clients of Flask and Django; the message has the problem's code."""


class Adapter(Protocol):
    """One test client. Paths are below SCRIPT_NAME."""

    script_name: str

    def post(self, path: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Any:
        """POST JSON, and return the answer's; raise the client's error, or UploadFailed, for any other status."""

    def put(self, path: str, body: bytes, headers: Mapping[str, str]) -> None:
        """PUT a body; raise as :meth:`post`."""

    def get(self, path: str) -> Answer:
        """GET with any status."""

    def without_binding(self) -> Any:
        """Return a context in which the client lacks the middleware's cookie, like another browser of the user."""


def adapt(client: Any, extra_environ: Mapping[str, Any]) -> Adapter:
    """Return the adapter of a client; raise TypeError for an unknown one."""
    modules = {cls.__module__.partition(".")[0] for cls in type(client).__mro__}
    if "webtest" in modules:
        return _WebTest(client, dict(extra_environ))
    if "werkzeug" in modules:
        return _Werkzeug(client, dict(extra_environ))
    if "django" in modules:
        return _Django(client, dict(extra_environ))
    raise TypeError(f"a test client of WebTest, Flask, Werkzeug or Django is needed, not {type(client).__name__}")


class _WebTest:
    """``webtest.TestApp``, and that of django-webtest."""

    def __init__(self, app: Any, environ: dict[str, Any]) -> None:
        self._app = app
        self._environ = environ
        self.script_name: str = {**app.extra_environ, **environ}.get("SCRIPT_NAME", "")

    def post(self, path: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Any:
        return self._app.post_json(path, body, headers=dict(headers), extra_environ=self._environ).json

    def put(self, path: str, body: bytes, headers: Mapping[str, str]) -> None:
        self._app.put(path, body, headers=dict(headers), content_type="", extra_environ=self._environ)

    def get(self, path: str) -> Answer:
        response = self._app.get(path, extra_environ=self._environ, status="*")
        return Answer(response.status_int, response.headers, response.body)

    @contextmanager
    def without_binding(self) -> Iterator[None]:
        jar = self._app.cookiejar
        cookies = [cookie for cookie in jar if cookie.name == COOKIE]
        for cookie in cookies:
            jar.clear(cookie.domain, cookie.path, cookie.name)
        try:
            yield
        finally:
            for cookie in cookies:
                jar.set_cookie(cookie)


class _Werkzeug:
    """``werkzeug.test.Client`` and ``flask.testing.FlaskClient``."""

    def __init__(self, client: Any, environ: dict[str, Any]) -> None:
        self._client = client
        self._environ = environ
        root = getattr(client.application, "config", {}).get("APPLICATION_ROOT") or ""
        self.script_name: str = environ.get("SCRIPT_NAME", root.rstrip("/"))

    def post(self, path: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Any:
        return json.loads(_checked("POST", path, self._open("POST", path, headers, json=body)).body)

    def put(self, path: str, body: bytes, headers: Mapping[str, str]) -> None:
        _checked("PUT", path, self._open("PUT", path, headers, data=body))

    def get(self, path: str) -> Answer:
        return self._open("GET", path, {})

    def _open(self, method: str, path: str, headers: Mapping[str, str], **options: Any) -> Answer:
        with self._client.open(
            path, method=method, headers=dict(headers), environ_overrides=self._environ, **options
        ) as response:
            return Answer(response.status_code, response.headers, response.get_data())

    @contextmanager
    def without_binding(self) -> Iterator[None]:
        path = f"{self.script_name}/"
        cookie = self._client.get_cookie(COOKIE, path=path) or self._client.get_cookie(COOKIE)
        if cookie is None:
            yield
            return
        self._client.delete_cookie(COOKIE, path=cookie.path)
        try:
            yield
        finally:
            self._client.set_cookie(COOKIE, cookie.value, path=cookie.path)


class _Django:
    """``django.test.Client``."""

    def __init__(self, client: Any, environ: dict[str, Any]) -> None:
        self._client = client
        self._environ = environ
        self.script_name: str = environ.get("SCRIPT_NAME", "")

    def post(self, path: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Any:
        answer = self._request("post", path, headers, data=json.dumps(body), content_type="application/json")
        return json.loads(_checked("POST", path, answer).body)

    def put(self, path: str, body: bytes, headers: Mapping[str, str]) -> None:
        answer = self._request("put", path, headers, data=body, content_type="application/octet-stream")
        _checked("PUT", path, answer)

    def get(self, path: str) -> Answer:
        return self._request("get", path, {})

    def _request(self, method: str, path: str, headers: Mapping[str, str], **options: Any) -> Answer:
        response = getattr(self._client, method)(path, headers=dict(headers), **options, **self._environ)
        body = b"".join(response.streaming_content) if response.streaming else response.content
        return Answer(response.status_code, response.headers, body)

    @contextmanager
    def without_binding(self) -> Iterator[None]:
        cookie = self._client.cookies.pop(COOKIE, None)
        try:
            yield
        finally:
            if cookie is not None:
                self._client.cookies[COOKIE] = cookie


def _checked(method: str, path: str, answer: Answer) -> Answer:
    if not 200 <= answer.status <= 299:
        where = path.partition("?")[0]
        raise UploadFailed(f"{method} {where} answered {answer.status}: {answer.body.decode(errors='replace')}")
    return answer
