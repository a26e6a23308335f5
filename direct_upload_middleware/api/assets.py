"""The script's files, from the ``static`` package beside the code.

The page loads ``static/direct-upload.js``, which is small and revalidated each time. Everything else has an address
below ``static/{version}/``, whose content never changes, so that browsers do not ask again. ``make static`` bundles the
modules into ``static/dist``. Without it, or when it is older than the modules, the modules are served as they are, at
the same addresses.
"""

from __future__ import annotations

import gzip
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from importlib import import_module
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from posixpath import dirname, join, normpath

from webob import Request, Response

from ..errors import NotFound

log = logging.getLogger(__name__)

ENTRY = "direct-upload.js"
PUBLIC = ("messages.js", "uppy.js")
"""Addresses without a version, besides the entry, for pages that import them."""

_FOREVER = "public, max-age=31536000, immutable"
_VERSION_LENGTH = 16
_DIST = "dist"
_DIGEST = "sources.sha256"
_MEDIA_TYPES = {".js": "text/javascript", ".map": "application/json"}
_SPECIFIER = re.compile(r"""(?P<quote>["'])(?P<path>\.{1,2}/[\w./-]+\.js)(?P=quote)""")
_STATIC_IMPORT = re.compile(r"""^(?:import|export)\b[^"';]*["'](?P<path>\.{1,2}/[\w./-]+\.js)["'];""", re.MULTILINE)


@dataclass(frozen=True)
class Asset:
    """A file that is served."""

    plain: bytes
    media_type: str

    @cached_property
    def etag(self) -> str:
        """The ETag of the file as it is, without quotes."""
        return sha256(self.plain).hexdigest()[:32]

    @cached_property
    def encodings(self) -> dict[str, bytes]:
        """The file in each encoding that makes it smaller, the smallest first, and as it is.

        It is compressed when it is first asked for: all files together take most of a second.
        """
        encoders = _encoders() if self.media_type == _MEDIA_TYPES[".js"] else {}
        encoded = {name: encode(self.plain) for name, encode in encoders.items()}
        smaller = {name: body for name, body in encoded.items() if len(body) < len(self.plain)}
        return {**smaller, "identity": self.plain}


def _static_directory() -> Traversable:
    try:
        return files("direct_upload_middleware.static")
    except ModuleNotFoundError:  # a checkout that is not installed has it beside the package
        return Path(__file__).resolve().parents[2] / "static"


@lru_cache(maxsize=1)
def _assets() -> tuple[str, dict[str, Asset]]:
    """Return the version, and every asset by its path below ``static/``. Nothing else is ever served."""
    texts = read_scripts(_static_directory())
    version = sha256(repr(sorted(texts.items())).encode()).hexdigest()[:_VERSION_LENGTH]
    return version, {path: _asset(path, text.encode()) for path, text in _addressed(texts, version).items()}


def read_scripts(static: Traversable) -> dict[str, str]:
    """Return the scripts that are served, by path: the bundles where they are up to date, else the modules."""
    modules = dict(_read(static, exclude=(_DIST,)))
    dist = static / _DIST
    if not (dist / _DIGEST).is_file():  # the digest is written last, so without it there are no whole bundles
        return _with_hoisted_imports(modules)
    if (dist / _DIGEST).read_text("utf-8").strip() != _digest(modules):
        log.warning("static/dist is older than the modules, which are served instead: run 'make static'")
        return _with_hoisted_imports(modules)
    return dict(_read(dist))


