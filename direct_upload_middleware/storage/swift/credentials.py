"""Access by the credentials that openstacksdk finds: ``clouds.yaml`` and ``OS_*`` variables.

Swift's own v1 authentication works too, through the ``v1password`` plugin that python-swiftclient brings.
"""

from __future__ import annotations

import threading
import warnings
from typing import Any

from ...errors import ConfigurationError, DirectUploadError, StorageError, StorageUnavailable
from .client import UNTRUSTED, Login

SERVICE = "object-store"
TIMEOUT = 30
"""Seconds for an answer of the identity service, where the cloud's configuration has no ``api_timeout``."""


class OpenStackAccess:
    """A log-in by openstacksdk.

    :param cloud: a name in ``clouds.yaml``; None takes ``OS_CLOUD``, or ``OS_*``.
    :param public_interface: the catalog's interface for browsers; None takes the application's.
    """

    def __init__(self, cloud: str | None = None, public_interface: str | None = None) -> None:
        self._cloud = cloud
        self._public_interface = public_interface
        self._session: Any = None
        self._options: dict[str, Any] = {}
        self._override: str | None = None
        self._lock = threading.Lock()

    def login(self) -> Login:
        """Return the session's token and the object store's URL. Raise StorageError or StorageUnavailable."""
        openstack, exceptions = _libraries()
        try:
            with self._lock:
                return self._log_in(openstack)
        except (exceptions.ClientException, openstack.exceptions.SDKException) as error:
            raise _explain(error, exceptions) from error

    def _log_in(self, openstack: Any) -> Login:
        if self._session is None:
            self._session, self._options, self._override = _session(openstack, self._cloud)
        session = self._session
        token = session.get_token()
        url = self._override or session.get_endpoint(**self._options)
        public_url = ""
        if self._public_interface:
            public_url = session.get_endpoint(**{**self._options, "interface": self._public_interface})
            if not public_url:
                raise StorageError(NO_INTERFACE.format(self._public_interface))
        if not token:
            raise StorageError("The identity service gave no token for these credentials.")
        if not url:
            raise StorageError(NO_ENDPOINT)
        return Login(token, url.rstrip("/"), session.verify, session.cert, (public_url or "").rstrip("/"))

    def forget(self, token: str) -> None:
        """Get a new token at the next log-in: keystoneauth would go on returning one that was revoked."""
        with self._lock:
            if self._session is not None:
                self._session.invalidate()


NO_CREDENTIALS = (
    "No usable credentials for OpenStack were found: name a cloud of clouds.yaml, or set OS_CLOUD or the OS_* "
    "variables."
)
NO_ENDPOINT = (
    "The catalog has no object store in this region and interface: check region_name and interface in clouds.yaml "
    "(OS_REGION_NAME, OS_INTERFACE), or set object_store_endpoint_override."
)
NO_INTERFACE = "The catalog has no object store with the interface {0!r}: check public_interface in the storage's URL."
NO_PROJECT = (
    "The credentials name no project, so the catalog is empty: set project_name and project_domain_name in clouds.yaml "
    "(OS_PROJECT_NAME, OS_PROJECT_DOMAIN_NAME)."
)
NO_PLUGIN = (
    "The authentication type or one of its options is missing or unknown: check auth_type and auth in clouds.yaml "
    "(OS_AUTH_TYPE); v1password needs python-swiftclient."
)


def _explain(error: Exception, exceptions: Any) -> DirectUploadError:
    """Return the error that names the cause and the remedy. The order counts: some are subclasses of others."""
    cases: tuple[tuple[str, DirectUploadError], ...] = (
        ("SSLFailure", StorageError(UNTRUSTED.format("the identity service"))),
        ("EmptyCatalog", StorageError(NO_PROJECT)),
        ("EndpointNotFound", StorageError(NO_ENDPOINT)),
        ("MissingAuthPlugin", StorageError(NO_CREDENTIALS)),
        ("NoMatchingPlugin", StorageError(NO_PLUGIN)),
        ("MissingRequiredOptions", StorageError(NO_PLUGIN)),
        (
            "Unauthorized",
            StorageError(
                "The identity service refuses the credentials (401): check them, their expiry, and that the user has a "
                "role in the project."
            ),
        ),
        (
            "Forbidden",
            StorageError("The identity service answers 403: the user has no role in the project, or is disabled."),
        ),
        ("NotFound", StorageError("The identity service answers 404: check auth_url, which usually ends with /v3.")),
        ("ConnectionError", StorageUnavailable("The identity service cannot be reached at the moment.")),
        ("RetriableConnectionFailure", StorageUnavailable("The identity service cannot be reached at the moment.")),
        ("HttpServerError", StorageUnavailable("The identity service fails at the moment.")),
        ("TooManyRequests", StorageUnavailable("The identity service asks to try again later.")),
    )
    for name, explained in cases:
        kind = getattr(exceptions, name, None)
        if kind is not None and isinstance(error, kind):
            return explained
    if "ertificate" in str(error):
        return StorageError(UNTRUSTED.format("the identity service"))
    return StorageError(f"{NO_CREDENTIALS} ({type(error).__name__})")


def _session(openstack: Any, cloud: str | None) -> tuple[Any, dict[str, Any], str | None]:
    with warnings.catch_warnings():
        # openstacksdk warns of options that it has by default, and that nobody gave.
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        region = openstack.config.OpenStackConfig().get_one(cloud=cloud)
    options = {"service_type": SERVICE, "interface": region.get_interface(SERVICE) or "public"}
    if region.get_region_name(SERVICE):
        options["region_name"] = region.get_region_name(SERVICE)
    session = region.get_session()
    session.timeout = session.timeout or TIMEOUT
    return session, options, region.config.get("object_store_endpoint_override")


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
