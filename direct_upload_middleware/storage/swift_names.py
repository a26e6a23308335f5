"""Names: of segments, and of the final object in a segment container's metadata, by which a sweep finds it."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping

NAME = "X-Container-Meta-Direct-Upload-Name-"
_META_BYTES = 250  # of one value; Swift takes 256


def object_name(index: int) -> str:
    """The name of a segment in its container; they sort as they follow each other."""
    return f"{index:08d}"


def name_headers(name: str) -> dict[str, str]:
    """Metadata that hold a name of up to 1024 bytes."""
    text = urlsafe_b64encode(name.encode()).decode()
    return {f"{NAME}{i // _META_BYTES}": text[i : i + _META_BYTES] for i in range(0, len(text), _META_BYTES)}


def name_of(headers: Mapping[str, str]) -> str | None:
    """The name in the metadata; None where they do not tell."""
    pieces = [headers[f"{NAME}{i}"] for i in range(len(headers)) if f"{NAME}{i}" in headers]
    try:
        return urlsafe_b64decode("".join(pieces)).decode() or None
    except ValueError:
        return None
