"""Calls that several threads share."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from helpers.waiting import wait_until

from direct_upload_middleware.storage.concurrency import SharedCalls

THREADS = 8


def ask_while_one_runs(answer: Callable[[int], int]) -> tuple[list[Future[int]], int]:
    """Ask in a thread, and in THREADS others while its call runs. Return the results, and how many calls ran."""
    is_running, may_end, asked, ran = threading.Event(), threading.Event(), [], []

    def call(argument: str) -> int:
        ran.append(argument)
        is_running.set()
        assert may_end.wait(60)
        return answer(len(ran))

    shared = SharedCalls(call)

    def ask() -> int:
        asked.append(True)
        return shared("one")

    with ThreadPoolExecutor(THREADS + 1) as pool:
        first = pool.submit(ask)
        assert is_running.wait(60)
        others = [pool.submit(ask) for _ in range(THREADS)]
        wait_until(lambda: len(asked) == THREADS + 1)
        may_end.set()
    return [first, *others], len(ran)


def test_who_asks_while_a_call_runs_shares_the_next_one() -> None:
    """A result that was read before somebody asked may be too old."""
    (first, *others), ran = ask_while_one_runs(lambda number: number)
    assert first.result() == 1
    assert all(other.result() >= 2 for other in others)
    assert ran < THREADS


def test_a_failure_is_raised_for_everybody_who_shares_it() -> None:
    def fail(number: int) -> int:
        raise ValueError(number)

    asked, ran = ask_while_one_runs(fail)
    for each in asked:
        with pytest.raises(ValueError, match=r"\d"):
            each.result()
    assert ran < THREADS


def test_different_arguments_do_not_wait_for_each_other() -> None:
    met = threading.Barrier(2)

    def call(argument: str) -> str:
        met.wait(60)
        return argument

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(SharedCalls(call), ["one", "other"])) == ["one", "other"]


def test_nothing_is_kept() -> None:
    count = iter(range(10))
    shared = SharedCalls(lambda _: next(count))
    assert [shared("one"), shared("one"), shared("other")] == [0, 1, 2]
    assert not shared._next
    assert not shared._running
