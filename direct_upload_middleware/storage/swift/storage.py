"""OpenStack Swift."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
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
from .credentials import OpenStackAccess
from .final_objects import ContainerMissing, FinalObject, FinalObjects
from .provisioning import PINNED, STAGING, ClusterInfo, Provisioning
from .segment_containers import upload_key
from .segmented import SegmentedUploads
from .signing import temp_url
from .single import SingleSegmentUploads
from .sweep import Sweeping, sweep_swift
from .tombstones import SwiftSealingMarks

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

T = TypeVar("T")

MAX_CONTAINER_BYTES = 256 - len("_segments_") - 32


class SwiftStorage:
    """Finished uploads go to ``container``, staged ones to ``container_staging``, segments to ``container_segments_…``.

    :param container: the name, at most 214 bytes in UTF-8, without a slash.
    :param cloud: a cloud in ``clouds.yaml``; None for ``OS_CLOUD`` or the ``OS_*`` variables.
    :param access: another way to a token than openstacksdk's.
    :raises ConfigurationError: the name cannot be a container's.
    """

    needs_secret = True

    def __init__(self, container: str, *, cloud: str | None = None, access: Access | None = None) -> None:
        if container in ("", ".", "..") or "/" in container or len(container.encode()) > MAX_CONTAINER_BYTES:
            raise ConfigurationError(
                f"storage: {container!r} is no name for a container: give 1 to {MAX_CONTAINER_BYTES} bytes without '/'"
            )
        self.container = container
        self._client = SwiftClient(access or OpenStackAccess(cloud))
        self._finals = FinalObjects(self._client, container)
        self._staged = SingleSegmentUploads(self._client, f"{container}_staging", self._finals)
        self._segments = SegmentedUploads(self._client, f"{container}_segments", self._finals)
        self.sealing_marks = SwiftSealingMarks(self._client, self._staged.container)
        self._provisioning = Provisioning(self._client, container, self._staged.container, STAGING)
        self._pinned_provisioning = Provisioning(self._client, container, f"{container}_segments", PINNED)
        self._keys = Keys(())

    def __repr__(self) -> str:
        return f"SwiftStorage({self.container!r})"

    def default_secrets(self) -> tuple[str, ...]:
        raise ConfigurationError("secret is required for Swift")

    def bind(self, keys: Keys) -> None:
        self._keys = keys
        self._provisioning.forget()  # for another middleware, of other secrets, it has to be set up anew
        self._pinned_provisioning.forget()

    def limits(self) -> Limits:
        return self._provisioning.cluster_info(self._keys).limits

    # -- before completion -----------------------------------------------------------------------------------

    def begin(self, transfer: Transfer, *, origin: str) -> None:
        shared = self._shared(transfer)
        _check_keys(transfer, shared.cluster_info(self._keys))
        shared.allow_origin(self._keys, origin)
        if _has_own_container(transfer):
            self._segments.begin(transfer, self._keys, origin)

    def _shared(self, transfer: Transfer) -> Provisioning:
        """What sets up the shared containers that this upload needs."""
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
        if origin is not None and not fresh and not _has_own_container(transfer):
            self._mend_for(transfer, origin)
        cluster = self._shared(transfer).cluster_info(self._keys)
        _check_keys(transfer, cluster)
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

    def _mend_for(self, transfer: Transfer, origin: str) -> None:
        """Who asks for more temp URLs may do so because an operator has removed the container that they are for."""
        shared = self._shared(transfer)
        if not shared.is_intact(self._keys, origin):
            shared.mend(self._keys)
            shared.allow_origin(self._keys, origin)

    def _mending(self, transfer: Transfer, carry_out: Callable[[], T]) -> T:
        """Carry it out; where an operator has removed the final container, make it again and repeat."""
        try:
            return carry_out()
        except ContainerMissing:
            self._shared(transfer).mend(self._keys)
            return carry_out()

    def _place(self, transfer: Transfer, index: int) -> tuple[str, str]:
        if transfer.is_segmented:
            return self._segments.containers.of(transfer, index)
        return self._staged.container, transfer.id

    def _upload_key(self, transfer: Transfer, cluster: ClusterInfo, fresh: bool) -> str:
        """The key for temp URLs of this upload; unless it is fresh, after a look whether there may be more of them.

        It is the account's only where containers cannot have keys, and where the application has agreed to that by
        choosing "pin".
        """
        if _has_own_container(transfer):
            return upload_key(self._keys, transfer.id) if fresh else self._segments.signing_key(transfer)
        if not fresh:
            self._kind(transfer).tombstones.check(transfer.id)
            final = self._finals.find_own_or_raise(transfer)
            if final is not None and final.is_sealed:
                raise AlreadyComplete
        if not cluster.has_container_keys:
            return cluster.account_key
        return self._keys.derive(*(PINNED if transfer.is_segmented else STAGING))

    def send(self, signed: SignedSegment, body: SegmentReader) -> int:
        """See :meth:`~..sending.SegmentSender.send`."""
        data = body if len(body) else b""
        options: dict[str, Any] = {"headers": signed.headers, "data": data, "expect": range(200, 600)}
        return self._client.request("PUT", url=signed.url, anonymous=True, attempts=1, **options).status_code

    def status(self, transfer: Transfer) -> UploadStatus:
        return self._kind(transfer).status(transfer)

    def _kind(self, transfer: Transfer) -> SingleSegmentUploads | SegmentedUploads:
        return self._segments if transfer.is_segmented else self._staged

    # -- completion and abort ----------------------------------------------------------------------------------

    def seal(self, transfer: Transfer, etags: Mapping[int, str], *, pending: bool) -> Sealed:
        kind = self._kind(transfer)
        return self._mending(transfer, lambda: kind.seal(transfer, etags, pending=pending))

    def confirm(self, transfer: Transfer, sealed: Sealed) -> None:
        if not transfer.is_segmented or not sealed.complete:
            self._kind(transfer).confirm(transfer)

    def abort(self, transfer: Transfer) -> None:
        kind = self._kind(transfer)
        self._mending(transfer, lambda: kind.abort(transfer))

    def refuse(self, transfer: Transfer) -> None:
        self.abort(transfer)
        if not _has_own_container(transfer):
            self._kind(transfer).tombstones.remove(transfer.id)

    # -- afterwards --------------------------------------------------------------------------------------------

    def delete(self, stored: StoredObject, *, until: int = 0) -> None:
        final = self._finals.find(stored.name)
        if final is not None and final.id != stored.id:
            return
        if final is not None:
            if until > self._client.now():
                self._leave_tombstone(stored, final, until)
            self._finals.delete(stored.name)
        if final is None or final.is_slo:
            self._segments.containers.remove(stored.id)

    def _leave_tombstone(self, stored: StoredObject, final: FinalObject, until: int) -> None:
        """That the upload is over. Where the container for that is gone, no temp URL writes there either."""
        kind = self._segments if final.is_slo else self._staged
        with suppress(ContainerMissing):
            kind.tombstones.mark_aborted(stored.id, until)

    def open(self, stored: StoredObject) -> BinaryIO:
        def fetch(first: int, last: int) -> bytes:
            headers = {"Range": f"bytes={first}-{last}", "If-Match": f'"{stored.etag}"'}
            response = self._client.request("GET", self.container, stored.name, headers=headers, expect=(206,))
            if len(response.content) != last - first + 1:
                raise StorageError("Swift gave less of the object than asked for.")
            return response.content

        return BufferedReader(ObjectReader(stored.size, fetch), SMALLEST_WINDOW)

    def check(self, stored: StoredObject) -> None:
        """Check that the object is the upload's. See :meth:`.base.Storage.check`."""
        final = self._finals.find(stored.name)
        if final is None or final.id != stored.id:
            raise NotFound("The upload was deleted.")

    def download_url(self, name: str, *, filename: str, inline: bool, ttl: int) -> str:
        cluster = self._provisioning.cluster_info(self._keys)
        options: dict[str, Any] = {"filename": filename, "inline": inline, "digest": cluster.digest}
        expires = self._client.now() + ttl
        return temp_url(self._client, cluster.account_key, "GET", self.container, name, expires=expires, **options)

    def admin(self) -> SwiftAdmin:
        """For operators' commands."""
        return SwiftAdmin(
            self._client, self.container, self._staged.container, self._segments.containers.prefix, self._keys
        )

    def sweep(
        self, *, older_than: int, dry_run: bool = False, progress: Progress = ignore_progress
    ) -> Iterator[Finding]:
        """See :meth:`.sweeping.Sweepable.sweep`."""
        parts = (self._client, self.container, self._staged.container, self._finals, self._segments.containers)
        return sweep_swift(Sweeping(*parts, older_than=older_than, dry_run=dry_run, progress=progress))

    def browser_storage_origin(self) -> str | None:
        parts = urlsplit(self._client.storage_url)
        return f"{parts.scheme}://{parts.netloc}"

    def serve(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes] | None:
        return None


def _check_keys(transfer: Transfer, cluster: ClusterInfo) -> None:
    """Temp URLs that the account's key signs cannot be called back: "revoke" has none."""
    if transfer.seal == "revoke" and not cluster.has_container_keys:
        raise StorageError("This storage heeds no temp URL keys of containers, which seal='revoke' needs.")


def _has_own_container(transfer: Transfer) -> bool:
    return transfer.is_segmented and transfer.seal == "revoke"
