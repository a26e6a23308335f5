"""Read Swift's answers. What cannot be read is a StorageError, never another exception.

A proxy in front of Swift may answer with a page of its own, cut a body, or leave a header out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import requests

from ...errors import StorageError

if TYPE_CHECKING:
    from .client import SwiftClient

PAGE = 1000
Item = dict[str, Any]
"""An object or a container as a listing shows it."""


def unreadable(what: str) -> StorageError:
    """Return the error for an answer that cannot be read."""
    return StorageError(
        f"Storage gave an answer that cannot be read: {what}. A proxy in front of it may have changed it."
    )


def read_json(response: requests.Response, kind: type[Any]) -> Any:
    """Return the JSON value of a body. Raise StorageError unless it is a ``kind``."""
    try:
        value = response.json()
    except ValueError as error:
        raise unreadable("its body is not JSON") from error
    if not isinstance(value, kind):
        raise unreadable("its JSON has another shape")
    return value


def read_listing(response: requests.Response) -> list[Item]:
    """Return the objects or containers of a listing; none unless the status is 200."""
    if response.status_code != 200:
        return []
    items = [item for item in read_json(response, list) if not (isinstance(item, dict) and "subdir" in item)]
    if not all(isinstance(item, dict) and isinstance(item.get("name"), str) for item in items):
        raise unreadable("a listing has an item without a name")
    return items


def read_objects(response: requests.Response) -> list[Item]:
    """Return the objects of a container's listing, each with name, size, ETag and time."""
    items = read_listing(response)
    for item in items:
        if not (isinstance(item.get("bytes"), int) and isinstance(item.get("hash"), str)):
            raise unreadable("a listing has an object without its size or ETag")
        item.setdefault("content_type", "")
        last_modified(item)
    return items


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


def last_modified(item: Mapping[str, Any]) -> float:
    """Return when a listed object was last changed, in Unix seconds."""
    try:
        return datetime.fromisoformat(item["last_modified"]).replace(tzinfo=UTC).timestamp()
    except (KeyError, TypeError, ValueError) as error:
        raise unreadable("a listing has an object without its time") from error


def read_etag(headers: Mapping[str, str]) -> str:
    """Return the unquoted ETag."""
    etag = headers.get("Etag", "").strip('"')
    if not etag:
        raise unreadable("the ETag header is missing")
    return etag


def read_size(headers: Mapping[str, str]) -> int:
    """Return the size of an object in bytes."""
    return int(_number(headers, "Content-Length", int))


def read_timestamp(headers: Mapping[str, str]) -> float:
    """Return Swift's time of the last write, in Unix seconds."""
    return float(_number(headers, "X-Timestamp", float))


def read_modified(headers: Mapping[str, str]) -> int:
    """Return the Last-Modified header in Unix seconds."""
    try:
        return int(parsedate_to_datetime(headers["Last-Modified"]).timestamp())
    except (KeyError, TypeError, ValueError) as error:
        raise unreadable("the Last-Modified header is missing or invalid") from error


def _number(headers: Mapping[str, str], name: str, kind: type[float]) -> float:
    try:
        return kind(headers[name])
    except (KeyError, ValueError) as error:
        raise unreadable(f"the {name} header is missing or invalid") from error
