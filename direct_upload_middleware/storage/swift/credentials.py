"""Access by the credentials that openstacksdk finds: ``clouds.yaml`` and ``OS_*`` variables.

Swift's own v1 authentication works too, through the ``v1password`` plugin that python-swiftclient brings.
"""

from __future__ import annotations

import threading
import warnings
from typing import Any

from ...errors import ConfigurationError, StorageError, StorageUnavailable
from .client import Login

SERVICE = "object-store"
TIMEOUT = 30
"""Seconds for an answer of the identity service, where the cloud's configuration gives no ``api_timeout``."""


class OpenStackAccess:
    """A log-in by openstacksdk. ``cloud`` is a name in ``clouds.yaml``; None takes ``OS_CLOUD``, or ``OS_*``."""

    def __init__(self, cloud: str | None = None) -> None:
        self._cloud = cloud
        self._session: Any = None
        self._options: dict[str, Any] = {}
        self._lock = threading.Lock()

    def login(self) -> Login:
        """The session's token and the object store's public URL. Raises StorageError or StorageUnavailable."""
        openstack, exceptions = _libraries()
        try:
            with self._lock:
                if self._session is None:
                    self._session, self._options = _session(openstack, self._cloud)
                token = self._session.get_token()
                url = self._session.get_endpoint(**self._options)
        except exceptions.MissingAuthPlugin as error:
            raise StorageError(_HINT) from error
        except (
            exceptions.ConnectionError,
            exceptions.RetriableConnectionFailure,
            exceptions.HttpServerError,
            exceptions.TooManyRequests,
        ) as error:
            raise StorageUnavailable("The identity service cannot be reached at the moment.") from error
        except exceptions.Unauthorized as error:
            raise StorageError("The identity service refuses the credentials.") from error
        except (exceptions.ClientException, openstack.exceptions.SDKException) as error:
            raise StorageError(f"{_HINT} ({type(error).__name__})") from error
        if not token or not url:
            raise StorageError("The identity service knows no object store for these credentials.")
        return Login(token, url.rstrip("/"), self._session.verify, self._session.cert)

    def forget(self, token: str) -> None:
        """Ask for a new token the next time: keystoneauth goes on giving a token that was revoked."""
        with self._lock:
            if self._session is not None:
                self._session.invalidate()


_HINT = "No usable credentials for OpenStack were found: give a cloud of clouds.yaml, or OS_* variables."


def _session(openstack: Any, cloud: str | None) -> tuple[Any, dict[str, Any]]:
    with warnings.catch_warnings():
        # openstacksdk warns of options that it has by default, and that nobody gave.
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        region = openstack.config.OpenStackConfig().get_one(cloud=cloud)
    options = {"service_type": SERVICE, "interface": region.get_interface(SERVICE) or "public"}
    if region.get_region_name(SERVICE):
        options["region_name"] = region.get_region_name(SERVICE)
    session = region.get_session()
    session.timeout = session.timeout or TIMEOUT
    return session, options


def _libraries() -> tuple[Any, Any]:
    try:
        import openstack
        import openstack.config
        from keystoneauth1 import exceptions
    except ImportError as error:
        raise ConfigurationError(
            "swift:// storage needs openstacksdk: pip install 'direct-upload-middleware[swift]'"
        ) from error
    return openstack, exceptions
