"""The requirements of an upload: containers, CORS metadata and temp URL keys. They are created on first use.

Every step may be repeated, and several processes may take it at once. What was read is cached for a while, then read
again: so a begin sends no request, and what an operator changes is noticed all the same.

A stale replica answers without metadata that exist. So absence in one answer is never taken as proof: before anything
is written that could replace it, several answers are read.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from ....errors import StorageUnavailable
from ....keys import Keys
from ...base import GiB, Limits
from ...temp_urls import Digest
from ..client import SwiftClient
from ..headers import CONTAINER_KEYS, NEWEST, ORIGIN_HEADER
from .capabilities import CAPABILITIES, Capabilities, CapabilityCache, choose_digest, probe, read_info
from .metadata import (
    cors_headers,
    find_account_key,
    put_account_key,
    put_container_key,
    read_origins,
    with_origin,
)

STAGING = ("staging",)
PINNED = ("pinned segments",)
"""The purposes that the keys of the shared containers are derived for."""

log = logging.getLogger(__name__)

CACHE_SECONDS = 600

_ATTEMPTS = 5
MAX_KNOWN_ORIGINS = 100
_KEY_SETTLE_SECONDS = 0.5


@dataclass
class ClusterInfo:
    """The known properties of a cluster.

    ``digest`` is for temp URLs, ``account_key`` signs downloads, ``origins`` are those that the shared containers list,
    ``read_at`` is when this was read, by the monotonic clock.
    """

    digest: Digest
    limits: Limits
    account_key: str = field(repr=False)
    capabilities: Capabilities
    read_at: float
    origins: set[str] = field(default_factory=set)

    def is_fresh(self) -> bool:
        """Return whether this need not be read again."""
        return time.monotonic() - self.read_at < CACHE_SECONDS


class Provisioning:
    """Provisions the shared containers: the final one, staging, and the one that temp URLs write to.

    :param container: the final one.
    :param written: the one that temp URLs write to.
    :param staging: the one with the tombstones.
    :param purpose: of the key that signs temp URLs for ``written`` (see :meth:`~..keys.Keys.derive`).
    """

    def __init__(
        self,
        client: SwiftClient,
        container: str,
        written: str,
        staging: str,
        purpose: tuple[str, ...],
        capabilities: CapabilityCache,
    ) -> None:
        self._client = client
        self._cors_containers = (container, written)
        self._containers = tuple(dict.fromkeys((container, written, staging)))
        self._written = written
        self._purpose = purpose
        self._capabilities = capabilities
        self._lock = threading.Lock()
        self._cluster: ClusterInfo | None = None

    def cluster_info(self, keys: Keys) -> ClusterInfo:
        """Return what is known of the cluster. The first call reads it, and makes what is missing."""
        cluster = self._cluster
        if cluster is not None and cluster.is_fresh():
            return cluster
        with self._lock:
            if self._cluster is None or not self._cluster.is_fresh():
                self._cluster = self._read(keys)
            return self._cluster

    def forget(self) -> None:
        """Drop what is known: it is read again."""
        with self._lock:
            self._cluster = None

    def allow_origin(self, keys: Keys, origin: str) -> None:
        """Let pages of ``origin`` use the shared containers, unless it is "". A full list stays as it is."""
        cluster = self.cluster_info(keys)
        if not origin or origin in cluster.origins:
            return
        with self._lock:
            self._allow_everywhere(cluster, origin)

    def _allow_everywhere(self, cluster: ClusterInfo, origin: str) -> None:
        for container in self._cors_containers:
            self._allow(container, origin)
        if len(cluster.origins) < MAX_KNOWN_ORIGINS:
            cluster.origins.add(origin)

    def repair(self, keys: Keys) -> None:
        """Make what an operator has removed, for every origin known."""
        with self._lock:
            origins = self._cluster.origins if self._cluster is not None else set()
            self._cluster = self._read(keys)
            for origin in sorted(origins):
                self._allow_everywhere(self._cluster, origin)

    def is_intact(self, keys: Keys, origin: str) -> bool:
        """Return whether the container that temp URLs write to has a key of ours and lists ``origin``."""
        response = self._client.request("HEAD", self._written, headers=NEWEST, expect=(200, 204, 404))
        listed = response.headers.get(ORIGIN_HEADER, "")
        slots = [response.headers.get(name) for name in CONTAINER_KEYS]
        has_key = keys.derive(*self._purpose) in slots
        has_key = has_key or not self.cluster_info(keys).capabilities.has_container_keys
        return response.status_code != 404 and has_key and with_origin(listed, origin) == listed

    def _read(self, keys: Keys) -> ClusterInfo:
        info = read_info(self._client) or {}
        for container in self._containers:
            if self._client.request("PUT", container, expect=(201, 202)).status_code == 201:
                log.info("container created", extra={"swift_container": container})
        put_container_key(self._client, self._written, self._purpose, keys)
        account_key = self._account_key()
        digest = choose_digest(self._client, info, account_key, self._cors_containers[0])
        capabilities = self._capabilities.get(
            lambda: probe(self._client, self._written, keys.derive(*self._purpose), account_key, digest)
        )
        self._warn(digest, capabilities)
        return ClusterInfo(digest, limits(info), account_key, capabilities, time.monotonic())

    def _warn(self, digest: Digest, capabilities: Capabilities) -> None:
        host = self._client.host()
        if digest == "sha1":
            _warn_of_sha1(host)
        for capability in CAPABILITIES:
            if not getattr(capabilities, capability.field):
                _warn_of_capability(host, capability.name, f"{capability.missing}. {capability.remedy}")

    def _account_key(self) -> str:
        """Return the key that signs downloads: one that the account has, or a new one."""
        for _ in range(2):
            if key := find_account_key(self._client):
                return key
            put_account_key(self._client)
            time.sleep(_KEY_SETTLE_SECONDS)  # another process that stores its own at the same moment may win
        raise StorageUnavailable("The account does not keep a temp URL key.")

    def _allow(self, container: str, origin: str) -> None:
        """Add an origin, and check whether another process that did the same has overwritten it."""
        for _ in range(_ATTEMPTS):
            present = read_origins(self._client, container, origin)
            wanted = with_origin(present, origin)
            if wanted == present:
                if origin not in wanted.split() and "*" not in wanted.split():
                    _warn_of_full_list(container)
                return
            self._client.request("POST", container, headers=cors_headers(wanted), expect=(201, 202, 204))
            log.info("origin allowed", extra={"swift_container": container, "swift_origin": origin})


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
def _warn_of_sha1(host: str) -> None:
    """Warn once for each cluster."""
    log.warning("%s allows temp URLs to be signed with SHA-1 only; ask its operator for SHA-256", host)


@cache
def _warn_of_capability(host: str, name: str, text: str) -> None:
    """Warn once for each cluster and capability."""
    log.warning(
        "%s lacks the capability %s: %s", host, name, text, extra={"swift_host": host, "swift_capability": name}
    )


def limits(info: Mapping[str, Any]) -> Limits:
    """Return the limits of one upload that ``/info`` gives."""
    return Limits(
        max_segments=min(_number(info, "slo", "max_manifest_segments", 1000), 1000),
        max_segment_size=min(_number(info, "swift", "max_file_size", 5 * GiB), 5 * GiB),
    )


def _number(info: Mapping[str, Any], section: str, name: str, default: int) -> int:
    values = info.get(section)
    value = values.get(name) if isinstance(values, dict) else None
    return value if isinstance(value, int) and value > 0 else default
