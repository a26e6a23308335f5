"""From a storage URL to a storage: ``local:PATH``, ``swift://CONTAINER``, ``rackspace://CONTAINER``."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from ..errors import ConfigurationError
from .base import Storage


def storage_from_url(url: str) -> Storage:
    """The storage that a URL names; raises :class:`~direct_upload_middleware.errors.ConfigurationError`.

    Nothing is imported but what the URL needs, and nothing is connected to.
    """
    try:
        parts = urlsplit(url)
        query = (
            parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True, errors="strict") if parts.query else []
        )
    except ValueError as error:
        raise ConfigurationError(f"storage: {url!r} is no URL: {error}") from error
    make = _SCHEMES.get(parts.scheme)
    if make is None:
        raise ConfigurationError(
            f"storage: {url!r} has no known scheme; use one of " + ", ".join(f"{scheme}:" for scheme in _SCHEMES)
        )
    if len({name for name, _ in query}) != len(query):
        raise ConfigurationError(f"storage: {url!r} gives an option twice")
    if empty := [name for name, value in query if not value]:
        raise ConfigurationError(f"storage: {url!r} gives no value for {empty[0]}: give one, or leave it out")
    return make(parts, dict(query))


def _local(parts: SplitResult, query: dict[str, str]) -> Storage:
    from .local.storage import LocalStorage

    _only(query)
    if parts.netloc or parts.fragment:
        raise ConfigurationError("storage: write local:PATH, such as local:.direct-upload or local:/var/uploads")
    path = _unquoted(parts.path)
    return LocalStorage(path) if path else LocalStorage()


def _swift(parts: SplitResult, query: dict[str, str]) -> Storage:
    from .swift.storage import SwiftStorage

    _only(query, "cloud", "public_interface")
    return SwiftStorage(_container(parts), cloud=query.get("cloud"), public_interface=query.get("public_interface"))


def _rackspace(parts: SplitResult, query: dict[str, str]) -> Storage:
    from .rackspace.storage import RackspaceStorage

    _only(query, "region", "internal")
    if query.get("internal", "0") not in ("0", "1"):
        raise ConfigurationError("storage: internal is 0 or 1")
    return RackspaceStorage(_container(parts), region=query.get("region"), internal=query.get("internal") == "1")


_SCHEMES: dict[str, Callable[[SplitResult, dict[str, str]], Storage]] = {
    "local": _local,
    "swift": _swift,
    "rackspace": _rackspace,
}


def _container(parts: SplitResult) -> str:
    if not parts.netloc or parts.path not in ("", "/") or parts.fragment or "@" in parts.netloc:
        raise ConfigurationError(f"storage: write {parts.scheme}://CONTAINER, with the options after a '?'")
    return _unquoted(parts.netloc)


def _unquoted(text: str) -> str:
    try:
        found = unquote(text, errors="strict")
    except UnicodeError as error:
        raise ConfigurationError(f"storage: {text!r} is not UTF-8") from error
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in found):
        raise ConfigurationError(f"storage: {text!r} has control characters")
    return found


def _only(query: dict[str, str], *known: str) -> None:
    for name in query:
        if name not in known:
            hint = f"; known: {', '.join(known)}" if known else ""
            raise ConfigurationError(f"storage: unknown option {name!r} in the URL{hint}")
