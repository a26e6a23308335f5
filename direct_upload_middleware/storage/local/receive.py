"""Receive the body of a PUT completely and undamaged, or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING

from ..base import GiB
from .disk import Incoming

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

MAX_SEGMENT_SIZE = 5 * GiB
BLOCK = 64 * 1024
CLIENT_DISCONNECT = 499
"""Swift's status for a body that ends too early."""


class RefusedBody(Exception):
    """The body is not accepted. ``status`` is the response's."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def content_length(environ: WSGIEnvironment, largest: int) -> int | None:
    """Return the announced length in bytes; None for a chunked body. Raise RefusedBody if it exceeds ``largest``."""
    if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        if environ.get("wsgi.input_terminated"):
            return None
        raise RefusedBody(HTTPStatus.LENGTH_REQUIRED)
    text = environ.get("CONTENT_LENGTH", "")
    if not text:
        raise RefusedBody(HTTPStatus.LENGTH_REQUIRED)
    if not re.fullmatch("[0-9]{1,20}", text):
        raise RefusedBody(HTTPStatus.BAD_REQUEST)
    if int(text) > largest:
        raise RefusedBody(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return int(text)


def receive(environ: WSGIEnvironment, incoming: Incoming, length: int | None, largest: int) -> str:
    """Write the whole body and return its ETag. Raise RefusedBody for one that is incomplete, damaged or too large."""
    for data in _read_blocks(environ, length):
        if incoming.size + len(data) > largest:
            raise RefusedBody(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        incoming.write(data)
    if length is not None and incoming.size != length:
        raise RefusedBody(CLIENT_DISCONNECT)
    claimed = environ.get("HTTP_ETAG", "").strip('"').lower()
    if claimed and claimed != incoming.etag:
        raise RefusedBody(HTTPStatus.UNPROCESSABLE_ENTITY)
    return incoming.etag


def _read_blocks(environ: WSGIEnvironment, length: int | None) -> Iterator[bytes]:
    left = length
    while left is None or left > 0:
        try:
            data = environ["wsgi.input"].read(BLOCK if left is None else min(BLOCK, left))
        except Exception as error:  # servers raise various exceptions if the client disconnects or sends garbage
            raise RefusedBody(CLIENT_DISCONNECT) from error
        if not data:
            return
        if left is not None:
            left -= len(data)
        yield data
