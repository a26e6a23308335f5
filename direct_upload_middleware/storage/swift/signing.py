"""Temp URLs for objects of an account, with scheme and host."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from .. import temp_urls
from .client import SwiftClient


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
    internal: bool = False,
) -> str:
    """Return an absolute temp URL for an object. See :func:`.temp_urls.url`.

    :param internal: for a request of the application's own instead of a browser's.
    """
    account = urlsplit(client.login().storage_url if internal else client.public_url())
    path = f"{unquote(account.path)}/{container}/{name}"
    url = temp_urls.url(key, method, path, expires, digest=digest, ip_range=ip_range, filename=filename, inline=inline)
    return f"{account.scheme}://{account.netloc}{url}"
