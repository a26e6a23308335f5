"""Sign temp URLs as Swift's ``tempurl`` middleware checks them. Pure functions: no clock, no I/O.

https://docs.openstack.org/swift/latest/api/temporary_url_middleware.html
"""

from __future__ import annotations

import hmac
from typing import Literal
from urllib.parse import quote

Digest = Literal["sha1", "sha256", "sha512"]


def sign(key: str, method: str, path: str, expires: int, digest: Digest = "sha256", ip_range: str | None = None) -> str:
    """Return the signature, in hex, that allows ``method`` on ``path`` until ``expires`` (Unix seconds).

    :param path: the whole path, ``/v1/AUTH_x/container/object``, not quoted.
    :param ip_range: an address or a network (``203.0.113.0/24``) that the request must come from.
    """
    lines = [method, str(expires), path]
    if ip_range:
        lines.insert(0, f"ip={ip_range}")
    return hmac.digest(key.encode(), "\n".join(lines).encode(), digest).hex()


def url(
    key: str,
    method: str,
    path: str,
    expires: int,
    *,
    digest: Digest = "sha256",
    ip_range: str | None = None,
    filename: str | None = None,
    inline: bool = False,
) -> str:
    """Return the temp URL from its path on: ``path`` quoted, and the query. See :func:`sign`.

    :param filename: for GET: the name under which the browser saves the object.
    :param inline: for GET: let the browser display the object instead of saving it.
    """
    query = f"temp_url_sig={sign(key, method, path, expires, digest, ip_range)}&temp_url_expires={expires}"
    if ip_range:
        query += f"&temp_url_ip_range={quote(ip_range, safe='')}"
    if filename is not None:
        query += f"&filename={quote(filename, safe='')}"
    if inline:
        query += "&inline="
    return f"{quote(path)}?{query}"
