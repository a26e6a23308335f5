"""Where the segments of an upload are, and what is known of them there.

Each upload has a container of its own, or, with seal "pin", a place in the shared one.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from ...errors import StorageUnavailable
from ...keys import Keys
from ..base import StoredSegment, Transfer
from ..concurrency import map_concurrently
from .client import SwiftClient
from .headers import CONTAINER_KEYS
from .provisioning import cors_headers
from .tombstones import ABORTING_SECONDS

NAME = "X-Container-Meta-Direct-Upload-Name-"
_META_BYTES = 250  # of one value; Swift takes 256
PAGE = 10_000
_ATTEMPTS = 3
_GONE = 404

CONFIRMED = "confirmed"  # the name of the object that tells that the application has taken the upload

GENERATION = "X-Container-Meta-Direct-Upload-Generation"
SWEPT = "swept"  # the generation of a container that is being swept: as good as gone
_ABORTING = "aborting "  # with Swift's time in Unix seconds: the generation of one whose upload is being aborted
_UPLOADERS_HEADERS = {"x-delete-at", "content-encoding", "content-disposition", "content-language", "cache-control"}
_GONE = 404


def upload_key(keys: Keys, id: str) -> str:
    """The temp URL key of one upload's container."""
    return keys.derive("segments", id)


@dataclass(frozen=True, slots=True)
class ContainerState:
    """A segment container as it is: its temp URL key ("" when revoked), its ``generation``, which changes whenever the
    upload is opened again or given up, whether the upload is ``confirmed``, and the segments that are there."""

    key: str
    generation: str
    confirmed: bool
    stored: tuple[StoredSegment, ...]

    def is_aborting(self, now: int) -> bool:
        """Whether an abort is under way; not when it died long ago."""
        since = self.generation.removeprefix(_ABORTING)
        return since != self.generation and now - int(since) < ABORTING_SECONDS


@dataclass(frozen=True, slots=True)
class SegmentObject:
    """A segment itself: what is stored, when it was (Unix seconds), and whether the uploader put headers on it."""

    stored: StoredSegment
    modified: int
    is_marked: bool


