"""The containers of segments, whose metadata are a part of the state of an upload.

Each upload has a container of its own, or, with seal "pin", a place in the shared one.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import requests

from ...errors import StorageUnavailable
from ...keys import Keys
from ..base import StoredSegment, Transfer
from ..concurrency import map_concurrently
from .client import SwiftClient
from .cluster.metadata import cors_headers
from .headers import CONTAINER_KEYS, GENERATION, META, NAME, NEWEST
from .responses import Item, read_etag, read_listing, read_modified, read_objects, read_size

_META_BYTES = 250  # of one value; Swift takes 256
PAGE = 10_000
_ATTEMPTS = 3
_MISSING = 404

CONFIRMED = "confirmed"
"""The name of the object that says that the application has confirmed the upload."""
NAMED = "named"
"""The name of the object that says, in the shared container, which final object the segments belong to."""
NAMED_META = META + "Name-"

OWN_CONTAINER = "own-container"
"""The reference of an upload whose segments would share a container, but are in one of its own."""

SWEPT = "swept"
"""The generation of a container that is being removed. For every call it is gone already."""
_UPLOADERS_HEADERS = {"x-delete-at", "content-encoding", "content-disposition", "content-language", "cache-control"}
_AT_ONCE = 32


def placed(transfer: Transfer) -> Transfer:
    """Return the transfer as it is carried out in the place that begin chose for it."""
    if transfer.reference != OWN_CONTAINER:
        return transfer
    return replace(transfer, own_container=True, seal="revoke")


def has_own_container(transfer: Transfer) -> bool:
    """Return whether the segments are in a container of this upload."""
    return transfer.is_segmented and transfer.seal == "revoke"


def upload_key(keys: Keys, id: str) -> str:
    """Return the temp URL key of one upload's container."""
    return keys.derive("segments", id)


@dataclass(frozen=True, slots=True)
class ContainerState:
    """The state of a segment container.

    ``key`` is its temp URL key ("" when revoked); ``generation`` changes whenever the upload is opened again;
    ``confirmed`` is whether the application has confirmed the upload; ``stored`` are the listed segments.
    """

    key: str
    generation: str
    confirmed: bool
    stored: tuple[StoredSegment, ...]


@dataclass(frozen=True, slots=True)
class SegmentObject:
    """A segment itself: what is stored, since when (Unix seconds), and whether the uploader put headers on it."""

    stored: StoredSegment
    modified: int
    is_marked: bool


