"""Removing the segments of an upload."""

from __future__ import annotations

from ..errors import StorageUnavailable
from .swift_client import SwiftClient
from .swift_parallel import each

PAGE = 10_000
_ATTEMPTS = 3
_GONE = 404


def remove_segments(client: SwiftClient, container: str, shared: str, id: str) -> None:
    """Delete all segments in the upload's own container, which goes too, and those in the shared one."""
    for _ in range(_ATTEMPTS):
        _empty(client, container, "")
        response = client.request("DELETE", container, expect=(204, _GONE, 409))
        if response.status_code != 409:  # a write that was under way may have come in
            break
    else:
        raise StorageUnavailable("Segments are still being written.", retry_after=1)
    _empty(client, shared, id + "/")


def _empty(client: SwiftClient, container: str, prefix: str) -> None:
    params = {"format": "json", "limit": str(PAGE), "prefix": prefix}
    response = client.request("GET", container, params=params, expect=(200, 204, _GONE))
    names = [item["name"] for item in response.json()] if response.status_code == 200 else []
    each(lambda name: client.request("DELETE", container, name, expect=(204, _GONE)), names)
