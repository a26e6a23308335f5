"""Temp URLs of an account, whole, and whether its containers may have keys of their own."""

from __future__ import annotations

import secrets
from urllib.parse import unquote, urlsplit

from . import temp_urls
from .swift_client import AGAIN, SwiftClient

CONTAINER_KEYS = ("X-Container-Meta-Temp-Url-Key", "X-Container-Meta-Temp-Url-Key-2")
ACCOUNT_KEYS = ("X-Account-Meta-Temp-Url-Key", "X-Account-Meta-Temp-Url-Key-2")

REFUSED = (401, 403)
_ANY = frozenset(range(200, 500)) - AGAIN
_TTL = 60


def temp_url(
    client: SwiftClient,
    key: str,
    method: str,
    container: str,
    name: str,
    *,
    expires: int,
    digest: temp_urls.Digest,
    ip_range: str | None = None,
    filename: str | None = None,
    inline: bool = False,
) -> str:
    """A temp URL for an object, whole. See :func:`.temp_urls.url`."""
    account = urlsplit(client.storage_url)
    path = f"{unquote(account.path)}/{container}/{name}"
    url = temp_urls.url(key, method, path, expires, digest=digest, ip_range=ip_range, filename=filename, inline=inline)
    return f"{account.scheme}://{account.netloc}{url}"


def is_heeded(client: SwiftClient, key: str, container: str, digest: temp_urls.Digest) -> bool:
    """Whether Swift takes what this key signs for a container: of an object that is not there it then says so."""
    name = f"no-such-object-{secrets.token_hex(8)}"
    url = temp_url(client, key, "GET", container, name, expires=client.now() + _TTL, digest=digest)
    response = client.request("GET", container, name, url=url, anonymous=True, expect=_ANY)
    return response.status_code not in REFUSED


def heeds_container_keys(
    client: SwiftClient, container: str, key: str, account_key: str, digest: temp_urls.Digest
) -> bool:
    """Whether containers may have temp URL keys of their own: ``key`` is one that ``container`` has.

    Ceph's gateway knows none (https://docs.ceph.com/en/latest/radosgw/swift/tempurl/). A proxy of Swift's may remember
    the container as it was before it had the key; so where the key is refused and the account's is not, a container
    decides that is new and was made with a key. Where nothing is taken, it is no question of whose key it is: True.
    """
    if is_heeded(client, key, container, digest) or not is_heeded(client, account_key, container, digest):
        return True
    trial, key = f"{container}_trial_{secrets.token_hex(8)}", secrets.token_hex(32)
    try:
        client.request("PUT", trial, headers={CONTAINER_KEYS[0]: key}, expect=(201, 202))
        return is_heeded(client, key, trial, digest)
    finally:
        client.request("DELETE", trial, expect=(204, 404))
