"""Rackspace Cloud Files. pyrax logs in and reads the catalog; the Swift client does everything else.

Credentials come from the arguments, from ``RACKSPACE_USERNAME`` and ``RACKSPACE_API_KEY``, or from the section
``[rackspace_cloud]`` of pyrax's own files, ``~/.pyrax.cfg`` and ``~/.rackspace_cloud_credentials``.
"""

from __future__ import annotations

import configparser
import os
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ...errors import ConfigurationError, StorageError, StorageUnavailable
from ..swift import storage as swift
from ..swift.client import Login
from .pyrax_import import import_identity

AUTH_ENDPOINT = "https://identity.api.rackspacecloud.com/v2.0/"
TIMEOUT = (10, 60)  # seconds, to connect and to answer; pyrax has none
RENEW_BEFORE = timedelta(minutes=5)
_FILES = ("~/.pyrax.cfg", "~/.rackspace_cloud_credentials")
_SECTION = "rackspace_cloud"


class RackspaceStorage(swift.SwiftStorage):
    """Uploads in Cloud Files.

    :param region: the name of a region (``"ORD"``), by default the one in ``~/.pyrax.cfg``.
    :param internal: use the address inside Rackspace's network, for the application *and the browsers*.
    """

    def __init__(
        self, container: str, *, region: str | None = None, internal: bool = False, **credentials: Any
    ) -> None:
        super().__init__(container, access=RackspaceAccess(region=region, internal=internal, **credentials))

    def __repr__(self) -> str:
        return f"RackspaceStorage({self.container!r})"


@dataclass(frozen=True, slots=True)
class _Credentials:
    username: str
    api_key: str
    region: str


class RackspaceAccess:
    """Logs in through pyrax. Threads may share it; pyrax's global state is not used.

    :param auth_endpoint: the URL of the identity service, with ``/v2.0/``.
    """

    def __init__(
        self,
        *,
        region: str | None = None,
        internal: bool = False,
        username: str | None = None,
        api_key: str | None = None,
        auth_endpoint: str = AUTH_ENDPOINT,
    ) -> None:
        self._given = {"region": region, "username": username, "api_key": api_key}
        self._kind = "private" if internal else "public"
        self._auth_endpoint = auth_endpoint
        self._lock = threading.Lock()
        self._login: Login | None = None
        self._expires = datetime.min.replace(tzinfo=UTC)

    def login(self) -> Login:
        """Return the present token; log in again when it expires within five minutes."""
        with self._lock:
            if self._login is None or datetime.now(UTC) > self._expires - RENEW_BEFORE:
                self._login, self._expires = self._log_in()
            return self._login

    def forget(self, token: str) -> None:
        """Log in again next time, since Swift refuses this token."""
        with self._lock:
            if self._login is not None and self._login.token == token:
                self._login = None

    def _log_in(self) -> tuple[Login, datetime]:
        credentials = _find(self._given)
        identity = _identity_class()(
            username=credentials.username, api_key=credentials.api_key, auth_endpoint=self._auth_endpoint
        )
        try:
            identity.log_in()
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise StorageError("Rackspace's identity service gave an answer that cannot be read.") from error
        url = self._endpoint(identity, credentials.region)
        return Login(identity.token, url.rstrip("/")), identity.expires.replace(tzinfo=UTC)

    def _endpoint(self, identity: Any, region: str) -> str:
        service = identity.services.get("object_store")
        endpoints = dict(service.endpoints) if service is not None else {}
        endpoint = endpoints.get(region.upper())
        url = endpoint.get(self._kind) if endpoint is not None else None
        if not url:
            known = ", ".join(sorted(endpoints)) or "none"
            raise ConfigurationError(f"storage: Cloud Files has no region {region.upper()!r}; known: {known}")
        return str(url)


def _identity_class() -> type[Any]:
    """Return pyrax's identity class with timeouts, and without its fallback to a password after any refusal."""
    import requests

    rax_identity = import_identity()

    class Identity(rax_identity):  # type: ignore[misc,valid-type]
        def log_in(self) -> None:
            self._creds_style = "apikey"
            super(rax_identity, self).authenticate()

        def _call(self, method: str, uri: str, admin: bool, data: Any, headers: Any, std_headers: bool) -> Any:
            url = f"{self.auth_endpoint.rstrip('/')}/{uri}"
            try:
                response = requests.request(method, url, json=data, headers=headers, timeout=TIMEOUT)
            except requests.RequestException as error:
                raise StorageUnavailable("Rackspace's identity service cannot be reached at the moment.") from error
            if response.status_code in (413, 429) or response.status_code >= 500:  # 413: over the limit of requests
                raise StorageUnavailable("Rackspace's identity service asks to try again later.")
            if response.status_code >= 400:
                raise StorageError("Rackspace's identity service refuses the credentials.")
            return response, response.json()

    return Identity


def _find(given: dict[str, str | None]) -> _Credentials:
    files = configparser.ConfigParser(interpolation=None)
    try:
        files.read([Path(name).expanduser() for name in _FILES], encoding="utf-8")
    except configparser.Error as error:
        raise ConfigurationError(f"storage: {' or '.join(_FILES)} cannot be read") from error
    section = files[_SECTION] if files.has_section(_SECTION) else {}
    settings = files["settings"] if files.has_section("settings") else {}
    username = given["username"] or os.environ.get("RACKSPACE_USERNAME") or section.get("username")
    api_key = given["api_key"] or os.environ.get("RACKSPACE_API_KEY") or section.get("api_key")
    region = given["region"] or os.environ.get("RACKSPACE_REGION") or section.get("region") or settings.get("region")
    if not username or not api_key:
        raise ConfigurationError("storage: set RACKSPACE_USERNAME and RACKSPACE_API_KEY, or write ~/.pyrax.cfg")
    if not region:
        raise ConfigurationError("storage: name the region: rackspace://CONTAINER?region=ORD")
    return _Credentials(username, api_key, region)
