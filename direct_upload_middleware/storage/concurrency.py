"""Run a call over many items concurrently."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

PARALLEL = 16


def map_concurrently(call: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Return the results of ``call`` for every item, in order."""
    items = list(items)
    if len(items) < 2:
        return [call(item) for item in items]
    with ThreadPoolExecutor(min(PARALLEL, len(items)), "direct-upload") as pool:
        return list(pool.map(call, items))


def imap_concurrently(call: Callable[[T], R], items: Sequence[T], parallel: int = PARALLEL) -> Iterator[R]:
    """Yield the results of ``call`` for every item, in order.

    When the iterator is closed, calls in progress finish and no others start.
    """
    with ThreadPoolExecutor(parallel, "direct-upload") as pool:
        results = pool.map(call, items)
        try:
            yield from results
        finally:
            pool.shutdown(cancel_futures=True)