class SegmentContainers:
    """Segments in the shared container ``prefix`` (seal "pin"), or in ``prefix_<id>`` (seal "revoke")."""

    def __init__(self, client: SwiftClient, prefix: str) -> None:
        self._client = client
        self.prefix = prefix

    def of(self, transfer: Transfer, index: int) -> tuple[str, str]:
        """Return the container and the object of a segment."""
        return self._of(transfer, object_name(index))

    def _of(self, transfer: Transfer, name: str) -> tuple[str, str]:
        if transfer.seal == "pin":
            return self.prefix, f"{transfer.id}/{name}"
        return self.container_of(transfer.id), name

    def container_of(self, id: str) -> str:
        """Return the name of an upload's own container."""
        return f"{self.prefix}_{id}"

    def make(self, transfer: Transfer, keys: Keys, origin: str) -> None:
        """Create the upload's own container, with its key, for pages of ``origin``."""
        headers = {CONTAINER_KEYS[0]: upload_key(keys, transfer.id), **cors_headers(origin)}
        headers |= name_headers(transfer.name)
        self._client.request("PUT", self.container_of(transfer.id), headers=headers, expect=(201, 202))

    def condemn(self, id: str) -> None:
        """Revoke every temp URL of the upload's own container, and end every call that would complete the upload."""
        headers = {CONTAINER_KEYS[0]: "", GENERATION: SWEPT}
        self._client.request("POST", self.container_of(id), headers=headers, expect=(204, _MISSING))

    def remove(self, id: str, indexes: Collection[int] = ()) -> None:
        """Delete all segments of an upload, in its own container, which goes too, and in the shared one.

        :param indexes: segments that may exist though the listing does not show them.
        """
        remove_segments(self._client, self.container_of(id), self.prefix, id, [object_name(i) for i in indexes])

    # -- the container -----------------------------------------------------------------------------------------

    def read(self, transfer: Transfer, limit: int = PAGE) -> ContainerState | None:
        """Return the state, without the segments where ``limit`` is 0.

        None where the container is gone, is being removed, or has lost its metadata: a proxy with a stale cache brings
        a deleted container back without them. A replica may be stale too, so several answers have to agree on that.
        """
        for _ in range(_ATTEMPTS):
            response = self._request(transfer, limit)
            headers = response.headers
            if headers.get(GENERATION) == SWEPT:
                return None
            if response.status_code != _MISSING and (transfer.seal == "pin" or headers.get(f"{NAME}0")):
                break
        else:
            return None
        listing = read_objects(response) if limit else []
        return ContainerState(
            key=headers.get(CONTAINER_KEYS[0], ""),
            generation=headers.get(GENERATION, ""),
            confirmed=any(item["name"].rpartition("/")[2] == CONFIRMED for item in listing),
            stored=tuple(_stored(listing, transfer)),
        )

    def _request(self, transfer: Transfer, limit: int) -> requests.Response:
        if transfer.seal == "pin":
            container, params = self.prefix, {"prefix": transfer.id + "/"}
        else:
            container, params = self.container_of(transfer.id), {}
        if limit:
            params |= {"format": "json", "limit": str(limit)}
            return self._client.request("GET", container, params=params, expect=(200, 204, _MISSING))
        return self._client.request("HEAD", container, headers=NEWEST, expect=(200, 204, _MISSING))

    def is_gone(self, transfer: Transfer) -> bool:
        """Return whether the upload's own container does not exist, or exists without its metadata."""
        responses = (self._request(transfer, limit=0) for _ in range(_ATTEMPTS))
        return all(r.status_code == _MISSING or not r.headers.get(f"{NAME}0") for r in responses)

    def revoke(self, transfer: Transfer) -> None:
        """End every temp URL of the upload."""
        self._change(transfer, {CONTAINER_KEYS[0]: ""})

    def reopen(self, transfer: Transfer, key: str, generation: str) -> None:
        """Store another temp URL key and another generation."""
        self._change(transfer, {CONTAINER_KEYS[0]: key, GENERATION: generation})

    def _change(self, transfer: Transfer, headers: Mapping[str, str]) -> None:
        self._client.request("POST", self.container_of(transfer.id), headers=headers, expect=(204, _MISSING))

    # -- the objects -------------------------------------------------------------------------------------------

    def find(self, transfer: Transfer, index: int) -> SegmentObject | None:
        """Return a segment by a request of its own, or None."""
        place = self.of(transfer, index)
        response = self._client.request("HEAD", *place, headers=NEWEST, expect=(200, _MISSING))
        if response.status_code == _MISSING:
            return None
        headers = response.headers
        stored = StoredSegment(index, read_size(headers), read_etag(headers))
        return SegmentObject(stored, read_modified(headers), any(_is_uploaders(name) for name in headers))

    def clear(self, transfer: Transfer, index: int) -> None:
        """Remove the headers that the uploader put on a segment.

        Swift drops them all by an empty POST; Ceph's gateway keeps an expiry unless it is named.
        """
        # 409: another call does the same at this moment, and was later.
        headers = {"X-Remove-Delete-At": "x"}
        self._client.request("POST", *self.of(transfer, index), headers=headers, expect=(202, 409, _MISSING))

    def confirm(self, transfer: Transfer) -> None:
        """Record that the application has confirmed the upload."""
        self._put(transfer, CONFIRMED, {})

    def is_confirmed(self, transfer: Transfer) -> bool:
        """Return whether that is recorded, whatever a listing says, which may lag."""
        place = self._of(transfer, CONFIRMED)
        return self._client.request("HEAD", *place, headers=NEWEST, expect=(200, _MISSING)).status_code == 200

    def record_name(self, transfer: Transfer) -> None:
        """Record which final object the pinned segments belong to, so that no sweep has to rely on a listing."""
        self._put(transfer, NAMED, name_headers(transfer.name, NAMED_META))

    def recorded_name(self, id: str) -> str | None:
        """Return the final object of pinned segments; None where it was never recorded."""
        response = self._client.request("HEAD", self.prefix, f"{id}/{NAMED}", headers=NEWEST, expect=(200, _MISSING))
        return name_of(response.headers, NAMED_META) if response.status_code == 200 else None

    def _put(self, transfer: Transfer, name: str, headers: Mapping[str, str]) -> None:
        # 202: another call has just written the same.
        place = self._of(transfer, name)
        self._client.request("PUT", *place, headers=headers, data=b"", expect=(201, 202, _MISSING))


