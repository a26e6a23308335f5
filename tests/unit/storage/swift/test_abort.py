"""A complete and an abort of the same upload at the same moment, on a real Swift: in every order of their requests."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from threading import Event, Thread
from typing import Any

import pytest
from contract.storage_contract import ONE, SEVERAL, begin, download, put_all, seal, uploaded
from contract.test_swift import new_storage, new_storage_like
from helpers.storage.browser import Browser

from direct_upload_middleware.errors import DirectUploadError, NotFound, StorageUnavailable
from direct_upload_middleware.storage.base import Transfer
from direct_upload_middleware.storage.swift import SwiftStorage
from direct_upload_middleware.testing.private_swift.server import SwiftServer

http = Browser()
PATIENCE = 60
STEP = int(os.environ.get("RACE_STEP", "1000"))  # 1 stops the second call, too, before each of its requests
TWO = SEVERAL[:12]  # segments

KINDS = [
    pytest.param(ONE, "revoke", True, id="one segment, pending"),
    pytest.param(ONE, "revoke", False, id="one segment"),
    pytest.param(TWO, "revoke", True, id="two segments, pending"),
    pytest.param(TWO, "revoke", False, id="two segments"),
    pytest.param(TWO, "pin", True, id="two segments, pinned and pending"),
    pytest.param(TWO, "pin", False, id="two segments, pinned"),
]


@pytest.fixture
def storage(swift_server: SwiftServer) -> SwiftStorage:
    return new_storage(swift_server, f"raced-{secrets.token_hex(4)}")


class Call:
    """One of two calls that go on by turns: a thread that stops before its requests."""

    def __init__(self, storage: SwiftStorage, carry_out: Callable[[SwiftStorage], Any]) -> None:
        self.error: DirectUploadError | None = None
        self._storage = new_storage_like(storage)
        self._storage._provisioning, self._storage._pinned_provisioning = (
            storage._provisioning,
            storage._pinned_provisioning,
        )  # no part of the race
        self._request = self._storage._client.request
        self._storage._client.request = self._stop  # type: ignore[method-assign]
        self._turns = 0
        self._go, self._stopped = Event(), Event()
        self._thread = Thread(target=self._run, args=(carry_out,))
        self._thread.start()

    def _run(self, carry_out: Callable[[SwiftStorage], Any]) -> None:
        try:
            carry_out(self._storage)
        except DirectUploadError as error:
            self.error = error
        self._turns = -1
        self._stopped.set()

    def _stop(self, *args: Any, **kwargs: Any) -> Any:
        if self._turns == 0:
            self._stopped.set()
            assert self._go.wait(PATIENCE)
            self._go.clear()
        self._turns -= 1
        return self._request(*args, **kwargs)

    def go_on(self, requests: int) -> bool:
        """Make so many requests more; whether there is one yet to be made."""
        assert self._stopped.wait(PATIENCE)
        if requests and self._thread.is_alive() and self._turns == 0:
            self._stopped.clear()
            self._turns = requests
            self._go.set()
            assert self._stopped.wait(PATIENCE)
        return self._turns == 0

    def finish(self) -> None:
        self.go_on(10_000)
        self._thread.join(PATIENCE)


def complete(transfer: Transfer, data: bytes, pending: bool) -> Callable[[SwiftStorage], None]:
    def carry_out(storage: SwiftStorage) -> None:
        storage.confirm(transfer, seal(storage, transfer, data, pending=pending))

    return carry_out


def orders(make: Callable[[], tuple[Call, Call]]) -> Iterator[tuple[Call, Call]]:
    """Pairs of calls after: the first has begun, the second has gone all the way or some of it, then the first to its
    end, then the second."""
    begun = 0
    while True:
        gone = STEP
        while True:
            first, second = make()
            more_of_first = first.go_on(begun)
            more_of_second = second.go_on(gone)
            first.finish()
            second.finish()
            yield first, second
            if not more_of_second:
                break
            gone += STEP
        if not more_of_first:
            return
        begun += 1


@pytest.mark.parametrize(("data", "seal", "pending"), KINDS)
@pytest.mark.parametrize(
    "abort_is_first", [pytest.param(True, id="abort first"), pytest.param(False, id="abort later")]
)
def test_complete_and_abort_never_both_succeed(
    storage: SwiftStorage, data: bytes, seal: str, pending: bool, abort_is_first: bool
) -> None:
    """Let the second call come between any two requests of the first. The call that gave way may be repeated."""
    begun: list[Transfer] = []

    def make() -> tuple[Call, Call]:
        transfer, urls = begin(storage, data, seal=seal)
        put_all(http, urls, transfer, data)
        begun.append(transfer)
        calls = (Call(storage, lambda s: s.abort(transfer)), Call(storage, complete(transfer, data, pending)))
        return calls if abort_is_first else calls[::-1]

    for first, second in orders(make):
        aborted, completed = (first, second) if abort_is_first else (second, first)
        check(storage, begun[-1], data, aborted, completed, pending)


def check(
    storage: SwiftStorage, transfer: Transfer, data: bytes, aborted: Call, completed: Call, pending: bool
) -> None:
    assert aborted.error is not None or completed.error is not None, "both succeeded"
    if aborted.error is None:
        with pytest.raises(NotFound):
            storage.status(transfer)
        with pytest.raises(NotFound):
            complete(transfer, data, pending)(storage)
        assert download(storage, http, transfer.name).status == 404
    else:
        complete(transfer, data, pending)(storage)  # again, or because both have given way
        assert storage.status(transfer).state == "complete"
        assert download(storage, http, transfer.name).body == data


def test_an_abort_whose_answer_is_lost_makes_nothing_complete_that_was_not_confirmed(
    storage: SwiftStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when on_complete has failed: the DELETE of what is staged is done, and nobody hears of it."""
    transfer, _ = uploaded(storage, http, ONE)
    seal(storage, transfer, ONE, pending=True)
    try_ = storage._client._try
    lost: list[str] = []

    def lose(method: str, url: str, *args: Any) -> Any:
        answer = try_(method, url, *args)
        if method == "DELETE" and url.endswith(f"_staging/{transfer.id}"):
            lost.append(url)
            return None
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(storage._client, "_try", lose)
        with pytest.raises(StorageUnavailable):
            storage.abort(transfer)
    assert lost
    with pytest.raises(NotFound):
        storage.status(transfer)
    storage.abort(transfer)
    with pytest.raises(NotFound):
        storage.status(transfer)
    assert download(storage, http, transfer.name).status == 404
