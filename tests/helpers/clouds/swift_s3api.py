"""A private Swift with its own S3 API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from direct_upload_middleware.storage.s3.client import Refusal, S3Client
from direct_upload_middleware.testing.private_swift.server import SwiftServer

REGION = "us-east-1"
S3API = """
[filter:s3api]
use = egg:swift#s3api
min_segment_size = 1
"""


@dataclass(frozen=True)
class SwiftS3:
    """The S3 endpoint of a Swift and the credentials of its user."""

    url: str
    access_key: str
    secret_key: str

    def client(self, bucket: str) -> S3Client:
        """Return a client for this bucket."""
        client = S3Client(bucket, region=REGION, endpoint=self.url)
        client.use_credentials(self.access_key, self.secret_key)
        return client

    def storage_url(self, bucket: str) -> str:
        """Make the bucket, if it is missing, and return its storage URL."""
        with suppress(Refusal):
            self.client(bucket).call("create_bucket", expect=("BucketAlreadyOwnedByYou",))
        return f"s3://{bucket}"


@contextmanager
def swift_s3api() -> Iterator[SwiftS3]:
    """Run a Swift whose proxy has ``s3api`` in its pipeline, as long as the context lasts."""
    with SwiftServer() as server:
        configuration = server.directory / "proxy-server.conf"
        text = configuration.read_text(encoding="utf-8")
        assert text.count(" tempauth ") == 1
        configuration.write_text(text.replace(" tempauth ", " s3api tempauth ") + S3API, encoding="utf-8")
        server.restart_proxy()
        yield SwiftS3(server.url, server.username, server.key)
