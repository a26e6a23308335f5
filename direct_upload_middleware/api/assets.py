"""The script's files, from the ``static`` package beside the code."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from webob import Request, Response

from ..errors import NotFound

ENTRY = "direct-upload.js"


def _directory() -> Traversable:
    try:
        return files("direct_upload_middleware.static")
    except ModuleNotFoundError:  # a checkout that is not installed has it beside the package
        return Path(__file__).resolve().parents[2] / "static"


@lru_cache(maxsize=1)
def _assets() -> dict[str, tuple[bytes, str]]:
    """Name → content and ETag, of every module there is: nothing else is ever served."""
    found = {entry.name: entry.read_bytes() for entry in _directory().iterdir() if entry.name.endswith(".js")}
    return {name: (content, sha256(content).hexdigest()[:32]) for name, content in found.items()}


def serve_asset(request: Request, name: str) -> Response:
    """One file, with ETag and conditional requests. Raises NotFound."""
    try:
        content, etag = _assets()[name]
    except KeyError:
        raise NotFound from None
    if etag in request.if_none_match:
        response = Response(status=304)
    else:
        response = Response(body=content, content_type="text/javascript", charset="utf-8")
    response.etag = etag
    response.headers["Cache-Control"] = "no-cache"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Resource-Policy"] = "same-site"
    return response
