"""Make a storage from its URL: ``local:PATH``, ``swift://CONTAINER``, ``rackspace://CONTAINER``, ``s3://BUCKET``."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from ..errors import ConfigurationError
from .base import Storage


def storage_from_url(url: str) -> Storage:
    """Return the storage that a URL names. Raise :class:`~direct_upload_middleware.errors.ConfigurationError`.

    It imports only what the URL needs, and does not connect.
    """
    try:
        parts = urlsplit(url)
        query = (
            parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True, errors="strict") if parts.query else []
        )
    except ValueError as error:
        raise ConfigurationError(f"storage: {url!r} is not a URL: {error}") from error
    make = _SCHEMES.get(parts.scheme)
    if make is None:
        raise ConfigurationError(
            f"storage: {url!r} has an unknown scheme; known schemes: " + ", ".join(f"{scheme}:" for scheme in _SCHEMES)
        )
    if len({name for name, _ in query}) != len(query):
        raise ConfigurationError(f"storage: {url!r} has an option twice")
    if empty := [name for name, value in query if not value]:
        raise ConfigurationError(f"storage: {url!r} has no value for {empty[0]}: set one, or remove the option")
    return make(parts, dict(query))


def _require_extra(extra: str, *modules: str) -> None:
    """Raise ConfigurationError, with the remedy, unless the modules of an extra are installed."""
    from importlib.util import find_spec

    if missing := [module for module in modules if find_spec(module) is None]:
        raise ConfigurationError(
            f"storage: {extra}:// needs {' and '.join(missing)}: pip install 'direct-upload-middleware[{extra}]'"
        )


def _local(parts: SplitResult, query: dict[str, str]) -> Storage:
    from .local.storage import LocalStorage

    _check_options(query)
    if parts.netloc or parts.fragment:
        raise ConfigurationError("storage: write local:PATH, such as local:.direct-upload or local:/var/uploads")
    path = _unquote(parts.path)
    return LocalStorage(path) if path else LocalStorage()


def _swift(parts: SplitResult, query: dict[str, str]) -> Storage:
    _require_extra("swift", "requests", "openstack")
    from .swift.storage import SwiftStorage

    _check_options(query, "cloud", "public_interface")
    return SwiftStorage(_container(parts), cloud=query.get("cloud"), public_interface=query.get("public_interface"))


def _rackspace(parts: SplitResult, query: dict[str, str]) -> Storage:
    _require_extra("rackspace", "requests", "pyrax")
    from .rackspace.storage import RackspaceStorage

    _check_options(query, "region", "internal")
    if query.get("internal", "0") not in ("0", "1"):
        raise ConfigurationError("storage: internal must be 0 or 1")
    return RackspaceStorage(_container(parts), region=query.get("region"), internal=query.get("internal") == "1")


def _s3(parts: SplitResult, query: dict[str, str]) -> Storage:
    from .s3.storage import S3Storage

    _check_options(query, "region", "endpoint", "profile", "addressing", "sign_copy_source")
    signs = query.pop("sign_copy_source", "0")
    if signs not in ("0", "1"):
        raise ConfigurationError("storage: sign_copy_source is 0 or 1")
    if not parts.netloc or parts.fragment or "@" in parts.netloc or ":" in parts.netloc:
        raise ConfigurationError("storage: write s3://BUCKET or s3://BUCKET/PREFIX, with the options after a '?'")
    prefix = _unquote(parts.path).removeprefix("/").removesuffix("/")
    return S3Storage(_unquote(parts.netloc), prefix, sign_copy_source=signs == "1", **query)


_SCHEMES: dict[str, Callable[[SplitResult, dict[str, str]], Storage]] = {
    "local": _local,
    "swift": _swift,
    "rackspace": _rackspace,
    "s3": _s3,
}


def _container(parts: SplitResult) -> str:
    if not parts.netloc or parts.path not in ("", "/") or parts.fragment or "@" in parts.netloc:
        raise ConfigurationError(f"storage: write {parts.scheme}://CONTAINER, with options after a '?'")
    return _unquote(parts.netloc)


def _unquote(text: str) -> str:
    try:
        found = unquote(text, errors="strict")
    except UnicodeError as error:
        raise ConfigurationError(f"storage: {text!r} is not UTF-8") from error
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in found):
        raise ConfigurationError(f"storage: {text!r} contains control characters")
    return found


def _check_options(query: dict[str, str], *known: str) -> None:
    for name in query:
        if name not in known:
            hint = f"; known: {', '.join(known)}" if known else ""
            raise ConfigurationError(f"storage: unknown option {name!r} in the URL{hint}")
