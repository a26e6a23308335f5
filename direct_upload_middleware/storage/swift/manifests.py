"""The manifest of a static large object, and what Swift says when it does not fit. Pure.

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
    """The body of ``PUT …?multipart-manifest=put``."""
    lines = [{"path": e.path, "etag": e.etag, "size_bytes": e.size_bytes} for e in manifest]
    return json.dumps(lines, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Problems:
    """Indexes of the segments that are ``missing`` and those that ``differ``."""

    missing: list[int]
    differ: list[int]


def manifest_problems(answer: Mapping[str, Any], paths: Sequence[str]) -> Problems | None:
    """What is wrong with the segments, from Swift's JSON answer to the manifest; None when it is something else."""
    errors = answer.get("Errors")
    if not isinstance(errors, list):
        return None
    index = {path: number for number, path in enumerate(paths)}
    missing: set[int] = set()
    differ: set[int] = set()
    for path, text in errors:
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
    """Whether Swift could not read a segment at that moment, as may be while its metadata are written."""
    errors = answer.get("Errors")
    return isinstance(errors, list) and any(text.startswith("5") for _, text in errors)
