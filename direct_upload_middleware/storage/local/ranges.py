"""Conditions and ranges of a GET request (RFC 9110, sections 13 and 14). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_RANGE = re.compile(r"bytes=([0-9]{0,19})-([0-9]{0,19})")


class Unsatisfiable(Exception):
    """The range lies beyond the object's end."""


def matches(environ: Mapping[str, Any], etag: str) -> bool:
    """Whether ``If-Match``, where there is one, names the object."""
    header = environ.get("HTTP_IF_MATCH")
    return header is None or bool({"*", f'"{etag}"', etag} & _tags(header))


def unchanged(environ: Mapping[str, Any], etag: str, modified: str) -> bool:
    """Whether the client has the object already: ``If-None-Match``, or ``If-Modified-Since`` with our own date."""
    header = environ.get("HTTP_IF_NONE_MATCH")
    if header is None:
        return bool(environ.get("HTTP_IF_MODIFIED_SINCE") == modified)
    return bool({"*", f'"{etag}"', etag} & {tag.removeprefix("W/") for tag in _tags(header)})


def _tags(header: str) -> set[str]:
    return {tag.strip() for tag in header.split(",")}


def asked_range(environ: Mapping[str, Any], size: int, etag: str, modified: str) -> tuple[int, int] | None:
    """The first byte and the one after the last that are asked for; None for the whole object.

    Whoever asks for several ranges at once gets the whole object. Raises Unsatisfiable.
    """
    match = _RANGE.fullmatch(environ.get("HTTP_RANGE", "").strip())
    if not match or match[0] == "bytes=-" or environ["REQUEST_METHOD"] != "GET":
        return None
    if environ.get("HTTP_IF_RANGE", modified) not in (modified, f'"{etag}"'):
        return None
    first, last = match.groups()
    if not first:
        start, stop = max(0, size - int(last)), size
    else:
        start, stop = int(first), int(last) + 1 if last else size
        if stop <= start and last:
            return None  # not a range at all
    if start >= size:
        raise Unsatisfiable
    return start, min(stop, size)
