"""S3 servers that could not keep the promises: a proxy in front of a private one gives their answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from helpers.faults.changed_answers import Exchange, meddling
from helpers.storage.s3 import Server

COMPLETED = b"""<?xml version="1.0" encoding="UTF-8"?>
<CompleteMultipartUploadResult><ETag>"d41d8cd98f00b204e9800998ecf8427e-1"</ETag></CompleteMultipartUploadResult>"""


@dataclass
class Behind:
    """A server behind a proxy."""

    server: Server
    url: str

    @property
    def access_key(self) -> str:
        return self.server.access_key

    @property
    def secret_key(self) -> str:
        return self.server.secret_key

    def storage_url(self, bucket: str) -> str:
        return self.server.storage_url(bucket)


@contextmanager
def faulty(server: Server, fault: Callable[[Exchange], None]) -> Iterator[Behind]:
    """A server whose answers ``fault`` changes."""

    def meddle(exchange: Exchange) -> None:
        if exchange.status:
            fault(exchange)

    with meddling(server.url, meddle) as url:
        yield Behind(server, url)


def ignore_if_none_match(exchange: Exchange) -> None:
    """Answer 200 where the condition fails (s3rver)."""
    if is_put_of_object(exchange) and exchange.status == 412:
        exchange.status, exchange.body = 200, b""


def refuse_if_none_match(exchange: Exchange) -> None:
    """Know no conditions (Backblaze B2)."""
    if is_put_of_object(exchange) and exchange.status == 412:
        exchange.status, exchange.body = 501, b"<Error><Code>NotImplemented</Code></Error>"


def give_other_etags(exchange: Exchange) -> None:
    """Encrypt parts, so that their ETags are no MD5 (SSE-KMS)."""
    if is_put_of_part(exchange) and exchange.status == 200:
        exchange.headers = {**exchange.headers, "ETag": f'"{"0" * 32}"'}


def copy_parts(exchange: Exchange) -> None:
    """Take the copy of an object for a part (Ceph RGW, MinIO)."""
    if is_put_of_part(exchange) and exchange.status == 403:
        exchange.status = 200


def complete_wrong_etags(exchange: Exchange) -> None:
    """Complete an upload whatever its ETags are (s3rver)."""
    if exchange.method == "POST" and exchange.status == 400:
        exchange.status, exchange.body = 200, COMPLETED


def keep_urls(exchange: Exchange) -> None:
    """Take parts after the completion (Swift's s3api)."""
    if is_put_of_part(exchange) and exchange.status == 404:
        exchange.status = 200


def is_put_of_part(exchange: Exchange) -> bool:
    return exchange.method == "PUT" and "partNumber" in parse_qs(urlsplit(exchange.url).query)


def is_put_of_object(exchange: Exchange) -> bool:
    return exchange.method == "PUT" and not is_put_of_part(exchange)
