"""Calls for one upload at the same moment, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import requests

from direct_upload_middleware import Upload
from direct_upload_middleware.storage.swift import SwiftStorage
from direct_upload_middleware.storage.swift.client import Login
from helpers.uploads import BegunUpload, Site

PATIENCE = 120
SPREAD = (0.0, 0.005, 0.02, 0.06)
"""Seconds in which the calls for an upload begin, by turns: some interleave early, others late."""


@dataclass(frozen=True)
class TokenAccess:
    """A log-in by Swift's v1 authentication, which another process can have too."""

    auth_url: str
    username: str
    key: str

    def login(self) -> Login:
        headers = {"X-Auth-User": self.username, "X-Auth-Key": self.key}
        response = requests.get(self.auth_url, headers=headers, timeout=60)
        return Login(response.headers["X-Auth-Token"], response.headers["X-Storage-Url"])

    def forget(self, token: str) -> None:
        """Each log-in gives what is good now."""


@dataclass(frozen=True)
class Application:
    """What every process of one application has."""

    access: TokenAccess
    container: str
    seal: str = "revoke"
    confirms: bool = False

    def site(self) -> Site:
        """Return a site of this process. The final object of an upload has its filename."""
        options: dict[str, Any] = {"on_complete": _confirm} if self.confirms else {}
        storage = SwiftStorage(self.container, access=self.access)
        return Site(storage, seal=self.seal, object_name=lambda environ, request: request.filename, **options)


def _confirm(environ: dict[str, Any], upload: Upload) -> dict[str, str]:
    return {"seen": upload.id}


@dataclass(frozen=True)
class _Call:
    """A call for one upload, as another process can make it."""

    name: str
    id: str
    ticket: str
    cookie: str
    declared: list[Any]
    delay: float

    def make(self, site: Site) -> int:
        time.sleep(self.delay)
        if self.name == "complete":
            method, path, body = "POST", f"/uploads/{self.id}/complete", {"segments": self.declared}
        else:
            method, path, body = "DELETE", f"/uploads/{self.id}", None
        headers = {"Cookie": self.cookie}
        browser = site.new_browser("ann")
        return site.request(method, path, json=body, ticket=self.ticket, headers=headers, browser=browser).status_int


class _Worker:
    """The state of one process: sites are made once for each application."""

    barrier: ClassVar[Any]
    sites: ClassVar[dict[Application, Site]] = {}

    @classmethod
    def start(cls, barrier: Any) -> None:
        cls.barrier = barrier

    @classmethod
    def make(cls, application: Application, calls: list[_Call]) -> list[int]:
        """Wait for the other processes, then make the calls; return their statuses. Without calls, only wait."""
        site = cls.sites.get(application) or cls.sites.setdefault(application, application.site())
        site.storage.limits()  # the cluster is probed before the race
        cls.barrier.wait(PATIENCE)
        with ThreadPoolExecutor(max(1, len(calls))) as threads:
            return list(threads.map(lambda call: call.make(site), calls))


class Race:
    """As many processes as an upload has calls at most."""

    def __init__(self, pool: ProcessPoolExecutor, size: int, seed: int) -> None:
        self._pool = pool
        self._size = size
        self._random = random.Random(seed)

    def run(self, application: Application, names: Sequence[str], uploads: Sequence[BegunUpload]) -> list[list[int]]:
        """Make these calls for each upload, each call in another process; return the statuses of each upload."""
        made = [[self._call(name, begun, SPREAD[i % len(SPREAD)]) for i, begun in enumerate(uploads)] for name in names]
        made += [[] for _ in range(self._size - len(names))]
        futures = [self._pool.submit(_Worker.make, application, calls) for calls in made]
        statuses = [future.result(PATIENCE) for future in futures][: len(names)]
        return [list(of_one) for of_one in zip(*statuses, strict=True)]

    def _call(self, name: str, begun: BegunUpload, spread: float) -> _Call:
        cookie = "; ".join(f"{c.name}={c.value}" for c in begun.site.browser.cookiejar)
        return _Call(name, begun.id, begun.ticket, cookie, begun.declared, self._random.uniform(0, spread))


@contextmanager
def racing(size: int = 3, seed: int = 1) -> Iterator[Race]:
    """Processes for the calls of a race."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(size)
    with ProcessPoolExecutor(size, context, _Worker.start, (barrier,)) as pool:
        yield Race(pool, size, seed)
