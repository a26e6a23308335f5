"""Listings of Swift's accounts and containers, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from .client import SwiftClient

PAGE = 1000


def pages(client: SwiftClient, *path: str, prefix: str = "") -> Iterator[list[dict[str, Any]]]:
    """The items of a container, or of the account: at most a thousand at a time, sorted; none where there is none."""
    marker = ""
    while True:
        params = {"format": "json", "limit": str(PAGE), "prefix": prefix, "marker": marker}
        response = client.request("GET", *path, params=params, expect=(200, 204, 404))
        items = response.json() if response.status_code == 200 else []
        if items:
            yield items
        if len(items) < PAGE:
            return
        marker = items[-1]["name"]


def changed(item: Mapping[str, Any]) -> float:
    """When an object was last changed, by its listing, in Unix seconds."""
    return datetime.fromisoformat(item["last_modified"]).replace(tzinfo=UTC).timestamp()
