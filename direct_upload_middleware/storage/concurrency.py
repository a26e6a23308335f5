"""Run a call over many items concurrently, and share one that several threads need at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import Context, copy_context
from typing import Generic, TypeVar

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


class SharedCalls(Generic[T, R]):
    """A call whose result several threads share.

    For one argument, one call runs at a time. Threads that come while it runs share the next one: what a thread gets
    was never read before it asked. A failure is raised in every thread that shares it.
    """

    def __init__(self, call: Callable[[T], R]) -> None:
        self._call = call
        self._changed = threading.Condition()
        self._running: set[T] = set()
        self._next: dict[T, Future[R]] = {}

    def __call__(self, argument: T) -> R:
        """Return the result of a call that began after this one."""
        with self._changed:
            result = self._next.get(argument)
            if is_first := result is None:
                result = self._next[argument] = Future()
                self._changed.wait_for(lambda: argument not in self._running)
                self._running.add(argument)
                del self._next[argument]
        if is_first:
            self._run(argument, result)
        return result.result()

    def _run(self, argument: T, result: Future[R]) -> None:
        try:
            result.set_result(self._call(argument))
        except BaseException as error:
            result.set_exception(error)
        finally:
            with self._changed:
                self._running.remove(argument)
                self._changed.notify_all()
