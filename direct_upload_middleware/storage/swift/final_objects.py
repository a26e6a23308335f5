"""The finished object in the final container, and what its metadata say about its upload.

The first ``complete`` takes the object's name, with ``If-None-Match: *``, and what it declared counts from then on.
Swift looks whether the name is free when a PUT begins, and of two that begin in the same moment the later wins: so
whatever is written there is the same for all calls that declare the same segments.
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
from .manifests import ManifestEntry, Problems, is_passing_fault, manifest_body, manifest_problems

FinalState = Literal["sealing", "sealed", "complete"]

META = "X-Object-Meta-Direct-Upload-"
SEALING_TYPE = "application/x-direct-upload-sealing"
"""By which a container listing tells of an object that holds nothing yet."""

_TAKEN = 412
_GONE = 404


def copy_conditions(etag: str) -> dict[str, str]:
    """Headers that have a copy made only of what has this ETag. Swift heeds the first, Ceph's gateway the second
    (``RGWCopyObj_ObjStore_SWIFT`` in its source)."""
    return {"If-Match": etag, "Copy-If-Match": etag}


class ContainerMissing(StorageUnavailable):
    """The final container is not there: an operator has removed it since it was set up."""


@dataclass(frozen=True, slots=True)
class FinalObject:
    """What there is under an upload's final name.

    ``state`` "sealing" is a name that was taken, "sealed" an object that its application has yet to confirm, as far as
    the object itself tells. ``sealed_at`` is in Unix seconds, ``timestamp`` Swift's, of the last write.
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
        """Whether all bytes of the upload are in it."""
        return self.state in ("sealed", "complete")

    def sealed(self, *, complete: bool) -> Sealed:
        """As the storage protocol has it."""
        return Sealed(self.etag, self.size, self.sealed_at, complete)


@dataclass(frozen=True, slots=True)
class FinalMetadata:
    """What we write into the metadata of an upload's final object."""

    transfer: Transfer
    state: FinalState
    etag: str
    sealed_at: int

    def headers(self) -> dict[str, str]:
        """With the type: the ticket's, or one that tells in a listing that there is nothing."""
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
        """The object, None where there is none. One that is not ours has an empty ``id``."""
        response = self._client.request("HEAD", self._container, name, expect=(200, 404))
        return _final(response) if response.status_code == 200 else None

    def find_own(self, transfer: Transfer) -> FinalObject | None:
        """The upload's final object; None where there is none, or another's."""
        final = self.find(transfer.name)
        return final if final is not None and final.id == transfer.id else None

    def find_own_or_raise(self, transfer: Transfer) -> FinalObject | None:
        """The upload's final object. Raises ApplicationError when another has its name."""
        final = self.find(transfer.name)
        if final is not None and final.id != transfer.id:
            raise ApplicationError("The name that object_name gave is taken by another object.")
        return final

    def claim(self, metadata: FinalMetadata) -> bool:
        """Take the name with an empty object. False: it is taken, by another call or another upload.

        Raises ContainerMissing.
        """
        headers = {**metadata.headers(), "If-None-Match": "*"}
        response = self._put(metadata, headers, expect=(201, 202, _TAKEN, _GONE))  # 202: see copy
        _raise_if_gone(response.status_code)
        return response.status_code == 201

    def write_manifest(self, metadata: FinalMetadata, manifest: Sequence[ManifestEntry]) -> Problems | bool:
        """Take the name with a manifest, whose segments Swift verifies for it.

        False: the name is taken. Problems: segments are missing or differ, and nothing has happened. Raises
        ContainerMissing.
        """
        response = self._put(
            metadata,
            {**metadata.headers(), "If-None-Match": "*", "Accept": "application/json"},
            expect=(202, 201, 400, _TAKEN, _GONE),
            params={"multipart-manifest": "put", "heartbeat": "on"},
            data=manifest_body(manifest),
        )
        return _outcome(response, manifest)

    def copy(self, metadata: FinalMetadata, source: str) -> int:
        """Copy ``/container/object`` over the name, if its ETag is the metadata's; the status: 201, 404 or 412.

        202: it was not written, since another write to the name was later than this one and quicker.
        """
        headers = {"X-Copy-From": quote(source), "X-Fresh-Metadata": "true", **copy_conditions(metadata.etag)}
        response = self._put(metadata, {**metadata.headers(), **headers}, expect=(201, 202, 404, 412))
        if response.status_code == 201 and response.headers.get("Etag", metadata.etag).strip('"') != metadata.etag:
            raise StorageError("Swift made a copy that is not like the original.")
        return response.status_code

    def _put(self, metadata: FinalMetadata, headers: Mapping[str, str], **request: Any) -> requests.Response:
        request.setdefault("data", b"")
        return self._client.request("PUT", self._container, metadata.transfer.name, headers=headers, **request)

    def delete_own(self, transfer: Transfer) -> None:
        """Delete the upload's final object, whatever its state. No error where there is none, or another's."""
        if self.find_own(transfer) is not None:
            self.delete(transfer.name)

    def delete(self, name: str) -> None:
        """Delete the object, and of a large one the manifest only. No error when it is gone."""
        self._client.request("DELETE", self._container, name, expect=(204, 404))


def _final(response: requests.Response) -> FinalObject:
    headers = response.headers
    sealed_at = headers.get(META + "Sealed-At", "0")
    state: Any = headers.get(META + "State", "complete")
    return FinalObject(
        id=headers.get(META + "Id", ""),
        state=state,
        etag=headers.get(META + "Etag", ""),
        size=int(headers.get("Content-Length", 0)),
        timestamp=float(headers.get("X-Timestamp", 0)),
        sealed_at=int(sealed_at) if sealed_at.isdigit() else 0,
        is_slo=headers.get("X-Static-Large-Object", "").lower() == "true",
    )


def _raise_if_gone(status: int | str) -> None:
    if str(status) == str(_GONE):
        raise ContainerMissing


def _outcome(response: requests.Response, manifest: Sequence[ManifestEntry]) -> Problems | bool:
    """What became of a manifest: with heartbeat the real status is in the body."""
    _raise_if_gone(response.status_code)
    if response.status_code in (201, _TAKEN):
        return response.status_code == 201
    try:
        answer = response.json()
    except ValueError as error:
        raise StorageError("Swift gave an answer to a manifest that cannot be read.") from error
    status = str(answer.get("Response Status", ""))[:3]
    _raise_if_gone(status)
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
