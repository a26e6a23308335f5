"""An in-process replacement for memcached, for the proxy of a private Swift.

Swift's proxy caches tokens, accounts and containers in memcached. The private Swift has a single proxy process, so a
dictionary is enough. This module is a Paste filter that puts a :class:`Cache`, with the methods of
``swift.common.memcached.MemcacheRing``, into the environ as ``swift.cache``.
"""

from __future__ import annotations

import json
import time as clock
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class _Entry(NamedTuple):
    text: bytes
    is_json: bool
    expires: float | None

    def is_fresh(self) -> bool:
        return self.expires is None or clock.monotonic() < self.expires


class Cache:
    """A ``MemcacheRing`` that stores its entries in a dictionary.

    ``time`` is in seconds from now; 0 means forever. Values are converted to JSON and back, as with memcached: the
    caller gets a copy, and tuples become lists.
    """

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}

    def set(
        self,
        key: str,
        value: Any,
        serialize: bool = True,
        time: float = 0,
        min_compress_len: int = 0,
        raise_on_error: bool = False,
    ) -> None:
        """Store one value."""
        if serialize:
            text = json.dumps(value.decode() if isinstance(value, bytes) else value).encode()
        else:
            text = value if isinstance(value, bytes) else str(value).encode()
        self._entries[key] = _Entry(text, serialize, _expiry(time))

    def get(self, key: str, raise_on_error: bool = False) -> Any:
        """Return the value, or None if it is missing or has expired."""
        entry = self._fresh(key)
        if entry is None:
            return None
        return json.loads(entry.text) if entry.is_json else entry.text

    def incr(self, key: str, delta: int = 1, time: float = 0) -> int:
        """Add to a number that stays ≥ 0; an existing key keeps its expiry, as in memcached."""
        entry = self._fresh(key) or _Entry(b"0", False, _expiry(time))
        value = max(0, int(entry.text) + int(delta))
        self._entries[key] = entry._replace(text=str(value).encode())
        return value

    def decr(self, key: str, delta: int = 1, time: float = 0) -> int:
        """Subtract from a number."""
        return self.incr(key, -delta, time)

    def delete(self, key: str, server_key: str | None = None) -> None:
        """Remove an entry, if there is one."""
        self._entries.pop(key, None)

    def set_multi(
        self,
        mapping: Mapping[str, Any],
        server_key: str,
        serialize: bool = True,
        time: float = 0,
        min_compress_len: int = 0,
    ) -> None:
        """Store several values."""
        for key, value in mapping.items():
            self.set(key, value, serialize, time)

    def get_multi(self, keys: Iterable[str], server_key: str) -> list[Any]:
        """Return the values of several keys, with None for each missing one."""
        return [self.get(key) for key in keys]

    def _fresh(self, key: str) -> _Entry | None:
        entry = self._entries.get(key)
        if entry is not None and not entry.is_fresh():
            del self._entries[key]
            return None
        return entry


def _expiry(time: float) -> float | None:
    return clock.monotonic() + time if time else None


def filter_factory(global_conf: Mapping[str, str], **local_conf: str) -> Callable[[WSGIApplication], WSGIApplication]:
    """Return the Paste filter, which gives each wrapped application one cache."""

    def with_cache(app: WSGIApplication) -> WSGIApplication:
        cache = Cache()

        def cached(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            environ["swift.cache"] = cache
            return app(environ, start_response)

        return cached

    return with_cache
