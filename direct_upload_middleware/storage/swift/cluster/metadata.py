"""Read and write the metadata of the account and its containers: temp URL keys and CORS.

A stale replica answers without metadata that exist. So absence in one answer is never taken as proof: before anything
is written that could replace it, several answers are read.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from functools import cache

from ....keys import Keys
from ..client import SwiftClient
from ..headers import ACCOUNT_KEYS, CONTAINER_KEYS, EXPOSE_HEADER, MAX_AGE_HEADER, NEWEST, ORIGIN_HEADER

log = logging.getLogger(__name__)

MAX_ORIGINS_BYTES = 256
EXPOSED = "etag x-trans-id last-modified content-length content-range accept-ranges date retry-after"
CORS_MAX_AGE = "86400"
READS = 4
"""Answers that are read before metadata count as missing."""
_OK = (200, 201, 202, 204)


def cors_headers(origins: str) -> dict[str, str]:
    """Return a container's metadata that let pages of ``origins`` (separated by spaces) use it."""
    return {ORIGIN_HEADER: origins, EXPOSE_HEADER: EXPOSED, MAX_AGE_HEADER: CORS_MAX_AGE}


def with_origin(origins: str, origin: str) -> str:
    """Return ``origins`` with one more. A list of Swift's 256 bytes stays as it is: it must not become ``*``."""
    known = origins.split()
    if not origin or origin in known or "*" in known:
        return origins
    more = " ".join((*known, origin))
    return more if len(more) <= MAX_ORIGINS_BYTES else origins


def free_slot(slots: list[str], wanted: list[str]) -> int | None:
    """Return which of two key slots gets the newest of ``wanted`` (newest first); None when one has it already.

    An empty slot is first, then one with a key of no secret of ours, then the one with the oldest key.
    """
    if wanted[0] in slots:
        return None
    for unwanted in ("", *[key for key in slots if key not in wanted]):
        if unwanted in slots:
            return slots.index(unwanted)
    return max(range(len(slots)), key=lambda slot: wanted.index(slots[slot]))


def read_metadata(client: SwiftClient, names: Sequence[str], *path: str) -> dict[str, str]:
    """Return these headers of a container, or of the account.

    As long as one of them is missing, more answers are read, since a replica may be stale.
    """
    found: dict[str, str] = {}
    for _ in range(READS):
        headers = client.request("HEAD", *path, headers=NEWEST, expect=(200, 204)).headers
        found |= {name: headers[name] for name in names if headers.get(name)}
        if len(found) == len(names):
            break
    return found


def read_origins(client: SwiftClient, container: str, wanted: str) -> str:
    """Return the origins of a container. Unless ``wanted`` is one, the union of several answers."""
    origins = ""
    for _ in range(READS):
        headers = client.request("HEAD", container, headers=NEWEST, expect=(200, 204)).headers
        for origin in headers.get(ORIGIN_HEADER, "").split():
            origins = with_origin(origins, origin)
        if with_origin(origins, wanted) == origins:
            break
    return origins


def find_account_key(client: SwiftClient) -> str:
    """Return the account's first temp URL key, which signs downloads; "" without one."""
    for _ in range(READS):
        headers = client.request("HEAD", headers=NEWEST, expect=(200, 204)).headers
        for name in ACCOUNT_KEYS:
            if headers.get(name):
                return str(headers[name])
    return ""


def put_account_key(client: SwiftClient) -> None:
    """Give the account a key for downloads. It goes into the second slot: another program may have the first.

    The key is random, so that no secret opens the account, neither an old one nor a guessed one.
    """
    client.request("POST", headers={ACCOUNT_KEYS[1]: secrets.token_hex(32)}, expect=_OK)


def put_container_key(client: SwiftClient, container: str, purpose: Sequence[str], keys: Keys) -> bool:
    """Give a shared container the newest key, beside the previous one. Return False when it had it."""
    wanted = keys.derive_all(*purpose)
    found: dict[str, str] = {}
    for _ in range(READS):
        headers = client.request("HEAD", container, headers=NEWEST, expect=(200, 204)).headers
        found |= {name: headers[name] for name in CONTAINER_KEYS if headers.get(name)}
        if wanted[0] in found.values():
            break
    if set(found.values()) - set(wanted):
        _warn_of_unknown_key(container)
    slot = free_slot([found.get(name, "") for name in CONTAINER_KEYS], wanted)
    if slot is None:
        return False
    client.request("POST", container, headers={CONTAINER_KEYS[slot]: wanted[0]}, expect=_OK)
    log.info("temp URL key stored", extra={"swift_container": container})
    return True


@cache
def _warn_of_unknown_key(container: str) -> None:
    """Warn once for each container."""
    log.warning(
        "%s still has a temp URL key that no secret of the list has made: rotate-key --finish removes it",
        container,
        extra={"swift_container": container},
    )
