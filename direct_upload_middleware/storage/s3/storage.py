"""S3 as a storage."""

from __future__ import annotations

import re
import unicodedata
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from io import BufferedReader
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import quote, urlsplit

from ...errors import ApplicationError, ConfigurationError, NotFound, StorageError
from ...keys import Keys
from ..base import Checksum, Limits, Seal, Sealed, SignedSegment, StoredObject, Transfer, UploadStatus
from ..object_reader import SMALLEST_WINDOW, ObjectReader
from ..sending import SegmentReader
from ..sweeping import Finding, Progress, ignore_progress
from .admin import S3Admin
from .browser import fetch
from .capabilities import COPY_SOURCE
from .capabilities import FOLDER as PROBES
from .client import Refusal, S3Client
from .multipart import MIN_PART_SIZE, MultipartUploads
from .provisioning import Provisioning
from .records import DECISION, Records, S3SealingMarks
from .records import FOLDER as RECORDS
from .sealing import Sealing
from .signing import LONGEST_TTL
from .sweep import S3Sweep

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MAX_KEY_BYTES = 1024
CHECKSUM = Checksum("Content-MD5", "base64")
ADDRESSINGS = ("path", "virtual")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


class S3Storage:
    """Finished uploads are objects of ``bucket``, below ``prefix``; each is a multipart upload until it is sealed.

    :param bucket: the name: 3 to 63 lower-case letters, digits, dots and hyphens.
    :param prefix: a folder of this storage's own, without a slash at its end.
    :param region: by default that of the AWS configuration.
    :param endpoint: the URL of another server than AWS.
    :param profile: a profile of the AWS configuration; by default botocore's credential chain decides.
    :param addressing: "path" or "virtual"; by default "virtual" for AWS and "path" for an endpoint.
    :param sign_copy_source: sign each part URL for an empty ``x-amz-copy-source`` header, for servers that would let
        its holder copy other objects.
    :raises ConfigurationError: a parameter is wrong, or botocore is not installed.
    """

    needs_secret = True

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        region: str | None = None,
        endpoint: str | None = None,
        profile: str | None = None,
        addressing: str | None = None,
        sign_copy_source: bool = False,
    ) -> None:
        _check_names(bucket, prefix)
        _check_access(endpoint, addressing)
        self.container = f"{bucket}/{prefix}" if prefix else bucket
        folder = f"{prefix}/" if prefix else ""
        self._headers = {COPY_SOURCE: ""} if sign_copy_source else {}
        self._client = S3Client(bucket, region=region, endpoint=endpoint, profile=profile, addressing=addressing)
        self._multipart = MultipartUploads(self._client, folder)
        self._records = Records(self._client, folder)
        self.sealing_marks = S3SealingMarks(self._client, self._records)
        self._provisioning = Provisioning(self._client, folder, signs_copy_source=sign_copy_source)
        self._sealing = Sealing(self._client, self._multipart, self._records, self._has_conditional_complete)
        self._folder = folder

    def __repr__(self) -> str:
        return f"S3Storage({self.container!r})"

    def default_secrets(self) -> tuple[str, ...]:
        """Raise ConfigurationError: S3 has no default secret."""
        raise ConfigurationError("secret is required for S3")

    def bind(self, keys: Keys) -> None:
        """Do nothing: presigned URLs are signed with the credentials."""

    def check_options(self, *, seal: Seal, bind_ip: bool) -> None:
        """Raise ConfigurationError for what S3 cannot do."""
        if seal != "revoke":
            raise ConfigurationError("seal: leave 'pin' out with s3://, where every upload's URLs end at completion")
        if bind_ip:
            raise ConfigurationError(
                "bind_ip: leave it out with s3://, whose URLs cannot be bound to an address; a bucket policy with "
                "aws:SourceIp can restrict the networks"
            )

    def limits(self) -> Limits:
        """See :meth:`.base.Storage.limits`."""
        return Limits(min_segment_size=MIN_PART_SIZE)

    def _has_conditional_complete(self) -> bool:
        return self._provisioning.server().has_conditional_complete

    # -- before completion -----------------------------------------------------------------------------------

    def begin(self, transfer: Transfer, *, origin: str) -> str:
        """Begin a multipart upload, whose id the ticket keeps."""
        self._check_name(transfer.name)
        self._provisioning.server()
        self._provisioning.allow_origin(origin)
        return transfer.reference or self._multipart.create(transfer)

    def _check_name(self, name: str) -> None:
        """Raise ApplicationError for a name that the application must not choose here."""
        if name.startswith((RECORDS, PROBES)):
            raise ApplicationError(f"object_name gave a name below {RECORDS} or {PROBES}, which are reserved.")
        if name.endswith("/"):
            raise ApplicationError("object_name gave a name that ends with '/', which some servers take for a folder.")
        if len(self._multipart.key(name).encode()) > MAX_KEY_BYTES:
            raise ApplicationError(f"object_name gave a name that is, with its prefix, over {MAX_KEY_BYTES} bytes.")

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
        if ip_range is not None:
            raise StorageError("S3 cannot bind a URL to an address.")
        if not fresh:
            self._sealing.check_open(transfer)
        ttl = min(ttl, LONGEST_TTL)
        expires = self._client.now() + ttl
        return [
            SignedSegment(
                transfer.segment(index), self._part_url(transfer, index, ttl), expires, self._headers, CHECKSUM
            )
            for index in indexes
        ]

    def send(self, signed: SignedSegment, body: SegmentReader) -> int:
        """See :meth:`~..sending.SegmentSender.send`."""
        checksum = {CHECKSUM.header: b64encode(body.digest_ahead()).decode()}
        headers = {**signed.headers, **checksum, "Content-Length": str(len(body))}
        return fetch("PUT", signed.url, body if len(body) else b"", headers).status

    def _part_url(self, transfer: Transfer, index: int, ttl: int) -> str:
        query = {"partNumber": str(index + 1), "uploadId": transfer.reference}
        key = self._multipart.key(transfer.name)
        return self._client.presigned_url("PUT", key, query, ttl=ttl, headers=self._headers)

    def status(self, transfer: Transfer) -> UploadStatus:
        """See :meth:`.base.Storage.status`."""
        return self._sealing.status(transfer)

    # -- completion and abort ----------------------------------------------------------------------------------

    def seal(self, transfer: Transfer, etags: Mapping[int, str], *, pending: bool) -> Sealed:
        """See :meth:`.base.Storage.seal`."""
        return self._sealing.seal(transfer, etags, pending=pending)

    def confirm(self, transfer: Transfer, sealed: Sealed) -> None:
        """See :meth:`.base.Storage.confirm`."""
        self._sealing.confirm(transfer, sealed)

    def abort(self, transfer: Transfer) -> None:
        """See :meth:`.base.Storage.abort`."""
        self._sealing.abort(transfer)

    def refuse(self, transfer: Transfer) -> None:
        """Abort. No URL can write to a sealed upload."""
        self._sealing.abort(transfer)

    # -- afterwards --------------------------------------------------------------------------------------------

    def delete(self, stored: StoredObject, *, until: int = 0) -> None:
        """See :meth:`.base.Storage.delete`."""
        self._sealing.delete(stored, until=until)

    def open(self, stored: StoredObject) -> BinaryIO:
        """See :meth:`.base.Storage.open`."""
        key = self._multipart.key(stored.name)

        def fetch(first: int, last: int) -> bytes:
            asked = {"Range": f"bytes={first}-{last}", "IfMatch": f'"{stored.etag}"'}
            try:
                body: bytes = self._client.call("get_object", expect=("404", "412", "416"), Key=key, **asked)["Body"]
            except Refusal as refusal:
                raise StorageError("The object is gone, or is not the one that was sealed.") from refusal
            if len(body) != last - first + 1:
                raise StorageError("S3 gave another part of the object than asked for.")
            return body

        return BufferedReader(ObjectReader(stored.size, fetch), SMALLEST_WINDOW)

    def check(self, stored: StoredObject) -> None:
        """Check that the object is the upload's. See :meth:`.base.Storage.check`."""
        if self._multipart.find_own(stored.name, stored.id) is None:
            raise NotFound("The upload was deleted.")

    def download_url(self, name: str, *, filename: str, inline: bool, ttl: int) -> str:
        """See :meth:`.base.Storage.download_url`."""
        query = {"response-content-disposition": content_disposition(filename, inline=inline)}
        return self._client.presigned_url("GET", self._multipart.key(name), query, ttl=min(ttl, LONGEST_TTL))

    def remove_trial(self, transfer: Transfer) -> None:
        """Remove everything of a trial upload, also its records."""
        self._sealing.clean_up(transfer)
        self._records.remove(transfer.id, DECISION)

    def admin(self) -> S3Admin:
        """Return the operator's view of the bucket."""
        return S3Admin(self._client, self._folder, self._provisioning)

    def sweep(
        self, *, older_than: int, dry_run: bool = False, progress: Progress = ignore_progress
    ) -> Iterator[Finding]:
        """See :meth:`.sweeping.Sweepable.sweep`."""
        parts = (self._client, self._folder, self._multipart, self._records, self._sealing)
        return S3Sweep(*parts, older_than=older_than, dry_run=dry_run).sweep(progress)

    def browser_storage_origin(self) -> str | None:
        """See :meth:`.base.Storage.browser_storage_origin`."""
        parts = urlsplit(self._client.bucket_url)
        return f"{parts.scheme}://{parts.netloc}"

    def serve(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes] | None:
        """See :meth:`.base.Storage.serve`."""
        return None


