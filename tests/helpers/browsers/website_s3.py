"""The website of :mod:`helpers.browsers.website` on S3."""

from __future__ import annotations

import hashlib
from typing import Any

from direct_upload_middleware.storage.base import Transfer
from direct_upload_middleware.storage.s3 import S3Storage
from direct_upload_middleware.storage.s3.multipart import MIN_PART_SIZE
from direct_upload_middleware.testing.private_s3.server import REGION, S3Server
from helpers.browsers.website import Website
from helpers.faults.fault_proxy import Proxy
from helpers.faults.s3_faults import Behind
from helpers.storage.s3 import BUCKET, s3_storage

SEGMENT = MIN_PART_SIZE


class ProxiedS3(S3Storage):
    """S3, which browsers reach by a way of their own. The host is signed, so their URLs are signed for it."""

    def __init__(self, server: S3Server, prefix: str, back: Proxy, browsers: Proxy) -> None:
        super().__init__(BUCKET, prefix, region=REGION, endpoint=back.url)
        self._client.use_credentials(server.access_key, server.secret_key)
        self._browsers = s3_storage(Behind(server, browsers.url), prefix)

    def _part_url(self, transfer: Transfer, index: int, ttl: int) -> str:
        return self._browsers._part_url(transfer, index, ttl)

    def download_url(self, *what: Any, **how: Any) -> str:
        return self._browsers.download_url(*what, **how)

    def browser_storage_origin(self) -> str | None:
        return self._browsers.browser_storage_origin()


class WebsiteOnS3(Website):
    """A website whose storage is S3."""

    server: Any

    def __init__(self, server: S3Server, **options: Any) -> None:
        super().__init__(server, **{"segment_size": SEGMENT, **options})  # type: ignore[arg-type]

    def make_storage(self) -> S3Storage:
        return ProxiedS3(self.server, self.container, self.back, self.storage_way)

    def segments(self) -> list[str]:
        """The parts that are stored, of all open uploads."""
        client = self.server.client(BUCKET)
        uploads = client.call("list_multipart_uploads", Prefix=f"{self.container}/").get("Uploads", [])
        return [
            f"{upload['Key']}/{part['PartNumber']}"
            for upload in uploads
            for part in client.call("list_parts", Key=upload["Key"], UploadId=upload["UploadId"]).get("Parts", [])
        ]

    def sha256(self, name: str) -> str:
        """Of a complete upload, as it is in S3."""
        answer = self.server.client(BUCKET).call("get_object", Key=f"{self.container}/{name}")
        return hashlib.sha256(answer["Body"]).hexdigest()
