"""What has to be there before the first upload: containers, CORS, keys. It sets itself up on first use.

Everything is idempotent, and several processes may do it at once. What was found is remembered for a while, then looked
at again: so a begin makes no request, and what an operator changes is noticed all the same.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from ...errors import StorageUnavailable
from ...keys import Keys
from ..base import GiB, Limits
from ..temp_urls import Digest
from .capabilities import accepts_container_keys
from .client import SwiftClient
from .headers import ACCOUNT_KEYS, CONTAINER_KEYS

STAGING = ("staging",)
PINNED = ("pinned segments",)
"""What the keys of the shared containers are derived for."""

log = logging.getLogger(__name__)

REMEMBERED_SECONDS = 600
DIGESTS: tuple[Digest, ...] = ("sha256", "sha512", "sha1")
MAX_ORIGINS_BYTES = 256
EXPOSED = "etag x-trans-id last-modified content-length content-range accept-ranges date retry-after"
CORS_MAX_AGE = "86400"

ORIGIN_HEADER = "X-Container-Meta-Access-Control-Allow-Origin"
_ATTEMPTS = 5
MAX_KNOWN_ORIGINS = 100
_KEY_SETTLE_SECONDS = 0.5


def cors_headers(origins: str) -> dict[str, str]:
    """A container's metadata by which pages of ``origins`` (separated by spaces) may use it."""
    return {
        ORIGIN_HEADER: origins,
        "X-Container-Meta-Access-Control-Expose-Headers": EXPOSED,
        "X-Container-Meta-Access-Control-Max-Age": CORS_MAX_AGE,
    }


def with_origin(origins: str, origin: str) -> str:
    """Return ``origins`` with one more. A list of Swift's 256 bytes stays as it is: it must not become ``*``."""
    known = origins.split()
    if not origin or origin in known or "*" in known:
        return origins
    more = " ".join((*known, origin))
    return more if len(more) <= MAX_ORIGINS_BYTES else origins


def free_slot(slots: list[str], wanted: list[str]) -> int | None:
    """Which of two key slots takes the newest of ``wanted`` (newest first); None when it is in one already.

    An empty slot first, then one with a key that no secret of ours makes, then the one with the oldest.
    """
    if wanted[0] in slots:
        return None
    for unwanted in ("", *[key for key in slots if key not in wanted]):
        if unwanted in slots:
            return slots.index(unwanted)
    return max(range(len(slots)), key=lambda slot: wanted.index(slots[slot]))


@dataclass
class ClusterInfo:
    """What is known of the cluster: ``digest`` for temp URLs, ``limits``, the account's key, whether containers may
    have keys of their own, and which origins the shared containers list. ``looked_at`` is by the monotonic clock."""

    digest: Digest
    limits: Limits
    account_key: str
    has_container_keys: bool
    looked_at: float
    origins: set[str] = field(default_factory=set)

    @property
    def is_fresh(self) -> bool:
        return time.monotonic() - self.looked_at < REMEMBERED_SECONDS


