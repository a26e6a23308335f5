"""The script's modules, from the ``static`` package beside the code.

The page loads ``static/direct-upload.js``, which is small and asked for anew each time. Everything else it takes from
``static/{version}/``, whose content never changes, so that browsers need not ask again. What is needed together is
joined when it is first asked for, so that it comes with one request. Every module has an address of its own as well,
with a version and without, for pages that import it by hand; that leads to the same module.
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
from .modules import Files, parse

ENTRY = "direct-upload.js"
#: What every page loads, what every upload needs, and what is seen in a page: each comes with one request.
_TOGETHER = [[ENTRY], ["engine.js"], ["form.js", "element.js"]]
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


@lru_cache(maxsize=1)
def _assets() -> tuple[str, dict[str, Asset]]:
    """The version, and path below ``static/`` → asset: nothing else is ever served."""
    sources = {entry.name: entry.read_text("utf-8") for entry in _directory().iterdir() if entry.name.endswith(".js")}
    files = Files({name: parse(source) for name, source in sorted(sources.items())}, _TOGETHER)
    modules = {name: files.forward(name) or files.write(name, _from_version) for name in sorted(sources)}
    version = sha256(repr(modules).encode()).hexdigest()[:_VERSION_LENGTH]
    served = {name: f'export * from "./{version}/{name}";\n' for name in modules}
    served |= {f"{version}/{name}": text for name, text in modules.items()}
    served[ENTRY] = files.write(ENTRY, lambda file: f"./{version}/{file}")
    served[f"{version}/{ENTRY}"] = f'export * from "../{ENTRY}";\n'
    return version, {path: _asset(text.encode()) for path, text in served.items()}


def _from_version(file: str) -> str:
    return f"../{file}" if file == ENTRY else f"./{file}"


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
