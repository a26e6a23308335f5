"""Listings of accounts and containers, page by page."""

from __future__ import annotations

from collections.abc import Iterator

from .client import SwiftClient
from .responses import Item, read_listing, read_objects, unreadable

PAGE = 1000


def pages(client: SwiftClient, *path: str, prefix: str = "") -> Iterator[list[Item]]:
    """Yield the objects of a container, or the containers of the account, sorted, at most a thousand at a time.

    A missing container has none.
    """
    marker = ""
    while True:
        params = {"format": "json", "limit": str(PAGE), "prefix": prefix, "marker": marker}
        response = client.request("GET", *path, params=params, expect=(200, 204, 404))
        items = read_objects(response) if path else read_listing(response)
        if items:
            yield items
        if len(items) < PAGE:
            return
        if items[-1]["name"] <= marker:
            raise unreadable("a listing does not go on after its marker")
        marker = items[-1]["name"]
