"""The HTTP client for Swift. Providers differ only in how they log in: each has an :class:`Access` of its own.

It pools connections, limits the time of every request, retries (every request of the storages may be repeated), renews
the token on 401 once for all threads, and measures the difference between Swift's clock and ours.
"""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
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
"""Seconds after which nothing is retried: after this, the caller retries."""
NO_ROLE = (
    "The user may not manage this account: give the user one of Swift's operator_roles in the project (by default "
    "admin or swiftoperator). Access lists of single containers do not suffice."
)
UNTRUSTED = (
    "The certificate of {} is not trusted. Name its authority as cacert in clouds.yaml (or OS_CACERT, "
    "REQUESTS_CA_BUNDLE)."
)
POOL_SIZE = 32
LONGEST_WAIT = 5.0

AGAIN = frozenset({408, 409, 425, 429, 498, 500, 502, 503, 504})
"""Statuses that are retried. 409: another request changes the same object at this moment."""


@dataclass(frozen=True, slots=True)
class Login:
    """A token and the URL of its account, without a slash at the end.

    ``verify`` says how the server's certificate is checked, as in requests: True, False, or a bundle of authorities.
    ``cert`` is the client's certificate: a file, or a pair of certificate and key. ``public_url`` is the account's URL
    for browsers, where it differs.
    """

    token: str = field(repr=False)
    storage_url: str
    verify: bool | str = True
    cert: str | tuple[str, str] | None = None
    public_url: str = ""


class Access(Protocol):
    """A way to log in. Providers differ in nothing else."""

    def login(self) -> Login:
        """Return the current token, or a new one. Raise StorageError (refused) or StorageUnavailable."""

    def forget(self, token: str) -> None:
        """Drop a token that Swift refuses: the next :meth:`login` gets a new one."""


class SwiftClient:
    """A client for one account. Threads may share it."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._lock = threading.Lock()
        self._login: Login | None = None
        self._session: requests.Session | None = None
        self._pid = 0
        self._skew = 0.0

    def login(self) -> Login:
        """Return the current token and URLs. The first call logs in."""
        login = self._login
        if login is not None:
            return login
        with self._lock:
            if self._login is None:
                self._login = self._access.login()
                log.info("logged in to Swift", extra={"swift_host": urlsplit(self._login.storage_url).netloc})
            return self._login

    def public_url(self) -> str:
        """Return the account's URL for browsers. May log in."""
        login = self.login()
        return login.public_url or login.storage_url

    def host(self) -> str:
        """Return the account's host and port, which logs call the cluster. May log in."""
        return urlsplit(self.login().storage_url).netloc

    def now(self) -> int:
        """Return the time by Swift's clock, in Unix seconds, according to its last answer."""
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
        """Send a request and return its complete answer, when the status is one of ``expect``.

        :param path: container and object, unquoted; nothing for the account.
        :param url: another URL of the same server, instead of the path.
        :param anonymous: send no token, as a browser does.
        :param attempts: the most attempts.
        :raises StorageUnavailable: no answer, or only answers that ask for a retry.
        :raises StorageError: any other status, an answer that is not Swift's, or a certificate that is not trusted.
        """
        renewed = False
        begin = time.monotonic()
        for attempt in range(1, attempts + 1):
            login = self.login()
            sender = replace(login, token="") if anonymous else login
            response = self._try(method, url or self.url(login, *path), sender, params, headers, data)
            details = _log_details(method, path, response, attempt, begin)
            if response is not None and response.status_code in expect:
                _check_origin(response, method)
                if attempt > 1:
                    log.info("Swift request succeeded after a retry", extra=details)
                return response
            if response is not None and response.status_code == 401 and not renewed:
                renewed = True
                self._renew(login)
                continue
            if response is not None and response.status_code not in AGAIN:
                raise StorageError(_refusal(response.status_code, method, path))
            if attempt == attempts or time.monotonic() - begin > PATIENCE:
                break
            log.info("Swift request is retried", extra=details)
            _wait(attempt, response)
        log.warning("Swift request failed after %d attempts", attempt, extra=details)
        raise StorageUnavailable

    @staticmethod
    def url(login: Login, *path: str) -> str:
        """Return the URL of the account, a container or an object."""
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
        """Send the request once. Return None without a complete answer. Raise StorageError for a certificate."""
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
        except requests.exceptions.SSLError as error:
            raise StorageError(UNTRUSTED.format("Swift")) from error
        except requests.RequestException as error:
            log.warning("Swift did not answer", extra={"swift_method": method, "swift_error": type(error).__name__})
            return None
        self._learn_skew(response, before)
        return response

    def _pool(self) -> requests.Session:
        """Return the connections of this process: a forked one must not use its parent's."""
        if self._session is None or self._pid != os.getpid():
            session = requests.Session()
            session.auth = _no_other_credentials
            adapter = HTTPAdapter(pool_connections=4, pool_maxsize=POOL_SIZE)
            session.mount("http://", adapter)
            session.mount("https://", adapter)
            self._session, self._pid = session, os.getpid()
        return self._session

    def _learn_skew(self, response: requests.Response, before: float) -> None:
        """Read an answer's ``Date``. It has whole seconds: on average it is half a second old."""
        try:
            date = parsedate_to_datetime(response.headers.get("Date", "")).timestamp()
        except (TypeError, ValueError):
            return
        self._skew = date + 0.5 - (before + time.time()) / 2

    def _renew(self, refused: Login) -> None:
        """Get a new token at the next request, unless another thread has got one."""
        with self._lock:
            if self._login is refused:
                log.info("Swift refuses the token", extra={"swift_host": urlsplit(refused.storage_url).netloc})
                self._access.forget(refused.token)
                self._login = None