class Provisioning:
    """Sets up two shared containers: the final one, and the one that temp URLs write to.

    :param container: the final one.
    :param written: the other.
    :param purpose: of the key that signs the other's temp URLs (see :meth:`~..keys.Keys.derive`).
    """

    def __init__(self, client: SwiftClient, container: str, written: str, purpose: tuple[str, ...]) -> None:
        self._client = client
        self._containers = (container, written)
        self._purpose = purpose
        self._lock = threading.Lock()
        self._cluster: ClusterInfo | None = None

    def cluster_info(self, keys: Keys) -> ClusterInfo:
        """What is known; found out, and set up where it is missing, on first use."""
        cluster = self._cluster
        if cluster is not None and cluster.is_fresh:
            return cluster
        with self._lock:
            if self._cluster is None or not self._cluster.is_fresh:
                self._cluster = self._find_out(keys)
            return self._cluster

    def forget(self) -> None:
        """What is known: it is found out again."""
        with self._lock:
            self._cluster = None

    def allow_origin(self, keys: Keys, origin: str) -> None:
        """Let pages of ``origin`` use the shared containers; "" is none. A full list stays as it is."""
        cluster = self.cluster_info(keys)
        if not origin or origin in cluster.origins:
            return
        with self._lock:
            self._allow_everywhere(cluster, origin)

    def _allow_everywhere(self, cluster: ClusterInfo, origin: str) -> None:
        for container in self._containers:
            self._allow(container, origin)
        if len(cluster.origins) < MAX_KNOWN_ORIGINS:
            cluster.origins.add(origin)

    def mend(self, keys: Keys) -> None:
        """Set everything up again, since somebody has removed something: for all origins that are known here."""
        with self._lock:
            known = self._cluster
            self._cluster = cluster = self._find_out(keys)
            for origin in sorted(known.origins) if known else ():
                self._allow_everywhere(cluster, origin)

    def is_intact(self, keys: Keys, origin: str) -> bool:
        """Whether the container that temp URLs write to is there, with our key, for pages of ``origin``."""
        response = self._client.request("HEAD", self._containers[1], expect=(200, 204, 404))
        headers = response.headers
        listed = headers.get(ORIGIN_HEADER, "")
        has_key = keys.derive(*self._purpose) in [headers.get(name) for name in CONTAINER_KEYS]
        has_key = has_key or not self.cluster_info(keys).has_container_keys
        return response.status_code != 404 and has_key and with_origin(listed, origin) == listed

    def _find_out(self, keys: Keys) -> ClusterInfo:
        info = self._info()
        for container in self._containers:
            if self._client.request("PUT", container, expect=(201, 202)).status_code == 201:
                log.info("container made", extra={"swift_container": container})
        self.put_key(keys)
        digest = best_digest(info)
        account_key = self._account_key()
        own, written = keys.derive(*self._purpose), self._containers[1]
        cluster = ClusterInfo(
            digest=digest,
            limits=_limits(info),
            account_key=account_key,
            has_container_keys=accepts_container_keys(self._client, written, own, account_key, digest),
            looked_at=time.monotonic(),
        )
        self._warn(cluster)
        return cluster

    def _warn(self, cluster: ClusterInfo) -> None:
        host = self._client.host
        if cluster.digest == "sha1":
            _warn_of_sha1(host)
        if not cluster.has_container_keys:
            _warn_of_missing_keys(host)

    def _info(self) -> Any:
        """Swift's capabilities; empty where the provider does not tell them."""
        parts = urlsplit(self._client.storage_url)
        prefix = parts.path.partition("/v1")[0]
        url = f"{parts.scheme}://{parts.netloc}{prefix}/info"
        response = self._client.request("GET", url=url, expect=(200, 401, 403, 404))
        try:
            return response.json() if response.status_code == 200 else {}
        except ValueError:
            return {}

    def put_key(self, keys: Keys) -> bool:
        """See that the container that is written to has the newest key, beside the one before. False: it had it."""
        wanted, container = keys.derive_all(*self._purpose), self._containers[1]
        headers = self._client.request("HEAD", container, expect=(200, 204)).headers
        slots = [headers.get(name, "") for name in CONTAINER_KEYS]
        if any(key and key not in wanted for key in slots):
            _warn_of_unknown_key(container)
        slot = free_slot(slots, wanted)
        if slot is None:
            return False
        self._client.request("POST", container, headers={CONTAINER_KEYS[slot]: wanted[0]}, expect=(201, 202, 204))
        log.info("temp URL key put", extra={"swift_container": container})
        return True

    def _account_key(self) -> str:
        """The key that signs downloads: one that the account has, else a new one."""
        for _ in range(2):
            headers = self._client.request("HEAD", expect=(200, 204)).headers
            for name in ACCOUNT_KEYS:
                if headers.get(name):
                    return str(headers[name])
            # Random, so that no secret opens the account, neither an old one nor a guessed one.
            self._client.request("POST", headers={ACCOUNT_KEYS[0]: secrets.token_hex(32)}, expect=(201, 202, 204))
            time.sleep(_KEY_SETTLE_SECONDS)  # another process that stores its own at the same moment may win
        raise StorageUnavailable("The account does not keep a temp URL key.")

    def _allow(self, container: str, origin: str) -> None:
        """Add the origin, and look whether another process that did the same has overwritten it."""
        for _ in range(_ATTEMPTS):
            headers = self._client.request("HEAD", container, expect=(200, 204)).headers
            present = headers.get(ORIGIN_HEADER, "")
            wanted = with_origin(present, origin)
            if wanted == present:
                if origin not in wanted.split() and "*" not in wanted.split():
                    _warn_of_full_list(container)
                return
            self._client.request("POST", container, headers=cors_headers(wanted), expect=(201, 202, 204))
            log.info(
                "pages of an origin may use a container", extra={"swift_container": container, "swift_origin": origin}
            )


@cache
def _warn_of_full_list(container: str) -> None:
    """Warn once for each container."""
    log.warning(
        "the list of origins that may use %s is full: set the option origins, and remove others with a POST to %s",
        container,
        ORIGIN_HEADER,
        extra={"swift_container": container},
    )


@cache
def _warn_of_unknown_key(container: str) -> None:
    """Warn once for each container."""
    log.warning(
        "%s still has a temp URL key that no secret of the list has made: rotate-key --finish removes it",
        container,
        extra={"swift_container": container},
    )


@cache
def _warn_of_sha1(host: str) -> None:
    """Once for each cluster."""
    log.warning("%s allows temp URLs to be signed with SHA-1 only; ask its operator for SHA-256", host)


@cache
def _warn_of_missing_keys(host: str) -> None:
    """Once for each cluster."""
    log.warning(
        "%s heeds no temp URL keys of containers: with seal='pin' uploads are signed with the account's key, with "
        "seal='revoke' there are none",
        host,
    )


def best_digest(info: Any) -> Digest:
    """The best digest for temp URLs that the cluster allows; SHA-1 is all that old ones know."""
    allowed: Iterable[str] = info.get("tempurl", {}).get("allowed_digests", ["sha1"])
    return next((digest for digest in DIGESTS if digest in allowed), "sha1")


def _limits(info: Any) -> Limits:
    return Limits(
        max_segments=min(info.get("slo", {}).get("max_manifest_segments", 1000), 1000),
        max_segment_size=min(info.get("swift", {}).get("max_file_size", 5 * GiB), 5 * GiB),
    )
