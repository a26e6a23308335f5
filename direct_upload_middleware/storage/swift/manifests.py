"""The manifest of a static large object, and Swift's answer to one that does not match its segments. Pure.

See Swift's documentation, *Static Large Objects*.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

SIZE_MISMATCH = "Size Mismatch"
ETAG_MISMATCH = "Etag Mismatch"


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """One line of a manifest: ``path`` is ``/container/object``, not quoted; ``size_bytes`` of the segment."""

    path: str
    etag: str
    size_bytes: int


def manifest_body(manifest: Iterable[ManifestEntry]) -> bytes:
    """Return the body of ``PUT …?multipart-manifest=put``."""
    lines = [{"path": e.path, "etag": e.etag, "size_bytes": e.size_bytes} for e in manifest]
    return json.dumps(lines, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Problems:
    """The indexes of the segments that are ``missing`` and of those that ``differ``."""

    missing: list[int]
    differ: list[int]


def manifest_problems(answer: Mapping[str, Any], paths: Sequence[str]) -> Problems | None:
    """Return what is wrong with the segments, by Swift's JSON answer; None when something else is."""
    index = {path: number for number, path in enumerate(paths)}
    missing: set[int] = set()
    differ: set[int] = set()
    for path, text in _errors(answer):
        number = index.get("/" + unquote(path).lstrip("/"))
        if number is None:
            return None
        if text in (SIZE_MISMATCH, ETAG_MISMATCH) or text.startswith("Too small"):
            differ.add(number)
        elif text.startswith("404"):
            missing.add(number)
        else:
            return None
    return Problems(sorted(missing), sorted(differ)) if missing or differ else None


def is_passing_fault(answer: Mapping[str, Any]) -> bool:
    """Return whether Swift could not read a segment at that moment, as while its metadata are written."""
    return any(text.startswith("5") for _, text in _errors(answer))


def _errors(answer: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the pairs of path and text; none where the answer has another shape."""
    errors = answer.get("Errors")
    if not isinstance(errors, list):
        return []
    pairs = [tuple(error) for error in errors if isinstance(error, list)]
    if len(pairs) != len(errors) or not all(len(pair) == 2 and all(isinstance(p, str) for p in pair) for pair in pairs):
        return []
    return [(path, text) for path, text in pairs]
