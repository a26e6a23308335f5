"""``identify="/whoami"``: a subrequest asks the wrapped application who sent a request.

For applications that know their user only inside. It works like nginx's ``auth_request``: a GET with the cookies and
headers of the original request; a 2xx response names the identity in its ``Remote-User`` header.
"""

from __future__ import annotations

import io
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from webob import Request

from .errors import ConfigurationError
from .request_uploads import ENVIRON_KEY

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

_IDENTITIES = "direct_upload.asked"
_PATH = re.compile(r"/[!-\"$->@-~]*")  # printable ASCII except ? and #
_NOT_COPIED = re.compile(
    r"CONTENT_TYPE|HTTP_(?:CONTENT_ENCODING|TRANSFER_ENCODING|EXPECT)"  # describe the body
    r"|HTTP_(?:IF_.*|RANGE|UPLOAD_TICKET|X_HTTP_METHOD_OVERRIDE)|REQUEST_URI|RAW_URI"  # describe the address
    r"|(?:webob|werkzeug|bottle)\..*"  # caches of these libraries belong to one request
)


class IdentitySubrequest:
    """An ``identify`` that asks the application itself, at most once for each request.

    The identity is None for a status below 500 other than 2xx, and for 2xx without the header.

    :param app: the wrapped application.
    :param path: the address to request, as in a URL, below the application's root.
    :param mount: the middleware's mount.
    :raises ConfigurationError: ``path`` is not a path.
    """

    def __init__(self, app: WSGIApplication, path: str, *, mount: str) -> None:
        if not _PATH.fullmatch(path):
            raise ConfigurationError(f"identify must be a callable or a path such as '/whoami', not {path!r}")
        self._app = app
        self._path = path
        self._api_prefix = mount + "/"

    def __call__(self, environ: WSGIEnvironment) -> str | None:
        """Return the identity. Raise RuntimeError for a 5xx response, and everything that the application raises."""
        identities: dict[IdentitySubrequest, str | None] = environ.setdefault(_IDENTITIES, {})
        if self not in identities:
            identities[self] = None  # the subrequest itself may ask for the identity
            try:
                identities[self] = self._ask(environ)
            except BaseException:
                del identities[self]
                raise
        return identities[self]

    def _ask(self, environ: WSGIEnvironment) -> str | None:
        if environ["PATH_INFO"].startswith(self._api_prefix):
            return self._send(environ)
        # The application is handling this request. Its thread-locals (Bottle's request, a transaction of the package
        # transaction) must not be mixed with those of the subrequest, so that runs in a thread of its own.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(self._send, environ).result()

    def _send(self, environ: WSGIEnvironment) -> str | None:
        request = Request(self._subrequest_environ(environ))
        status, headers, body, _ = request.call_application(self._app, catch_exc_info=True)
        try:
            for _ in body:  # some applications finish their work only at the body's end
                pass
        finally:
            if hasattr(body, "close"):
                body.close()
        code = int(status.split()[0])
        if code >= 500:
            raise RuntimeError(f"identify: {self._path} returned status {code}")
        if not 200 <= code <= 299:
            return None
        found = [value for name, value in headers if name.lower() == "remote-user"]
        return _decode(found[-1].strip()) if found else None

    def _subrequest_environ(self, environ: WSGIEnvironment) -> WSGIEnvironment:
        copied = {name: value for name, value in environ.items() if not _NOT_COPIED.fullmatch(name)}
        subrequest: WSGIEnvironment = copied | {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": unquote_to_bytes(self._path).decode("latin-1"),
            "QUERY_STRING": "",
            "CONTENT_LENGTH": "0",
            "wsgi.input": io.BytesIO(),
        }
        if ENVIRON_KEY in subrequest:
            subrequest[ENVIRON_KEY] = subrequest[ENVIRON_KEY].in_subrequest(subrequest)
        return subrequest


def _decode(value: str) -> str:
    """Decode a header's value: as UTF-8 if it is valid, else ISO-8859-1."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value
