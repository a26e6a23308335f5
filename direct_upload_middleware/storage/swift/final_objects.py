"""The objects of the final container, and what their metadata say about their uploads.

The first ``complete`` claims the object's name, with ``If-None-Match: *``, and what it declared counts from then on.
Swift checks whether the name is free when a PUT begins, and of two that begin at the same moment the later one wins:
so all calls that declare the same segments write the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

import requests

from ...errors import ApplicationError, StorageError, StorageUnavailable
from ..base import Sealed, Transfer
from .client import SwiftClient
from .headers import META, NEWEST
from .manifests import ManifestEntry, Problems, is_passing_fault, manifest_body, manifest_problems
from .responses import read_etag, read_json, read_size, read_timestamp
from .tombstones import ContainerMissing

FinalState = Literal["sealing", "sealed", "complete"]

SEALING_TYPE = "application/x-direct-upload-sealing"
"""The type that marks an empty object that claims a name, in a listing too."""

_TAKEN = 412
_MISSING = 404


def copy_conditions(etag: str) -> dict[str, str]:
    """Return the headers that make a copy only of an object with this ETag.

    Swift honours the first, Ceph's gateway the second (``RGWCopyObj_ObjStore_SWIFT`` in its source).
    """
    return {"If-Match": etag, "Copy-If-Match": etag}


@dataclass(frozen=True, slots=True)
class FinalObject:
    """The object with an upload's final name.

    ``state`` is what the object itself says: "sealing" is a claimed name without data, "sealed" an object that the
    application has not confirmed. ``sealed_at`` is in Unix seconds; ``timestamp`` is Swift's time of the last write.
    """

    id: str
    state: FinalState
    etag: str
    size: int
    sealed_at: int
    timestamp: float
    is_slo: bool

    @property
    def is_sealed(self) -> bool:
        """Whether the object has all bytes of the upload."""
        return self.state in ("sealed", "complete")

    def sealed(self, *, complete: bool) -> Sealed:
        """Return the value of the storage protocol."""
        return Sealed(self.etag, self.size, self.sealed_at, complete)


@dataclass(frozen=True, slots=True)
class FinalMetadata:
    """The metadata of an upload's final object."""

    transfer: Transfer
    state: FinalState
    etag: str
    sealed_at: int

    def headers(self) -> dict[str, str]:
        """Return the headers to write. The type of a claimed name is SEALING_TYPE."""
        return {
            "Content-Type": SEALING_TYPE if self.state == "sealing" else self.transfer.type,
            META + "Id": self.transfer.id,
            META + "State": self.state,
            META + "Etag": self.etag,
            META + "Sealed-At": str(self.sealed_at),
        }