def content_disposition(filename: str, *, inline: bool) -> str:
    """Return the header by which a browser saves or shows the object under this name."""
    kind = "inline" if inline else "attachment"
    return f"{kind}; filename=\"{quote(filename, safe=' /')}\"; filename*=UTF-8''{quote(filename)}"


def _check_names(bucket: str, prefix: str) -> None:
    if not _BUCKET.fullmatch(bucket) or ".." in bucket:
        raise ConfigurationError(
            f"storage: {bucket!r} is no name for a bucket: give 3 to 63 lower-case letters, digits, dots and hyphens"
        )
    if prefix and any(part in ("", ".", "..") for part in prefix.split("/")):
        raise ConfigurationError("storage: write s3://BUCKET/PREFIX, without empty parts, '.' or '..' in the prefix")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in prefix) or len(prefix.encode()) > 512:
        raise ConfigurationError("storage: the prefix may have 512 bytes, without control characters")


def _check_access(endpoint: str | None, addressing: str | None) -> None:
    if addressing is not None and addressing not in ADDRESSINGS:
        raise ConfigurationError(f"storage: addressing is 'path' or 'virtual', not {addressing!r}")
    if endpoint is None:
        return
    try:
        parts = urlsplit(endpoint)
        is_valid = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port)
    except ValueError:
        is_valid = False
    if not is_valid or parts.query or parts.fragment or "@" in parts.netloc:
        raise ConfigurationError("storage: endpoint is a URL such as https://s3.example.com, without user and query")
