"""The capabilities of a cluster, by name, as the middleware probes them when an upload begins."""

from __future__ import annotations

from collections.abc import Iterator

from ...storage.swift.client import SwiftClient
from ...storage.swift.cluster.capabilities import CAPABILITIES, Capabilities, probe
from ...storage.temp_urls import Digest
from .result import Result, failure, ok, warning


def examine_capabilities(
    client: SwiftClient, container: str, key: str, account_key: str, digest: Digest
) -> Iterator[Result]:
    """Probe each capability but the keys of containers, which the first upload shows.

    :param container: a container that has the temp URL key ``key``.
    """
    found = probe(client, container, key, account_key, digest)
    for capability in CAPABILITIES:
        if capability.name == "container-keys":
            continue
        if getattr(found, capability.field):
            yield ok(capability.name, capability.present)
        else:
            tell = warning if _is_served(capability.name, found) else failure
            yield tell(capability.name, capability.missing, capability.remedy)


def _is_served(name: str, found: Capabilities) -> bool:
    """Return whether uploads are taken in spite of what the cluster lacks."""
    return name == "temp-url-isolation" and found.has_container_keys