def _log_of(sender: Login) -> AbstractContextManager[None]:
    """Return a context that keeps signatures out of logs: a request without a token has a temp URL."""
    return nullcontext() if sender.token else signatures_kept_out_of_logs()


def _no_other_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Add no credentials: requests would take a password from a ``.netrc``."""
    return request


def _check_origin(response: requests.Response, method: str) -> None:
    """Raise StorageError where a HEAD was answered by a proxy in front of Swift: existence is read from its status."""
    if method == "HEAD" and response.ok and "X-Timestamp" not in response.headers:
        raise StorageError(
            "Storage gave an answer that cannot be read: the X-Timestamp header is missing. A proxy in front of it may "
            "have changed it."
        )


def _wait(attempt: int, response: requests.Response | None) -> None:
    """Back off exponentially with full jitter, or as long as Swift says, up to a limit."""
    seconds = random.uniform(0, 0.2 * 2**attempt)  # noqa: S311  no secret
    asked = response.headers.get("Retry-After", "") if response is not None else ""
    time.sleep(min(float(asked), LONGEST_WAIT) if asked.isdecimal() else seconds)


def _log_details(
    method: str, path: tuple[str, ...], response: requests.Response | None, attempt: int, begin: float
) -> dict[str, object]:
    """Return what is logged about a request that needed more than one attempt."""
    return {
        "swift_method": method,
        "swift_what": _kind(path),
        "swift_status": response.status_code if response is not None else None,
        "swift_retries": attempt - 1,
        "swift_seconds": round(time.monotonic() - begin, 3),
    }


def _refusal(status: int, method: str, path: tuple[str, ...]) -> str:
    text = f"Swift answered {status} to {method} of {_kind(path)}."
    if status == 401:
        return f"{text} The token was refused: check the credentials and Swift's authentication middleware."
    if status == 403:
        return f"{text} {NO_ROLE}"
    return text


def _kind(path: tuple[Any, ...]) -> str:
    return ("the account", "a container", "an object")[min(len(path), 2)]
