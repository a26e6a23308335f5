"""The script's modules, from the ``static`` package beside the code.

The page loads ``static/direct-upload.js``, which is small and asked for anew each time. Everything else it takes from
``static/{version}/``, whose content never changes, so that browsers need not ask again. Every module has an address
without a version too, for pages that import it by hand; that leads to the same module.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from importlib import import_module
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from webob import Request, Response

from ..errors import NotFound
from .javascript import lazily_imported, needed_at_once, strip_comments

ENTRY = "direct-upload.js"
_FOREVER = "public, max-age=31536000, immutable"
_VERSION_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Asset:
    """One module in each encoding that is worth it, the smallest first; the last one is plain."""

    encodings: dict[str, bytes]
    etag: str


def _directory() -> Traversable:
    try:
        return files("direct_upload_middleware.static")
    except ModuleNotFoundError:  # a checkout that is not installed has it beside the package
        return Path(__file__).resolve().parents[2] / "static"


def _sources() -> dict[str, str]:
    entries = sorted(_directory().iterdir(), key=lambda entry: entry.name)
    return {e.name: strip_comments(e.read_text("utf-8")) for e in entries if e.name.endswith(".js")}


@lru_cache(maxsize=1)
def _assets() -> tuple[str, dict[str, Asset]]:
    """The version, and path below ``static/`` → asset: nothing else is ever served."""
    modules = _sources()
    version = sha256(repr(modules).encode()).hexdigest()[:_VERSION_LENGTH]
    served = {name: f'export * from "./{version}/{name}";\n' for name in modules}
    served[ENTRY] = modules[ENTRY].replace('"./', f'"./{version}/')
    served |= {f"{version}/{name}": module for name, module in _with_preloads(modules).items()}
    served[f"{version}/{ENTRY}"] = f'export * from "../{ENTRY}";\n'
    return version, {path: _asset(text.encode()) for path, text in served.items()}


def _with_preloads(modules: dict[str, str]) -> dict[str, str]:
    """A module that is imported lazily names all that it needs, which the browser then loads side by side instead
    of finding it module by module."""
    lazy = set().union(*map(lazily_imported, modules.values()))
    preloads = {name: "".join(f'import "./{other}";\n' for other in needed_at_once(name, modules)) for name in lazy}
    return {name: preloads.get(name, "") + module for name, module in modules.items()}


def _asset(plain: bytes) -> Asset:
    encoded = {name: encode(plain) for name, encode in _encoders().items()}
    smaller = {name: body for name, body in encoded.items() if len(body) < len(plain)}
    return Asset({**smaller, "identity": plain}, sha256(plain).hexdigest()[:32])


def _encoders() -> dict[str, Callable[[bytes], bytes]]:
    """By name, the best first. Brotli where the application has it."""
    encoders: dict[str, Callable[[bytes], bytes]] = {"gzip": lambda plain: gzip.compress(plain, mtime=0)}
    try:
        return {"br": import_module("brotli").compress, **encoders}
    except ImportError:
        return encoders


def serve_asset(request: Request, path: str) -> Response:
    """One module, with ETag and conditional requests. Raises NotFound."""
    version, assets = _assets()
    folder, _, name = path.rpartition("/")
    # A page from before an update still asks for its version: this one is better than none.
    asset = assets.get(f"{version}/{name}" if len(folder) == _VERSION_LENGTH else path)
    if asset is None:
        raise NotFound
    response = _answer(request, asset, _encoding(request, asset))
    response.headers["Cache-Control"] = _FOREVER if folder == version else "no-cache"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Resource-Policy"] = "same-site"
    return response


def _encoding(request: Request, asset: Asset) -> str:
    if not request.headers.get("Accept-Encoding"):  # then any would do, but not everything can decode one
        return "identity"
    acceptable = {name for name, _ in request.accept_encoding.acceptable_offers([*asset.encodings])}
    return next((name for name in asset.encodings if name in acceptable), "identity")


def _answer(request: Request, asset: Asset, encoding: str) -> Response:
    etag = asset.etag if encoding == "identity" else f"{asset.etag}-{encoding}"
    if etag in request.if_none_match:
        response = Response(status=304)
    else:
        response = Response(body=asset.encodings[encoding], content_type="text/javascript", charset="utf-8")
        if encoding != "identity":
            response.content_encoding = encoding
    response.etag = etag
    return response
