"""Receiving the body of a PUT: whole and undamaged, or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..base import GiB
from .disk import Incoming
from .responses import Refusal

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

MAX_SEGMENT_SIZE = 5 * GiB
BLOCK = 64 * 1024


def content_length(environ: WSGIEnvironment) -> int | None:
    """The bytes that are announced; None for those that end by themselves."""
    if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        if environ.get("wsgi.input_terminated"):
            return None
        raise Refusal(411)
    text = environ.get("CONTENT_LENGTH", "")
    if not text:
        raise Refusal(411)
    if not re.fullmatch("[0-9]{1,20}", text):
        raise Refusal(400)
    if int(text) > MAX_SEGMENT_SIZE:
        raise Refusal(413)
    return int(text)


def receive(environ: WSGIEnvironment, incoming: Incoming, length: int | None) -> str:
    """Take the whole body, and give its ETag; refuse one that was cut short or damaged on the way."""
    for data in _body(environ, length):
        incoming.write(data)
        if incoming.size > MAX_SEGMENT_SIZE:
            raise Refusal(413)
    if length is not None and incoming.size != length:
        raise Refusal(499, "Client Disconnect")
    claimed = environ.get("HTTP_ETAG", "").strip('"').lower()
    if claimed and claimed != incoming.etag:
        raise Refusal(422)
    return incoming.etag


def _body(environ: WSGIEnvironment, length: int | None) -> Iterator[bytes]:
    left = length
    while left is None or left > 0:
        try:
            data = environ["wsgi.input"].read(BLOCK if left is None else min(BLOCK, left))
        except Exception as error:  # each server has errors of its own for a client that is gone or sends nonsense
            raise Refusal(499, "Client Disconnect") from error
        if not data:
            return
        if left is not None:
            left -= len(data)
        yield data
