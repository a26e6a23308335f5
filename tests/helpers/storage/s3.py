"""S3 in tests: a storage below a prefix of its own in one bucket, and a browser that speaks Swift's language to it."""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from direct_upload_middleware.keys import Keys
from direct_upload_middleware.storage.s3 import S3Storage
from direct_upload_middleware.testing.private_s3.server import REGION
from helpers.storage import browser
from helpers.storage.browser import Answer

BUCKET = "uploads"


class Server(Protocol):
    """An S3 server and the credentials of a user who may do everything."""

    access_key: str
    secret_key: str

    @property
    def url(self) -> str: ...

    def storage_url(self, bucket: str) -> str: ...


class Browser(browser.Browser):
    """Sends what a browser sends, and puts S3's statuses into the contract's, which are Swift's.

    A stored part is 200 here and 201 there; a refused signature 403 and 401; a URL whose upload has ended 404 and 401;
    a damaged part 400 and 422. The MD5 goes in ``Content-MD5`` in Base64 instead of ``ETag`` in hex.
    """

    def request(self, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        sent = dict(headers or {})
        if "ETag" in sent:
            sent["Content-MD5"] = b64encode(bytes.fromhex(sent.pop("ETag"))).decode()
        answer = super().request(method, url, body, sent)
        return replace(answer, status=_translated(method, answer))


def _translated(method: str, answer: Answer) -> int:
    status = answer.status
    if method == "PUT":
        return {200: 201, 403: 401, 404: 401}.get(status, 422 if b"BadDigest" in answer.body else status)
    return {403: 401}.get(status, status)


def s3_storage(server: Server, prefix: str | None = None, **options: object) -> S3Storage:
    """A storage with nothing in it."""
    server.storage_url(BUCKET)
    prefix = prefix or f"test-{secrets.token_hex(6)}"
    storage = S3Storage(BUCKET, prefix, region=REGION, endpoint=server.url, **options)  # type: ignore[arg-type]
    storage._client.use_credentials(server.access_key, server.secret_key)
    storage.bind(Keys(("a secret of the tests",)))
    return storage