class FinalObjects:
    """The objects of the final container."""

    def __init__(self, client: SwiftClient, container: str) -> None:
        self._client = client
        self._container = container

    def find(self, name: str) -> FinalObject | None:
        """Return the newest object of this name, or None. An object of no upload has an empty ``id``."""
        response = self._client.request("HEAD", self._container, name, headers=NEWEST, expect=(200, 404))
        return _final(response) if response.status_code == 200 else None

    def find_own(self, transfer: Transfer) -> FinalObject | None:
        """Return the upload's final object, or None. An object of another upload is not returned."""
        final = self.find(transfer.name)
        return final if final is not None and final.id == transfer.id else None

    def find_own_or_raise(self, transfer: Transfer) -> FinalObject | None:
        """Return the upload's final object, or None. Raise ApplicationError when another object has its name."""
        final = self.find(transfer.name)
        if final is not None and final.id != transfer.id:
            raise ApplicationError("The name that object_name gave is taken by another object.")
        return final

    def claim(self, metadata: FinalMetadata) -> bool:
        """Claim the name with an empty object. Return False when another call or another upload has it.

        Raise ContainerMissing.
        """
        headers = {**metadata.headers(), "If-None-Match": "*"}
        response = self._put(metadata, headers, expect=(201, 202, _TAKEN, _MISSING))  # 202: see copy
        _raise_if_missing(response.status_code)
        return response.status_code == 201

    def write_manifest(self, metadata: FinalMetadata, manifest: Sequence[ManifestEntry]) -> Problems | bool:
        """Claim the name with a manifest, whose segments Swift verifies.

        Return False when the name is taken, Problems when segments are missing or differ: then nothing has changed.
        Raise ContainerMissing.
        """
        response = self._put(
            metadata,
            {**metadata.headers(), "If-None-Match": "*", "Accept": "application/json"},
            expect=(202, 201, 400, _TAKEN, _MISSING),
            params={"multipart-manifest": "put", "heartbeat": "on"},
            data=manifest_body(manifest),
        )
        return _outcome(response, manifest)

    def copy(self, metadata: FinalMetadata, source: str) -> int:
        """Copy ``/container/object`` over the name, if its ETag is the metadata's. Return the status: 201, 404 or 412.

        202 means that another write to the name was later than this one and quicker. A copy that differs from its
        source is removed before StorageError is raised.
        """
        headers = {"X-Copy-From": quote(source), "X-Fresh-Metadata": "true", **copy_conditions(metadata.etag)}
        response = self._put(metadata, {**metadata.headers(), **headers}, expect=(201, 202, 404, 412))
        if response.status_code == 201 and not self._is_copy(response, metadata):
            self.delete(metadata.transfer.name)
            raise StorageError(
                "Storage made a copy that differs from its source: it does not honour If-Match on a copy. Use another "
                "one."
            )
        return response.status_code

    def _is_copy(self, response: requests.Response, metadata: FinalMetadata) -> bool:
        """Return whether the ETag that was written is the one that was verified. Where it is not told, ask for it."""
        etag = response.headers.get("Etag", "").strip('"')
        if not etag:
            headers = self._client.request("HEAD", self._container, metadata.transfer.name, expect=(200,)).headers
            etag = read_etag(headers)
        return etag == metadata.etag

    def _put(self, metadata: FinalMetadata, headers: Mapping[str, str], **request: Any) -> requests.Response:
        request.setdefault("data", b"")
        return self._client.request("PUT", self._container, metadata.transfer.name, headers=headers, **request)

    def count_segments(self, name: str) -> int:
        """Return how many segments the manifest of a large object names."""
        params = {"multipart-manifest": "get"}
        response = self._client.request("GET", self._container, name, params=params, expect=(200, _MISSING))
        return len(read_json(response, list)) if response.content and response.status_code == 200 else 0

    def delete_own(self, transfer: Transfer) -> None:
        """Delete the upload's final object in any state. An object of another upload stays."""
        if self.find_own(transfer) is not None:
            self.delete(transfer.name)

    def delete(self, name: str) -> None:
        """Delete an object; of a large one, the manifest only. A missing one is no error."""
        self._client.request("DELETE", self._container, name, expect=(204, 404))


def _final(response: requests.Response) -> FinalObject:
    headers = response.headers
    sealed_at = headers.get(META + "Sealed-At", "0")
    state: Any = headers.get(META + "State", "complete")
    return FinalObject(
        id=headers.get(META + "Id", ""),
        state=state,
        etag=headers.get(META + "Etag", ""),
        size=read_size(headers),
        timestamp=read_timestamp(headers),
        sealed_at=int(sealed_at) if sealed_at.isdecimal() else 0,
        is_slo=headers.get("X-Static-Large-Object", "").lower() == "true",
    )


def _raise_if_missing(status: int | str) -> None:
    if str(status) == str(_MISSING):
        raise ContainerMissing


def _outcome(response: requests.Response, manifest: Sequence[ManifestEntry]) -> Problems | bool:
    """Return the outcome of a manifest: with heartbeat the real status is in the body."""
    _raise_if_missing(response.status_code)
    if response.status_code in (201, _TAKEN):
        return response.status_code == 201
    answer = read_json(response, dict)
    status = str(answer.get("Response Status", ""))[:3]
    _raise_if_missing(status)
    if status == "201":
        return True
    if status in ("202", str(_TAKEN)):  # 202: another write to the name was later than this one and quicker
        return False
    if status.startswith("5") or is_passing_fault(answer):
        raise StorageUnavailable
    problems = manifest_problems(answer, [entry.path for entry in manifest])
    if problems is None:
        raise StorageError(f"Swift answered {status or response.status_code} to a manifest.")
    return problems
