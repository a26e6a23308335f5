"""Faults between the application and Swift, request by request, and an application that can be made anew."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests

from direct_upload_middleware import Upload
from direct_upload_middleware.storage.swift import SwiftStorage
from direct_upload_middleware.storage.swift.client import Access
from direct_upload_middleware.testing.private_swift.server import SwiftServer
from helpers.uploads import SECRET, ServerAccess, Site, new_container


@dataclass(frozen=True)
class Trouble:
    """What one request to Swift meets, or with ``lasting`` that one and all after it.

    ``status`` is what is answered, without Swift having been asked; with None there is no answer. ``done`` says that
    Swift does what it was asked, and only its answer gets lost.
    """

    status: int | None = None
    done: bool = False
    lasting: bool = True


class Troubled:
    """The requests of an application's storage, some of which fail."""

    def __init__(self, storage: Any) -> None:
        self._client = storage._client
        self._lock = threading.Lock()

    @contextmanager
    def at(self, number: int, trouble: Trouble) -> Iterator[Counter[str]]:
        """The request of this number, from 0 on, fails. Gives the counts: of requests and of ``failed`` ones."""
        counts: Counter[str] = Counter()
        carry_out = self._client._try

        def attempt(*request: Any) -> requests.Response | None:
            with self._lock:
                count = counts["requests"]
                counts["requests"] += 1
                fails = count == number or (trouble.lasting and count > number)
                counts["failed"] += fails
            if not fails:
                return carry_out(*request)
            if trouble.done:
                carry_out(*request)
            return None if trouble.status is None else _answer(trouble.status)

        self._client._try = attempt  # type: ignore[method-assign]
        try:
            yield counts
        finally:
            self._client._try = carry_out  # type: ignore[method-assign]


def _answer(status: int) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response._content = b""
    return response


class Applications:
    """Any number of processes of one application, as far as uploads go: the same secret, container and database."""

    def __init__(self, server: SwiftServer, **options: Any) -> None:
        self.server = server
        self.container = new_container()
        self.told: Counter[str] = Counter()
        self.finished: set[str] = set()
        self._token = ""
        self._options = options
        self._browser: Any = None

    def new(self, access: Access | None = None) -> Site:
        """One more process. Its site is visited by the same browser."""
        storage = SwiftStorage(self.container, access=access or ServerAccess(self.server))
        site = Site(storage, secret=SECRET, on_complete=self._record, **self._options)
        if self._browser is None:
            self._browser = site.browser
        site.browser.cookiejar = self._browser.cookiejar
        return site

    def _record(self, environ: dict[str, Any], upload: Upload) -> dict[str, str]:
        self.told[upload.id] += 1
        return {"seen": upload.id}

    # -- what an operator sees -------------------------------------------------------------------------------

    def names(self, *path: str) -> list[str]:
        """The listing of the account, or of a container."""
        answer = self.ask("GET", *path)
        return answer.text.splitlines() if answer.status_code == 200 else []

    def ask(self, method: str, *path: str, **headers: str) -> requests.Response:
        url = "/".join((self.server.storage_url, *path))
        for _ in range(2):
            answer = requests.request(method, url, headers={"X-Auth-Token": self._token, **headers}, timeout=60)
            if answer.status_code != 401:
                break
            self._token = self.server.token()
        return answer

    def remove(self, container: str) -> None:
        """As an operator who thinks that nobody needs it."""
        for name in self.names(container):
            self.ask("DELETE", container, name)
        assert self.ask("DELETE", container).status_code == 204

    def own_containers(self) -> list[str]:
        return [name for name in self.names() if name.startswith(self.container)]