def _read(folder: Traversable, prefix: str = "", exclude: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    for entry in folder.iterdir():
        if entry.is_dir() and entry.name not in exclude:
            yield from _read(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(tuple(_MEDIA_TYPES)):
            yield prefix + entry.name, entry.read_text("utf-8")


def _digest(modules: Mapping[str, str]) -> str:
    """Return what ``static/bundle.mjs`` writes for these modules."""
    hashed = sha256()
    for path, text in sorted(modules.items()):
        hashed.update(f"{path}\0{text}\0".encode())
    return hashed.hexdigest()


def _with_hoisted_imports(modules: Mapping[str, str]) -> dict[str, str]:
    """Let each module import all that it needs indirectly too, so that browsers load it at once, not level by level.

    ``<link rel="modulepreload">`` would do the same, but it changes the page, and a strict Content-Security-Policy
    refuses it.
    """
    return {path: _hoisted_imports(path, modules) + text for path, text in modules.items()}


def _hoisted_imports(path: str, modules: Mapping[str, str]) -> str:
    needed: dict[str, None] = {}

    def visit(module: str) -> None:
        for found in _STATIC_IMPORT.finditer(modules[module]):
            other = normpath(join(dirname(module), found["path"]))
            if other not in needed and other != path:
                needed[other] = None
                visit(other)

    visit(path)
    up = "../" * path.count("/") or "./"
    return "".join(f'import "{up}{other}"; ' for other in needed)


def _addressed(texts: Mapping[str, str], version: str) -> dict[str, str]:
    """Return the text at every address, with the imports that lead from one to another.

    The entry has one address only, or its module would run twice.
    """
    served = {f"{version}/{path}": _at_version(path, text) for path, text in texts.items()}
    served[f"{version}/{ENTRY}"] = f'export * from "../{ENTRY}";\n'
    served[ENTRY] = _SPECIFIER.sub(lambda found: found[0].replace("./", f"./{version}/", 1), texts[ENTRY])
    served |= {path: f'export * from "./{version}/{path}";\n' for path in PUBLIC}
    if f"{ENTRY}.map" in texts:
        served[f"{ENTRY}.map"] = texts[f"{ENTRY}.map"]
    return served


def _at_version(path: str, text: str) -> str:
    """Return a file's text with the imports of the entry leading out of the folder of the version."""
    if not path.endswith(".js"):
        return text

    def lead_out(found: re.Match[str]) -> str:
        if normpath(join(dirname(path), found["path"])) != ENTRY:
            return found[0]
        return f"{found['quote']}{'../' * (path.count('/') + 1)}{ENTRY}{found['quote']}"

    return _SPECIFIER.sub(lead_out, text)


def _asset(path: str, plain: bytes) -> Asset:
    return Asset(plain, next(type for suffix, type in _MEDIA_TYPES.items() if path.endswith(suffix)))


def _encoders() -> dict[str, Callable[[bytes], bytes]]:
    """Return the compressions by name, the best first: Brotli where the application has it."""
    encoders: dict[str, Callable[[bytes], bytes]] = {"gzip": lambda plain: gzip.compress(plain, mtime=0)}
    try:
        return {"br": import_module("brotli").compress, **encoders}
    except ImportError:
        return encoders


def serve_asset(request: Request, path: str) -> Response:
    """Return one file, with its ETag, for conditional requests. Raise NotFound if it does not exist."""
    version, assets = _assets()
    folder, _, name = path.partition("/")
    # A page that was loaded before an update still asks for its version. It gets the current one.
    is_versioned = len(folder) == _VERSION_LENGTH and bool(name)
    asset = assets.get(f"{version}/{name}" if is_versioned else path)
    if asset is None:
        raise NotFound
    response = _response(request, asset, _encoding(request, asset))
    response.headers["Cache-Control"] = _FOREVER if folder == version else "no-cache"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Resource-Policy"] = "same-site"
    return response


def _encoding(request: Request, asset: Asset) -> str:
    if not request.headers.get("Accept-Encoding"):  # any would be allowed, but not every client can decode one
        return "identity"
    acceptable = {name for name, _ in request.accept_encoding.acceptable_offers([*asset.encodings])}
    return next((name for name in asset.encodings if name in acceptable), "identity")


def _response(request: Request, asset: Asset, encoding: str) -> Response:
    etag = asset.etag if encoding == "identity" else f"{asset.etag}-{encoding}"
    if etag in request.if_none_match:
        response = Response(status=304)
    else:
        response = Response(body=asset.encodings[encoding], content_type=asset.media_type, charset="utf-8")
        if encoding != "identity":
            response.content_encoding = encoding
    response.etag = etag
    return response
