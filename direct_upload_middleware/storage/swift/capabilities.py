"""Temp URLs of an account, whole, and whether its containers may have keys of their own."""

from __future__ import annotations

import secrets

from .. import temp_urls
from .client import AGAIN, SwiftClient
from .headers import CONTAINER_KEYS
from .signing import temp_url

REFUSED = (401, 403)
_ANY = frozenset(range(200, 500)) - AGAIN
_TTL = 60


def accepts_key(client: SwiftClient, key: str, container: str, digest: temp_urls.Digest) -> bool:
    """Whether Swift takes what this key signs for a container: of an object that is not there it then says so."""
    name = f"no-such-object-{secrets.token_hex(8)}"
    url = temp_url(client, key, "GET", container, name, expires=client.now() + _TTL, digest=digest)
    response = client.request("GET", container, name, url=url, anonymous=True, expect=_ANY)
    return response.status_code not in REFUSED


def accepts_container_keys(
    client: SwiftClient, container: str, key: str, account_key: str, digest: temp_urls.Digest
) -> bool:
    """Whether containers may have temp URL keys of their own: ``key`` is one that ``container`` has.

    Ceph's gateway knows none (https://docs.ceph.com/en/latest/radosgw/swift/tempurl/). A proxy of Swift's may remember
    the container as it was before it had the key; so where the key is refused and the account's is not, a container
    decides that is new and was made with a key. Where nothing is taken, it is no question of whose key it is: True.
    """
    if accepts_key(client, key, container, digest) or not accepts_key(client, account_key, container, digest):
        return True
    trial, key = f"{container}_trial_{secrets.token_hex(8)}", secrets.token_hex(32)
    try:
        client.request("PUT", trial, headers={CONTAINER_KEYS[0]: key}, expect=(201, 202))
        return accepts_key(client, key, trial, digest)
    finally:
        client.request("DELETE", trial, expect=(204, 404))