class SegmentContainers:
    """Segments in the shared container ``prefix`` (seal "pin"), or in ``prefix_<id>`` (seal "revoke")."""

    def __init__(self, client: SwiftClient, prefix: str) -> None:
        self._client = client
        self.prefix = prefix

    def of(self, transfer: Transfer, index: int) -> tuple[str, str]:
        """Container and object of a segment."""
        return self._of(transfer, object_name(index))

    def _of(self, transfer: Transfer, name: str) -> tuple[str, str]:
        if transfer.seal == "pin":
            return self.prefix, f"{transfer.id}/{name}"
        return self.container_of(transfer.id), name

    def container_of(self, id: str) -> str:
        """The container of one upload's own."""
        return f"{self.prefix}_{id}"

    def make(self, transfer: Transfer, keys: Keys, origin: str) -> None:
        """Make the upload's own container, with its key, for pages of ``origin``."""
        headers = {CONTAINER_KEYS[0]: upload_key(keys, transfer.id), **cors_headers(origin)}
        headers |= name_headers(transfer.name)
        self._client.request("PUT", self.container_of(transfer.id), headers=headers, expect=(201, 202))

    def remove(self, id: str) -> None:
        """Delete all segments of an upload, in its own container, which goes too, and in the shared one."""
        remove_segments(self._client, self.container_of(id), self.prefix, id)

    # -- the container -----------------------------------------------------------------------------------------

    def look(self, transfer: Transfer, limit: int = PAGE) -> ContainerState | None:
        """What there is; without the segments where ``limit`` is 0. None where it is gone, or as good as gone."""
        if transfer.seal == "pin":
            container, params = self.prefix, {"prefix": transfer.id + "/"}
        else:
            container, params = self.container_of(transfer.id), {}
        if limit:
            params |= {"format": "json", "limit": str(limit)}
            response = self._client.request("GET", container, params=params, expect=(200, 204, _GONE))
        else:
            response = self._client.request("HEAD", container, expect=(200, 204, _GONE))
        if response.status_code == _GONE or response.headers.get(GENERATION) == SWEPT:
            return None
        listing = response.json() if limit and response.status_code == 200 else []
        return ContainerState(
            key=response.headers.get(CONTAINER_KEYS[0], ""),
            generation=response.headers.get(GENERATION, ""),
            confirmed=any(item["name"].rpartition("/")[2] == CONFIRMED for item in listing),
            stored=tuple(_stored(listing, transfer)),
        )

    def is_gone(self, transfer: Transfer) -> bool:
        """Whether the upload's own container is not there at all."""
        container = self.container_of(transfer.id)
        return self._client.request("HEAD", container, expect=(200, 204, _GONE)).status_code == _GONE

    def revoke(self, transfer: Transfer) -> None:
        """End every temp URL of the upload."""
        self._change(transfer, {CONTAINER_KEYS[0]: ""})

    def mark_aborting(self, transfer: Transfer) -> None:
        """Revoke, and say that the upload is being aborted."""
        self._change(transfer, {CONTAINER_KEYS[0]: "", GENERATION: f"{_ABORTING}{self._client.now()}"})

    def reopen(self, transfer: Transfer, key: str, generation: str) -> None:
        """Give it this key, "" for none, and this generation."""
        self._change(transfer, {CONTAINER_KEYS[0]: key, GENERATION: generation})

    def _change(self, transfer: Transfer, headers: Mapping[str, str]) -> None:
        self._client.request("POST", self.container_of(transfer.id), headers=headers, expect=(204, _GONE))

    # -- what is in it -----------------------------------------------------------------------------------------

    def find(self, transfer: Transfer, index: int) -> SegmentObject | None:
        """A segment, as it is asked for itself."""
        response = self._client.request("HEAD", *self.of(transfer, index), expect=(200, _GONE))
        if response.status_code == _GONE:
            return None
        headers = response.headers
        stored = StoredSegment(index, int(headers["Content-Length"]), headers["Etag"].strip('"'))
        modified = int(parsedate_to_datetime(headers["Last-Modified"]).timestamp())
        return SegmentObject(stored, modified, any(_is_uploaders(name) for name in headers))

    def clear(self, transfer: Transfer, index: int) -> None:
        """Take away what the uploader put on a segment."""
        # 409: another call does the same just now, and was later than we.
        self._client.request("POST", *self.of(transfer, index), expect=(202, 409, _GONE))

    def confirm(self, transfer: Transfer) -> None:
        """Leave word that the application has taken the upload. 202: another call has just left the same."""
        self._client.request("PUT", *self._of(transfer, CONFIRMED), data=b"", expect=(201, 202, _GONE))

    def is_confirmed(self, transfer: Transfer) -> bool:
        """Whether that word is there, whatever a listing says, which may lag behind."""
        response = self._client.request("HEAD", *self._of(transfer, CONFIRMED), expect=(200, _GONE))
        return response.status_code == 200


def _stored(listing: Iterable[Mapping[str, Any]], transfer: Transfer) -> Iterator[StoredSegment]:
    for item in listing:
        number = item["name"].rpartition("/")[2]
        if number.isdigit() and int(number) < transfer.segment_count:
            yield StoredSegment(int(number), item["bytes"], item["hash"])


def _is_uploaders(header: str) -> bool:
    return header.lower().startswith("x-object-meta-") or header.lower() in _UPLOADERS_HEADERS


def object_name(index: int) -> str:
    """The name of a segment in its container; they sort as they follow each other."""
    return f"{index:08d}"


def name_headers(name: str) -> dict[str, str]:
    """Metadata that hold a name of up to 1024 bytes."""
    text = urlsafe_b64encode(name.encode()).decode()
    return {f"{NAME}{i // _META_BYTES}": text[i : i + _META_BYTES] for i in range(0, len(text), _META_BYTES)}


def name_of(headers: Mapping[str, str]) -> str | None:
    """The name in the metadata; None where they do not tell."""
    pieces = [headers[f"{NAME}{i}"] for i in range(len(headers)) if f"{NAME}{i}" in headers]
    try:
        return urlsafe_b64decode("".join(pieces)).decode() or None
    except ValueError:
        return None


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
    map_concurrently(lambda name: client.request("DELETE", container, name, expect=(204, _GONE)), names)
