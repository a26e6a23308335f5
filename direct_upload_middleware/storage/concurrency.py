"""Run a call over many items concurrently."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

PARALLEL = 16

_requests = threading.BoundedSemaphore(PARALLEL)


def map_concurrently(call: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Return the results of ``call``, one request to storage, for every item, in order.

    All uploads that a process completes at the same time share :data:`PARALLEL` requests: more threads would only slow
    down the pages that the process serves meanwhile.
    """
    items = list(items)
    if len(items) < 2:
        return [call(item) for item in items]

    def call_in_turn(item: T) -> R:
        with _requests:
            return call(item)

    return list(imap_concurrently(call_in_turn, items))


def imap_concurrently(call: Callable[[T], R], items: Sequence[T], parallel: int = PARALLEL) -> Iterator[R]:
    """Yield the results of ``call`` for every item, in order. Each call runs in a copy of the caller's context.

    When the iterator is closed, calls in progress finish and no others start.
    """

    def call_in(context: Context, item: T) -> R:
        return context.run(call, item)

    with ThreadPoolExecutor(min(parallel, max(1, len(items))), "direct-upload") as pool:
        results = pool.map(call_in, [copy_context() for _ in items], items)
        try:
            yield from results
        finally:
            pool.shutdown(cancel_futures=True)
