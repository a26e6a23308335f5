"""One Swift HTTP client for every provider: who they are is an :class:`Access`, all else is the same.

It keeps a pool of connections, limits the time of every call, repeats what is safe to repeat (every request that the
storages make is), renews the token on 401, once for all threads, and learns how far Swift's clock is from ours.
"""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

import requests
from requests.adapters import HTTPAdapter

from ...errors import StorageError, StorageUnavailable
from ..redaction import signatures_kept_out_of_logs

log = logging.getLogger(__name__)

CONNECT_TIMEOUT = 10
READ_TIMEOUT = 60
ATTEMPTS = 4
PATIENCE = 20.0
"""Seconds after which nothing is tried again: whoever waits for us can better do that himself."""
POOL_SIZE = 32
LONGEST_WAIT = 5.0

AGAIN = frozenset({408, 409, 425, 429, 498, 500, 502, 503, 504})
"""Statuses that may pass. 409: another request changes the same thing just now."""


@dataclass(frozen=True, slots=True)
class Login:
    """A token, and the account's URL that it is for (without a slash at its end).

    ``verify`` is how the server's certificate is checked, as requests has it: True, False, or a bundle of authorities.
    ``cert`` is the client's own: a file, or a pair of certificate and key.
    """

    token: str
    storage_url: str
    verify: bool | str = True
    cert: str | tuple[str, str] | None = None


class Access(Protocol):
    """How the token is had: the only thing in which providers differ."""

    def login(self) -> Login:
        """The present token, or a new one. Raises StorageError (refused) or StorageUnavailable."""

    def forget(self, token: str) -> None:
        """Swift refuses this token: the next :meth:`login` is to get a new one."""


class SwiftClient:
    """Requests to one account. Threads may share it."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._lock = threading.Lock()
        self._login: Login | None = None
        self._session: requests.Session | None = None
        self._pid = 0
        self._skew = 0.0

    @property
    def storage_url(self) -> str:
        """The account's URL. The first time, it logs in."""
        return self._current_login().storage_url

    @property
    def host(self) -> str:
        """Where the account is, with its port: what logs call the cluster."""
        return urlsplit(self.storage_url).netloc

    def now(self) -> int:
        """The time by Swift's clock, in Unix seconds, as far as its last answer told."""
        return int(time.time() + self._skew)

    def request(
        self,
        method: str,
        *path: str,
        expect: Collection[int],
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        data: bytes | Iterable[bytes] | None = None,
        url: str | None = None,
        anonymous: bool = False,
        attempts: int = ATTEMPTS,
    ) -> requests.Response:
        """The answer, whole, when its status is one of ``expect``.

        :param path: container and object, not quoted; nothing for the account.
        :param url: another URL of the same server, instead of the path.
        :param anonymous: without the token, as a browser sends it.
        :param attempts: how often it is tried at most: once, where a second try could not tell what the first has done.
        :raises StorageUnavailable: no answer, or only such as ask to try again.
        :raises StorageError: any other status.
        """
        renewed = False
        begin = time.monotonic()
        for attempt in range(1, attempts + 1):
            login = self._current_login()
            sender = replace(login, token="") if anonymous else login
            response = self._try(method, url or self.url(login, *path), sender, params, headers, data)
            story = _story(method, path, response, attempt, begin)
            if response is not None and response.status_code in expect:
                if attempt > 1:
                    log.info("Swift answered after all", extra=story)
                return response
            if response is not None and response.status_code == 401 and not renewed:
                renewed = True
                self._renew(login)
                continue
            if response is not None and response.status_code not in AGAIN:
                raise StorageError(f"Swift answered {response.status_code} to {method} of {_kind(path)}.")
            if attempt == attempts or time.monotonic() - begin > PATIENCE:
                break
            log.info("Swift is asked again", extra=story)
            _wait(attempt, response)
        log.warning("Swift was given up", extra=story)
        raise StorageUnavailable

    @staticmethod
    def url(login: Login, *path: str) -> str:
        """The URL of the account, a container or an object."""
        return "/".join((login.storage_url, *(quote(part, safe="/") for part in path)))

    def _try(
        self,
        method: str,
        url: str,
        login: Login,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        data: bytes | Iterable[bytes] | None,
    ) -> requests.Response | None:
        """One try; None when there was no whole answer."""
        sent = {**({"X-Auth-Token": login.token} if login.token else {}), **(headers or {})}
        before = time.time()
        try:
            with _log_of(login):
                response = self._pool().request(
                    method,
                    url,
                    params=params,
                    headers={name: value.encode() for name, value in sent.items()},
                    data=data,
                    timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
                    allow_redirects=False,
                    verify=login.verify,
                    cert=login.cert,
                )
        except requests.RequestException as error:
            log.warning("no answer from Swift", extra={"swift_method": method, "swift_error": type(error).__name__})
            return None
        self._learn_skew(response, before)
        return response

    def _pool(self) -> requests.Session:
        """The connections of this process: a forked one must not use its parent's."""
        if self._session is None or self._pid != os.getpid():
            session = requests.Session()
            session.auth = _no_other_credentials
            adapter = HTTPAdapter(pool_connections=4, pool_maxsize=POOL_SIZE)
            session.mount("http://", adapter)
            session.mount("https://", adapter)
            self._session, self._pid = session, os.getpid()
        return self._session

    def _learn_skew(self, response: requests.Response, before: float) -> None:
        """From an answer's ``Date``, whose seconds are whole: on average half a second has passed since."""
        try:
            date = parsedate_to_datetime(response.headers.get("Date", "")).timestamp()
        except (TypeError, ValueError):
            return
        self._skew = date + 0.5 - (before + time.time()) / 2

    def _current_login(self) -> Login:
        login = self._login
        if login is not None:
            return login
        with self._lock:
            if self._login is None:
                self._login = self._access.login()
                log.info("logged in to Swift", extra={"swift_host": urlsplit(self._login.storage_url).netloc})
            return self._login

    def _renew(self, refused: Login) -> None:
        """A new token, unless another thread has already got one."""
        with self._lock:
            if self._login is refused:
                log.info("Swift refuses the token", extra={"swift_host": urlsplit(refused.storage_url).netloc})
                self._access.forget(refused.token)
                self._login = None


def _log_of(sender: Login) -> AbstractContextManager[None]:
    """Who sends no token sends a temp URL, whose signature other libraries would log."""
    return nullcontext() if sender.token else signatures_kept_out_of_logs()


def _no_other_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Proxies and authorities are taken from the environment, but no password from a ``.netrc``."""
    return request


def _wait(attempt: int, response: requests.Response | None) -> None:
    """Back off exponentially with full jitter, or as long as Swift says, within reason."""
    seconds = random.uniform(0, 0.2 * 2**attempt)  # noqa: S311  no secret
    asked = response.headers.get("Retry-After", "") if response is not None else ""
    time.sleep(min(float(asked), LONGEST_WAIT) if asked.isdecimal() else seconds)


def _story(
    method: str, path: tuple[str, ...], response: requests.Response | None, attempt: int, begin: float
) -> dict[str, object]:
    """What is logged of a request that needed more than one try."""
    return {
        "swift_method": method,
        "swift_what": _kind(path),
        "swift_status": response.status_code if response is not None else None,
        "swift_retries": attempt - 1,
        "swift_seconds": round(time.monotonic() - begin, 3),
    }


def _kind(path: tuple[Any, ...]) -> str:
    return ("the account", "a container", "an object")[min(len(path), 2)]
