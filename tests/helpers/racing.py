"""Calls for one upload at the same moment, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
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
"""Seconds in which the calls of a round begin, in turn: some interleave early, others late."""


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


class _Worker:
    """The state of one process: sites are made once for each application."""

    barrier: ClassVar[Any]
    sites: ClassVar[dict[Application, Site]] = {}

    @classmethod
    def start(cls, barrier: Any) -> None:
        cls.barrier = barrier

    @classmethod
    def call(cls, application: Application, call: str, begun: tuple[str, str, str, list[Any]], delay: float) -> int:
        """Wait for the others, then make the call; return its status. A call of "" only waits."""
        id, ticket, cookie, declared = begun
        site = cls.sites.get(application) or cls.sites.setdefault(application, application.site())
        if site.storage.limits():  # the cluster is probed before the race
            cls.barrier.wait(PATIENCE)
        time.sleep(delay)
        if call == "complete":
            method, path, body = "POST", f"/uploads/{id}/complete", {"segments": declared}
        elif call == "abort":
            method, path, body = "DELETE", f"/uploads/{id}", None
        else:
            return 0
        answer = site.request(method, path, json=body, ticket=ticket, headers={"Cookie": cookie})
        return int(answer.status_int)


class Race:
    """As many processes as a round has calls at most."""

    def __init__(self, pool: ProcessPoolExecutor, size: int, seed: int) -> None:
        self._pool = pool
        self._size = size
        self._random = random.Random(seed)
        self._round = 0

    def run(self, application: Application, calls: Sequence[str], begun: BegunUpload) -> list[int]:
        """Make the calls at the same moment; return their statuses."""
        spread = SPREAD[self._round % len(SPREAD)]
        self._round += 1
        cookie = "; ".join(f"{c.name}={c.value}" for c in begun.site.browser.cookiejar)
        state = (begun.id, begun.ticket, cookie, begun.declared)
        padded = [*calls, *[""] * (self._size - len(calls))]
        delays = [self._random.uniform(0, spread) for _ in padded]
        futures = [
            self._pool.submit(_Worker.call, application, call, state, delay)
            for call, delay in zip(padded, delays, strict=True)
        ]
        return [future.result(PATIENCE) for future in futures][: len(calls)]


@contextmanager
def racing(size: int = 3, seed: int = 1) -> Iterator[Race]:
    """Processes for the calls of a race."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(size)
    with ProcessPoolExecutor(size, context, _Worker.start, (barrier,)) as pool:
        yield Race(pool, size, seed)
