"""The stand-in for memcached behaves as Swift's client of memcached does."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from direct_upload_middleware.testing.private_swift.cache import Cache, filter_factory

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock, which a test may set."""
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    return clock


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        pytest.param("text", "text", id="text"),
        pytest.param(b"bytes", "bytes", id="bytes become text"),
        pytest.param((1, ["a"]), [1, ["a"]], id="a tuple becomes a list"),
        pytest.param({"status": 204}, {"status": 204}, id="a dictionary"),
    ],
)
def test_values_are_converted_like_json(stored: object, read: object) -> None:
    cache = Cache()
    cache.set("key", stored)
    assert cache.get("key") == read


def test_an_unserialized_value_is_returned_as_bytes() -> None:
    cache = Cache()
    cache.set("key", 7, serialize=False)
    assert cache.get("key") == b"7"


def test_get_returns_a_copy() -> None:
    cache = Cache()
    cache.set("key", {"a": 1})
    cache.get("key")["a"] = 2
    assert cache.get("key") == {"a": 1}


def test_an_entry_expires(now: list[float]) -> None:
    cache = Cache()
    cache.set("short", 1, time=60)
    cache.set("forever", 2)
    now[0] += 59
    assert cache.get_multi(["short", "forever"], "server") == [1, 2]
    now[0] += 1
    assert cache.get_multi(["short", "forever"], "server") == [None, 2]


def test_delete_can_be_repeated() -> None:
    cache = Cache()
    cache.set("key", 1)
    cache.delete("key")
    cache.delete("key")
    assert cache.get("key") is None


def test_set_multi_stores_each_value() -> None:
    cache = Cache()
    cache.set_multi({"a": 1, "b": 2}, "server", time=60)
    assert cache.get_multi(["b", "a", "c"], "server") == [2, 1, None]


def test_incr_and_decr_start_at_zero_and_never_go_below() -> None:
    cache = Cache()
    assert [cache.incr("n", 5), cache.incr("n"), cache.decr("n", 2), cache.decr("n", 9)] == [5, 6, 4, 0]
    assert cache.decr("other") == 0


def test_incr_keeps_the_first_expiry(now: list[float]) -> None:
    cache = Cache()
    cache.incr("n", time=10)
    now[0] += 9
    assert cache.incr("n", time=10) == 2
    now[0] += 1
    assert cache.incr("n", time=10) == 1


def test_the_filter_gives_all_requests_of_an_application_one_cache() -> None:
    seen = []

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        seen.append(environ["swift.cache"])
        return []

    cached = filter_factory({})(app)
    for _ in range(2):
        cached({}, lambda status, headers, error=None: lambda data: None)
    assert isinstance(seen[0], Cache)
    assert seen[0] is seen[1]