def _stored(listing: Iterable[Item], transfer: Transfer) -> Iterator[StoredSegment]:
    for item in listing:
        number = item["name"].rpartition("/")[2]
        if number.isdecimal() and int(number) < transfer.segment_count:
            yield StoredSegment(int(number), item["bytes"], item["hash"])


def _is_uploaders(header: str) -> bool:
    return header.lower().startswith("x-object-meta-") or header.lower() in _UPLOADERS_HEADERS


def object_name(index: int) -> str:
    """Return the name of a segment in its container. The names sort by index."""
    return f"{index:08d}"


def name_headers(name: str, prefix: str = NAME) -> dict[str, str]:
    """Return metadata that hold a name of up to 1024 bytes."""
    text = urlsafe_b64encode(name.encode()).decode()
    return {f"{prefix}{i // _META_BYTES}": text[i : i + _META_BYTES] for i in range(0, len(text), _META_BYTES)}


def name_of(headers: Mapping[str, str], prefix: str = NAME) -> str | None:
    """Return the name in the metadata, or None."""
    pieces = [headers[f"{prefix}{i}"] for i in range(len(headers)) if f"{prefix}{i}" in headers]
    try:
        return urlsafe_b64decode("".join(pieces)).decode() or None
    except ValueError:
        return None


def remove_segments(client: SwiftClient, container: str, shared: str, id: str, names: Sequence[str] = ()) -> None:
    """Delete all segments in the upload's own container, which goes too, and those in the shared one.

    A container whose replica still lists what is deleted cannot go yet: it is left to a sweep.

    :param names: segments that may exist though the listing does not show them.
    """
    for attempt in range(_ATTEMPTS):
        was_empty = not _empty(client, container, "", names)
        response = client.request("DELETE", container, expect=(204, _MISSING, 409))
        if response.status_code != 409 or (was_empty and attempt):  # otherwise a write may have come in
            break
    else:
        raise StorageUnavailable("Segments are still being written.", retry_after=1)
    _empty(client, shared, f"{id}/", names)


def _empty(client: SwiftClient, container: str, prefix: str, names: Sequence[str]) -> bool:
    """Delete the segments. Return whether there was any."""
    params = {"format": "json", "limit": str(PAGE), "prefix": prefix}
    response = client.request("GET", container, params=params, expect=(200, 204, _MISSING))
    if response.status_code == _MISSING:
        return False

    def delete(name: str) -> bool:
        return client.request("DELETE", container, name, expect=(204, _MISSING)).status_code == 204

    listed = [item["name"] for item in read_listing(response)]
    found = any(map_concurrently(delete, listed))
    unlisted = [prefix + name for name in names if prefix + name not in set(listed)]
    for start in range(0, len(unlisted), _AT_ONCE):
        if not any(map_concurrently(delete, unlisted[start : start + _AT_ONCE])):
            break  # segments are sent in order: after a long gap there are no more
        found = True
    return found
