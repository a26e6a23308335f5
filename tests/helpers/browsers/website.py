"""An application on real sockets, with a proxy on each of its three ways: from the browser to it, from the browser to
Swift, and from it to Swift."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs

import requests
from waitress.server import create_server

from direct_upload_middleware import DirectUploadMiddleware, StorageUnavailable, Upload
from direct_upload_middleware.storage import Storage
from direct_upload_middleware.storage.base import SignedSegment
from direct_upload_middleware.storage.swift import SwiftStorage
from direct_upload_middleware.storage.swift.client import Login
from direct_upload_middleware.testing.private_swift.server import SwiftServer
from helpers.faults.fault_proxy import HOST, Proxy, no_fault
from helpers.uploads import new_container

KiB = 1024
SEGMENT = 128 * KiB
SECRET = "a secret of the tests"
PAGE = """<!doctype html>
<html lang="en">
<title>Uploads</title>
<input type="file" id="file" multiple>
<script type="module">
  import { upload } from "/_upload/static/direct-upload.js";

  window.uploads = [];
  window.tasks = [];
  window.start = (file, options) => {
    const seen = { name: file.name, size: file.size, loaded: 0, state: "", codes: [], result: null, failure: null };
    const onprogress = ({ loaded, state }) => Object.assign(seen, { loaded, state });
    const onretry = ({ failure }) => seen.codes.push(failure.code);
    uploads.push(seen);
    const { together } = window; // as fields upload their files
    const task = upload(file, { onprogress, onretry, stall: 3000, retries: 30, together, ...options });
    tasks.push(task);
    task.then(
      (result) => { seen.result = result; },
      (failure) => { seen.failure = failure.code ?? String(failure); },
    );
    return seen;
  };
  document.querySelector("#file").onchange = ({ target }) => [...target.files].forEach((file) => start(file));
</script>
</html>
"""

StartResponse = Callable[..., Any]
Environ = dict[str, Any]


class Access:
    """Logs in by way of the proxy."""

    def __init__(self, server: SwiftServer, proxy: Proxy) -> None:
        self._server = server
        self._proxy = proxy

    def login(self) -> Login:
        headers = {"X-Auth-User": self._server.username, "X-Auth-Key": self._server.key}
        try:
            answer = requests.get(f"{self._proxy.url}/auth/v1.0", headers=headers, timeout=10)
            return Login(answer.headers["X-Auth-Token"], f"{self._proxy.url}/v1/AUTH_test")
        except (requests.RequestException, KeyError) as error:
            raise StorageUnavailable from error

    def forget(self, token: str) -> None:
        """Each log-in gives what is good now."""


class ProxiedStorage(SwiftStorage):
    """Swift, which browsers reach by a way of their own."""

    def __init__(self, container: str, access: Access, browsers: Proxy) -> None:
        super().__init__(container, access=access)
        self._browsers = browsers

    def sign(self, *what: Any, **how: Any) -> list[SignedSegment]:
        return [replace(signed, url=self._for_browsers(signed.url)) for signed in super().sign(*what, **how)]

    def download_url(self, *what: Any, **how: Any) -> str:
        return self._for_browsers(super().download_url(*what, **how))

    def _for_browsers(self, url: str) -> str:
        return self._browsers.url + url[url.index("/v1/") :]


class Website:
    """The application, behind its three proxies: ``front`` is before it, ``storage_way`` between browser and Swift,
    ``back`` between it and Swift.

    ``told`` counts for each upload how often the application was told that it is complete, ``completed`` has it by its
    name; ``before`` has what is to happen before the next call, by the call's name.
    """

    def __init__(self, server: SwiftServer, **options: Any) -> None:
        self.server = server
        self.container = new_container()
        self.told: Counter[str] = Counter()
        self.completed: dict[str, Upload] = {}
        self.before: dict[str, Callable[[], None]] = {}
        self._options = {"secret": SECRET, "segment_size": SEGMENT, "parallel": 3, **options}
        self.back = Proxy(server.port)
        self.storage_way = Proxy(server.port)
        self.renew()
        self._server = create_server(self._answer, host=HOST, port=0, threads=8)
        threading.Thread(target=self._serve, daemon=True).start()
        self.front = Proxy(self._server.effective_port)

    def __enter__(self) -> Website:
        return self

    def __exit__(self, *_: object) -> None:
        for proxy in (self.front, self.storage_way, self.back):
            proxy.__exit__()
        self._server.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # its socket is closed by another thread
            self._server.run()

    def url(self, path: str = "/") -> str:
        return self.front.url + path

    def renew(self, **options: Any) -> None:
        """A new process of the application, as far as one can tell: it knows nothing of what was before."""
        self._options |= options
        self.storage = self.make_storage()
        self._middleware = DirectUploadMiddleware(
            self.page,
            self.storage,
            **{"identify": user_of, "on_complete": self._record, "inject": False, **self._options},
        )

    def make_storage(self) -> Storage:
        """The storage of a new process."""
        return ProxiedStorage(self.container, Access(self.server, self.back), self.storage_way)

    def page(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """The wrapped application."""
        return page(environ, start_response)

    def restart(self, **options: Any) -> None:
        """Everything that is under way at the application breaks."""
        self.front.refuse()
        self.renew(**options)
        self.front.accept()

    def _answer(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        call = environ["PATH_INFO"].rpartition("/")[2]
        self.before.pop(call, no_fault)()
        return self._middleware(environ, start_response)

    def _record(self, environ: Environ, upload: Upload) -> None:
        self.told[upload.id] += 1
        self.completed[upload.name] = upload

    # -- what is in Swift ------------------------------------------------------------------------------------

    def names(self, *path: str) -> list[str]:
        """The listing of the account, or of a container."""
        url = "/".join((self.server.storage_url, *path))
        answer = requests.get(url, headers={"X-Auth-Token": self.server.token()}, timeout=60)
        return answer.text.splitlines() if answer.status_code == 200 else []

    def segments(self) -> list[str]:
        """The segments that are stored, of all uploads."""
        containers = [name for name in self.names() if name.startswith(f"{self.container}_segments_")]
        return [f"{container}/{name}" for container in containers for name in self.names(container)]

    def sha256(self, name: str) -> str:
        """Of a finished upload, as it is in Swift."""
        url = f"{self.server.storage_url}/{self.container}/{name}"
        digest = hashlib.sha256()
        with requests.get(url, headers={"X-Auth-Token": self.server.token()}, timeout=60, stream=True) as answer:
            assert answer.status_code == 200, answer.text
            for piece in answer.iter_content(1024 * KiB):
                digest.update(piece)
        return digest.hexdigest()


def page(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """The application's only page. ``?user=ann`` logs in; ``?policy=…`` is its Content-Security-Policy."""
    query = {name: values[0] for name, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
    headers = [("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store")]
    if "user" in query:
        headers.append(("Set-Cookie", f"user={query['user']}; Max-Age=86400; Path=/; SameSite=Lax"))
    if "policy" in query:
        headers.append(("Content-Security-Policy", query["policy"]))
    start_response("200 OK", headers)
    return [PAGE.encode()]


def user_of(environ: Environ) -> str | None:
    cookie = SimpleCookie(environ.get("HTTP_COOKIE", "")).get("user")
    return cookie.value if cookie else None
