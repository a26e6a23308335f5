"""The storage in OpenStack Swift."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from io import BufferedReader
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar
from urllib.parse import urlsplit

from ...errors import AlreadyComplete, ConfigurationError, NotFound, StorageError
from ...keys import Keys
from ..base import Limits, Sealed, SignedSegment, StoredObject, Transfer, UploadStatus
from ..object_reader import SMALLEST_WINDOW, ObjectReader
from ..sending import SegmentReader
from ..sweeping import Finding, Progress, ignore_progress
from .admin import SwiftAdmin
from .client import Access, SwiftClient
from .cluster.capabilities import CapabilityCache, check_capabilities
from .cluster.provisioning import PINNED, STAGING, ClusterInfo, Provisioning
from .credentials import OpenStackAccess
from .final_objects import FinalObjects
from .responses import read_etag
from .segment_containers import OWN_CONTAINER, SegmentContainers, has_own_container, placed, upload_key
from .segmented import SegmentedUploads
from .signing import temp_url
from .single import SingleSegmentUploads
from .sweep import Sweeping, sweep_swift
from .tombstones import ContainerMissing, SwiftSealingMarks, Tombstones

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

T = TypeVar("T")

MAX_CONTAINER_BYTES = 256 - len("_segments_") - 32


class SwiftStorage:
    """A storage in Swift.

    Finished uploads are in ``container``, staged ones in ``container_staging``, segments in ``container_segments_…``.

    :param container: the name, at most 214 bytes in UTF-8, without a slash.
    :param cloud: a cloud in ``clouds.yaml``; None for ``OS_CLOUD`` or the ``OS_*`` variables.
    :param public_interface: the catalog's interface that browsers use (such as "public"), where it is not the one that
        the application uses.
    :param access: another way to log in than openstacksdk's.
    :raises ConfigurationError: the name cannot be a container's.
    """

    needs_secret = True

    def __init__(
        self,
        container: str,
        *,
        cloud: str | None = None,
        public_interface: str | None = None,
        access: Access | None = None,
    ) -> None:
        if container in ("", ".", "..") or "/" in container or len(container.encode()) > MAX_CONTAINER_BYTES:
            raise ConfigurationError(
                f"storage: {container!r} is no name for a container: give 1 to {MAX_CONTAINER_BYTES} bytes without '/'"
            )
        self.container = container
        self._client = SwiftClient(access or OpenStackAccess(cloud, public_interface))
        self._staging, segments = f"{container}_staging", f"{container}_segments"
        self._tombstones = Tombstones(self._client, self._staging)
        self._finals = FinalObjects(self._client, container)
        self._staged = SingleSegmentUploads(self._client, self._staging, self._finals, self._tombstones)
        self._segments = SegmentedUploads(SegmentContainers(self._client, segments), self._finals, self._tombstones)
        self.sealing_marks = SwiftSealingMarks(self._client, self._staging)
        capabilities = CapabilityCache()
        self._provisioning = Provisioning(self._client, container, self._staging, self._staging, STAGING, capabilities)
        self._pinned_provisioning = Provisioning(self._client, container, segments, self._staging, PINNED, capabilities)
        self._keys = Keys(())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.container!r})"

    def default_secrets(self) -> tuple[str, ...]:
        """Raise ConfigurationError: Swift needs a secret."""
        raise ConfigurationError("secret is required for Swift")

    def bind(self, keys: Keys) -> None:
        """See :meth:`.base.Storage.bind`."""
        self._keys = keys
        self._provisioning.forget()  # another middleware's keys have to be provisioned
        self._pinned_provisioning.forget()

    def limits(self) -> Limits:
        """See :meth:`.base.Storage.limits`."""
        return self._provisioning.cluster_info(self._keys).limits

    # -- before completion -----------------------------------------------------------------------------------

    def begin(self, transfer: Transfer, *, origin: str) -> str:
        """See :meth:`.base.Storage.begin`."""
        transfer = placed(replace(transfer, reference=self._choose_place(transfer)))
        shared = self._shared(transfer)
        check_capabilities(transfer, shared.cluster_info(self._keys).capabilities)
        shared.allow_origin(self._keys, origin)
        if has_own_container(transfer):
            self._segments.begin(transfer, self._keys, origin)
        return transfer.reference

    def _choose_place(self, transfer: Transfer) -> str:
        """Return OWN_CONTAINER for an upload that would share one, where a temp URL can copy its neighbours; else "".

        The ticket keeps it: the cluster may be updated before the upload is complete. An empty file has nothing to
        copy, and cannot be a segment.
        """
        if has_own_container(transfer) or not transfer.size:
            return ""
        capabilities = self._provisioning.cluster_info(self._keys).capabilities
        if capabilities.isolates_temp_urls or not capabilities.has_container_keys:
            return ""
        return OWN_CONTAINER

    def _shared(self, transfer: Transfer) -> Provisioning:
        """Return what provisions the shared containers that this upload needs."""
        return self._pinned_provisioning if transfer.is_segmented and transfer.seal == "pin" else self._provisioning

    def sign(
        self,
        transfer: Transfer,
        indexes: Iterable[int],
        *,
        ttl: int,
        ip_range: str | None = None,
        fresh: bool = False,
        origin: str | None = None,
    ) -> list[SignedSegment]:
        """See :meth:`.base.Storage.sign`."""
        transfer = placed(transfer)
        if origin is not None and not fresh and not has_own_container(transfer):
            self._repair_for(transfer, origin)
        cluster = self._shared(transfer).cluster_info(self._keys)
        check_capabilities(transfer, cluster.capabilities)
        key = self._upload_key(transfer, cluster, fresh)
        expires = self._client.now() + ttl
        options: dict[str, Any] = {"expires": expires, "digest": cluster.digest, "ip_range": ip_range}
        return [
            SignedSegment(
                transfer.segment(index),
                temp_url(self._client, key, "PUT", *self._place(transfer, index), **options),
                expires,
            )
            for index in indexes
        ]

    def _repair_for(self, transfer: Transfer, origin: str) -> None:
        """Provision again what an operator has removed: perhaps that is why more temp URLs are asked for."""
        shared = self._shared(transfer)
        if not shared.is_intact(self._keys, origin):
            shared.repair(self._keys)
            shared.allow_origin(self._keys, origin)

    def _repairing(self, transfer: Transfer, carry_out: Callable[[], T]) -> T:
        """Carry it out. Where an operator has removed a shared container, make it again and repeat."""
        try:
            return carry_out()
        except ContainerMissing:
            self._shared(transfer).repair(self._keys)
            return carry_out()

    def _place(self, transfer: Transfer, index: int) -> tuple[str, str]:
        if transfer.is_segmented:
            return self._segments.containers.of(transfer, index)
        return self._staging, transfer.id

    def _upload_key(self, transfer: Transfer, cluster: ClusterInfo, fresh: bool) -> str:
        """Return the key that signs this upload. Unless it is fresh, check first whether more may be signed.

        It is the account's only where containers cannot have keys, and where the application has agreed to that by
        choosing "pin".
        """
        if has_own_container(transfer):
            return upload_key(self._keys, transfer.id) if fresh else self._segments.signing_key(transfer)
        if not fresh:
            self._tombstones.check(transfer.id)
            final = self._finals.find_own_or_raise(transfer)
            if final is not None and final.is_sealed:
                raise AlreadyComplete
        if not cluster.capabilities.has_container_keys:
            return cluster.account_key
        return self._keys.derive(*(PINNED if transfer.is_segmented else STAGING))

    def send(self, signed: SignedSegment, body: SegmentReader) -> int:
        """See :meth:`~..sending.SegmentSender.send`."""
        data = body if len(body) else b""
        options: dict[str, Any] = {"headers": signed.headers, "data": data, "expect": range(200, 600)}
        return self._client.request("PUT", url=signed.url, anonymous=True, attempts=1, **options).status_code

    def status(self, transfer: Transfer) -> UploadStatus:
        """See :meth:`.base.Storage.status`."""
        transfer = placed(transfer)
        return self._kind(transfer).status(transfer)

    def _kind(self, transfer: Transfer) -> SingleSegmentUploads | SegmentedUploads:
        return self._segments if transfer.is_segmented else self._staged

    # -- completion and abort ----------------------------------------------------------------------------------

    def seal(self, transfer: Transfer, etags: Mapping[int, str], *, pending: bool) -> Sealed:
        """See :meth:`.base.Storage.seal`."""
        transfer = placed(transfer)
        kind = self._kind(transfer)
        return self._repairing(transfer, lambda: kind.seal(transfer, etags, pending=pending))

    def confirm(self, transfer: Transfer, sealed: Sealed) -> None:
        """See :meth:`.base.Storage.confirm`."""
        transfer = placed(transfer)
        kind = self._kind(transfer)
        self._repairing(transfer, lambda: kind.confirm(transfer, sealed))

    def abort(self, transfer: Transfer) -> None:
        """See :meth:`.base.Storage.abort`."""
        transfer = placed(transfer)
        kind = self._kind(transfer)
        self._repairing(transfer, lambda: kind.abort(transfer))

    def refuse(self, transfer: Transfer) -> None:
        """See :meth:`.base.Storage.refuse`."""
        transfer = placed(transfer)
        kind = self._kind(transfer)
        self._repairing(transfer, lambda: kind.refuse(transfer))

    # -- afterwards --------------------------------------------------------------------------------------------

    def delete(self, stored: StoredObject, *, until: int = 0) -> None:
        """See :meth:`.base.Storage.delete`."""
        final = self._finals.find(stored.name)
        if final is not None and final.id != stored.id:
            return
        segments = self._finals.count_segments(stored.name) if final is not None and final.is_slo else 0
        if final is not None:
            if until > self._client.now():
                with suppress(ContainerMissing):  # then no temp URL writes there either
                    self._tombstones.put(stored.id, until)
            self._finals.delete(stored.name)
        if final is None or final.is_slo:
            self._segments.containers.remove(stored.id, range(segments))

    def open(self, stored: StoredObject) -> BinaryIO:
        """See :meth:`.base.Storage.open`."""

        def fetch(first: int, last: int) -> bytes:
            headers = {"Range": f"bytes={first}-{last}"}
            response = self._client.request("GET", self.container, stored.name, headers=headers, expect=(206,))
            # Not by If-Match: Ceph's gateway answers 412 to it for every large object.
            if read_etag(response.headers) != stored.etag:
                raise StorageError("The object in storage is not the one that was sealed.")
            if len(response.content) != last - first + 1:
                raise StorageError("Storage gave less of the object than was asked for.")
            return response.content

        return BufferedReader(ObjectReader(stored.size, fetch), SMALLEST_WINDOW)

    def check(self, stored: StoredObject) -> None:
        """Check that the object is the upload's. See :meth:`.base.Storage.check`."""
        final = self._finals.find(stored.name)
        if final is None or final.id != stored.id:
            raise NotFound("The upload was deleted.")

    def download_url(self, name: str, *, filename: str, inline: bool, ttl: int) -> str:
        """See :meth:`.base.Storage.download_url`."""
        cluster = self._provisioning.cluster_info(self._keys)
        options: dict[str, Any] = {"filename": filename, "inline": inline, "digest": cluster.digest}
        expires = self._client.now() + ttl
        return temp_url(self._client, cluster.account_key, "GET", self.container, name, expires=expires, **options)

    def admin(self) -> SwiftAdmin:
        """Return the operators' view of this storage."""
        return SwiftAdmin(self._client, self.container, self._staging, self._segments.containers.prefix, self._keys)

    def sweep(
        self, *, older_than: int, dry_run: bool = False, progress: Progress = ignore_progress
    ) -> Iterator[Finding]:
        """See :meth:`.sweeping.Sweepable.sweep`."""
        parts = (self._client, self.container, self._staging, self._finals, self._segments.containers)
        return sweep_swift(Sweeping(*parts, older_than=older_than, dry_run=dry_run, progress=progress))

    def browser_storage_origin(self) -> str | None:
        """See :meth:`.base.Storage.browser_storage_origin`."""
        parts = urlsplit(self._client.public_url())
        return f"{parts.scheme}://{parts.netloc}"

    def serve(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes] | None:
        """Return None: browsers send to Swift itself."""
        return None
