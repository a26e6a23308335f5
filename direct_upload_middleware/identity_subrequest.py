"""``identify="/whoami"``: the wrapped application is asked who sent a request, by a request of its own.

For applications that know their user only inside. It is what nginx calls ``auth_request``: a GET with the cookies and
headers of the request in question; an answer of 2xx names the identity in its header ``Remote-User``.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from .errors import ConfigurationError
from .request_uploads import ENVIRON_KEY

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_ASKED = "direct_upload.asked"
_PATH = re.compile(r"/[!-\"$->@-~]*")  # printable ASCII but for ? and #
_LEFT_OUT = re.compile(
    r"CONTENT_TYPE|HTTP_(?:CONTENT_ENCODING|TRANSFER_ENCODING|EXPECT)"  # of the body
    r"|HTTP_(?:IF_.*|RANGE|UPLOAD_TICKET|X_HTTP_METHOD_OVERRIDE)|REQUEST_URI|RAW_URI"  # of the address
    r"|(?:webob|werkzeug|bottle)\..*"  # what these keep in the environ belongs to one request
)


class IdentitySubrequest:
    """An ``identify`` that asks the application itself, at most once for each request.

    The answer's identity is None for any status below 500 but 2xx, and for 2xx without the header.

    :param app: the wrapped application.
    :param path: the address to ask, as in a URL, below the application's root.
    :param mount: the middleware's.
    :raises ConfigurationError: ``path`` is none.
    """

    def __init__(self, app: WSGIApplication, path: str, *, mount: str) -> None:
        if not _PATH.fullmatch(path):
            raise ConfigurationError(f"identify must be a callable or a path such as '/whoami', not {path!r}")
        self._app = app
        self._path = path
        self._below = mount + "/"

    def __call__(self, environ: WSGIEnvironment) -> str | None:
        """The identity; raises RuntimeError when the application answers 5xx, and whatever it raises."""
        asked: dict[IdentitySubrequest, str | None] = environ.setdefault(_ASKED, {})
        if self not in asked:
            asked[self] = None  # for an application that asks back
            try:
                asked[self] = self._ask(environ)
            except BaseException:
                del asked[self]
                raise
        return asked[self]

    def _ask(self, environ: WSGIEnvironment) -> str | None:
        if environ["PATH_INFO"].startswith(self._below):
            return self._answered(environ)
        # The application is at work on this request. What it keeps in thread-locals (Bottle its request, the package
        # transaction a transaction) would be mixed up with the other one's in the same thread.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(self._answered, environ).result()

    def _answered(self, environ: WSGIEnvironment) -> str | None:
        status, headers = _answer(self._app, self._environ(environ))
        if status >= 500:
            raise RuntimeError(f"identify: {self._path} answered {status}")
        if not 200 <= status <= 299:
            return None
        found = [value for name, value in headers if name.lower() == "remote-user"]
        return _text(found[-1].strip()) if found else None

    def _environ(self, environ: WSGIEnvironment) -> WSGIEnvironment:
        """That of the sub-request."""
        kept = {name: value for name, value in environ.items() if not _LEFT_OUT.fullmatch(name)}
        made = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": unquote_to_bytes(self._path).decode("latin-1"),
            "QUERY_STRING": "",
            "CONTENT_LENGTH": "0",
            "wsgi.input": io.BytesIO(),
        }
        below: WSGIEnvironment = kept | made
        if ENVIRON_KEY in below:
            below[ENVIRON_KEY] = below[ENVIRON_KEY].in_sub_request(below)
        return below


def _answer(app: WSGIApplication, environ: WSGIEnvironment) -> tuple[int, list[tuple[str, str]]]:
    """Status and headers; the body is read to its end, since some applications finish their work only then."""
    head: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
        head[:] = int(status.split()[0]), headers
        return _drop

    start: StartResponse = start_response
    body: Iterable[bytes] = app(environ, start)
    try:
        for _ in body:
            pass
    finally:
        close = getattr(body, "close", None)
        if close is not None:
            close()
    return head[0], head[1]


def _drop(data: bytes) -> None:
    """The ``write`` of an answer whose body nobody reads."""


def _text(value: str) -> str:
    """A header's value: UTF-8 where it is, else ISO-8859-1."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value
