"""Completing an upload holds no worker: what takes longer than a second is answered with 202."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from helpers.uploads import ONE, BegunUpload, Site, assert_problem, swift_storage
from helpers.waiting import wait_until
from webtest import TestResponse

from direct_upload_middleware.errors import StorageUnavailable
from direct_upload_middleware.operations import completion, sealing
from direct_upload_middleware.storage.base import Sealed, Transfer
from direct_upload_middleware.storage.local import LocalStorage
from direct_upload_middleware.testing.private_swift.server import SwiftServer

PATIENCE = 60
SEVERAL = bytes(range(10 * sealing.MARKED_SEGMENTS - 5))
MISSING = list(range(sealing.MARKED_SEGMENTS))


class Marks:
    """Marks that the storages of several processes share."""

    def __init__(self) -> None:
        self.ends: dict[str, float] = {}

    def put(self, id: str, seconds: int) -> None:
        self.ends[id] = time.monotonic() + seconds

    def exists(self, id: str) -> bool:
        return self.ends.get(id, 0) > time.monotonic()

    def remove(self, id: str) -> None:
        self.ends.pop(id, None)


class Slow(LocalStorage):
    """Seals when the gate is opened, and counts how often it was asked to."""

    def __init__(self, path: Path, marks: Marks | None = None) -> None:
        super().__init__(path)
        self.sealing_marks = marks or Marks()
        self.gate = threading.Event()
        self.asked: list[str] = []
        self.failure: Exception | None = None

    def seal(self, transfer: Transfer, etags: Mapping[int, str], *, pending: bool) -> Sealed:
        self.asked.append(transfer.id)
        assert self.gate.wait(PATIENCE)
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        return super().seal(transfer, etags, pending=pending)


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Slow]:
    storage = Slow(tmp_path / "uploads")
    yield storage
    storage.gate.set()


def sent(site: Site, data: bytes = SEVERAL) -> BegunUpload:
    begun = site.begin(data)
    begun.send()
    return begun


def assert_sealing(answer: TestResponse, begun: BegunUpload) -> None:
    assert answer.status_int == 202, answer.text
    assert answer.headers["Retry-After"] == "1"
    assert answer.json == {"id": begun.id, "state": "sealing"}


def test_a_repeated_call_joins_the_work_and_the_application_is_called_in_a_request(storage: Slow) -> None:
    called: list[int] = []
    site = Site(storage, on_complete=lambda environ, upload: called.append(threading.get_ident()))
    begun = sent(site)
    begin = time.monotonic()
    assert_sealing(begun.complete_once(), begun)
    assert time.monotonic() - begin < PATIENCE / 2
    assert_sealing(begun.complete_once(), begun)
    assert begun.status()["state"] == "open"
    storage.gate.set()
    done = begun.complete()
    assert done.status_int == 200
    assert storage.asked == [begun.id]
    assert called == [threading.get_ident()]
    assert site.download(done.json["download_url"]) == SEVERAL


def test_a_call_for_a_large_upload_hardly_waits(storage: Slow) -> None:
    """Several at once would otherwise occupy all workers for seconds."""
    begun = sent(Site(storage), bytes(10 * sealing.LARGE_SEGMENTS))
    begin = time.monotonic()
    assert_sealing(begun.complete_once(), begun)
    assert time.monotonic() - begin < sealing.PATIENCE / 2


def test_the_work_is_done_even_if_nobody_repeats_the_call(storage: Slow) -> None:
    site = Site(storage)
    begun = sent(site)
    assert_sealing(begun.complete_once(), begun)
    storage.gate.set()
    wait_until(lambda: begun.status()["state"] == "complete")


def test_a_failure_is_told_by_the_repeated_call_and_not_kept_longer(storage: Slow) -> None:
    site = Site(storage)
    begun = site.begin(SEVERAL)
    assert_sealing(begun.complete_once(), begun)
    storage.gate.set()
    assert_problem(begun.complete(), 409, "segments-missing", indexes=MISSING)
    begun.send()
    assert begun.complete().status_int == 200
    assert storage.asked == [begun.id] * 2


def test_other_segments_are_other_work(storage: Slow) -> None:
    site = Site(storage)
    begun = sent(site)
    assert_sealing(begun.complete_once(), begun)
    wrong = [{**each, "etag": "0" * 32} for each in begun.declared]
    assert_sealing(begun.complete_once(wrong), begun)
    storage.gate.set()
    assert {begun.complete().status_int, begun.complete(wrong).status_int} <= {200, 409}
    assert begun.complete().status_int == 200


def test_in_a_batch_the_quick_ones_do_not_wait_for_the_slow_one(storage: Slow) -> None:
    site = Site(storage)
    slow, failing, other = (sent(site) for _ in range(3))
    wrong = failing.batch_item | {"segments": []}
    answer = site.batch("complete", [slow.batch_item, wrong, other.batch_item])
    assert answer.headers["Retry-After"] == "1"
    assert [each["status"] for each in answer.json["uploads"]] == [202, 409, 202]
    assert answer.json["uploads"][0] == {"status": 202, "id": slow.id, "state": "sealing"}
    storage.gate.set()
    done = site.complete_all([slow.batch_item, other.batch_item])
    assert [each["status"] for each in done] == [200, 200]
    assert sorted(storage.asked) == sorted([slow.id, other.id])


def test_a_seal_that_has_not_begun_is_left_to_the_process_that_gets_the_repeated_call(
    storage: Slow, tmp_path: Path
) -> None:
    storage.gate.clear()
    site, other = Site(storage), Site(LocalStorage(tmp_path / "uploads"))
    other.browser.cookiejar = site.browser.cookiejar
    begun = [sent(site, ONE) for _ in range(sealing.THREADS + 4)]
    answer = site.batch("complete", [each.batch_item for each in begun])
    assert {each["status"] for each in answer.json["uploads"]} == {202}
    assert sorted(storage.asked) == sorted(each.id for each in begun[: sealing.THREADS])
    done = other.complete_all([each.batch_item for each in begun[sealing.THREADS :]])
    assert [each["status"] for each in done] == [200] * 4
    storage.gate.set()
    done = site.complete_all([each.batch_item for each in begun])
    assert [each["status"] for each in done] == [200] * len(begun)


def test_another_process_does_not_do_the_same_work(storage: Slow, tmp_path: Path) -> None:
    other_storage = Slow(tmp_path / "uploads", storage.sealing_marks)
    site, other = Site(storage), Site(other_storage)
    other.browser.cookiejar = site.browser.cookiejar
    begun = sent(site)
    assert_sealing(begun.complete_once(), begun)
    wait_until(lambda: storage.sealing_marks.exists(begun.id))
    again = other.call("status", begun)
    assert again.status_int == 200
    answer = other.request(
        "POST", f"/uploads/{begun.id}/complete", json={"segments": begun.declared}, ticket=begun.ticket
    )
    assert_sealing(answer, begun)
    assert other_storage.asked == []
    storage.gate.set()
    other_storage.gate.set()
    wait_until(lambda: not storage.sealing_marks.exists(begun.id))
    assert other.call("complete", begun).status_int == 200
    assert storage.asked == [begun.id]


def test_a_process_that_dies_loses_nothing(storage: Slow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its mark ends, and another process seals the upload."""
    begun = sent(site := Site(storage))
    storage.sealing_marks.put(begun.id, 2)  # of a process that renews it no more
    assert_sealing(begun.complete_once(), begun)
    assert storage.asked == []
    storage.gate.set()
    done = begun.complete()
    assert done.status_int == 200
    assert site.download(done.json["download_url"]) == SEVERAL


def test_a_mark_is_renewed_while_the_work_goes_on(storage: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "MARK_SECONDS", 1)
    begun = sent(Site(storage))
    assert_sealing(begun.complete_once(), begun)
    wait_until(lambda: storage.sealing_marks.exists(begun.id))
    first = storage.sealing_marks.ends[begun.id]
    wait_until(lambda: storage.sealing_marks.ends[begun.id] > first)
    storage.gate.set()
    wait_until(lambda: begun.id not in storage.sealing_marks.ends)


def test_marks_that_cannot_be_written_do_no_harm(storage: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise StorageUnavailable

    monkeypatch.setattr(storage.sealing_marks, "put", fail)
    monkeypatch.setattr(storage.sealing_marks, "remove", fail)
    begun = sent(Site(storage))
    assert_sealing(begun.complete_once(), begun)
    storage.gate.set()
    assert begun.complete().status_int == 200


def test_an_abort_meanwhile_leaves_nothing_to_complete(storage: Slow) -> None:
    called: list[str] = []
    site = Site(storage, on_complete=lambda environ, upload: called.append(upload.id))
    begun = sent(site)
    assert_sealing(begun.complete_once(), begun)
    assert begun.abort().status_int == 204
    storage.gate.set()
    assert_problem(begun.complete(), 404, "not-found")
    assert called == []


def test_an_abort_forgets_what_was_sealed(storage: Slow) -> None:
    called: list[str] = []
    site = Site(storage, on_complete=lambda environ, upload: called.append(upload.id))
    begun = sent(site)
    assert_sealing(begun.complete_once(), begun)
    storage.gate.set()
    wait_until(lambda: LocalStorage.status(storage, transfer_of(site, begun)).state == "sealed")
    assert begun.abort().status_int == 204
    assert_problem(begun.complete(), 404, "not-found")
    assert called == []


def transfer_of(site: Site, begun: BegunUpload) -> Transfer:
    return site.middleware._uploads.tickets.read(begun.ticket, upload_id=begun.id).transfer


def test_results_that_nobody_asks_for_are_forgotten(storage: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "KEPT_SECONDS", 0)
    site = Site(storage)
    begun = sent(site)
    assert_sealing(begun.complete_once(), begun)
    storage.gate.set()
    wait_until(lambda: begun.status()["state"] == "complete")
    other = sent(site)
    assert other.complete().status_int == 200
    assert site.middleware._uploads._completion._threads._runs == {}
    assert begun.complete().status_int == 200


def test_callbacks_that_take_long_are_spread_over_several_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completion, "CALLBACK_SECONDS", 0)
    called: list[str] = []
    site = Site(LocalStorage(tmp_path), on_complete=lambda environ, upload: called.append(upload.id))
    begun = [sent(site, ONE) for _ in range(3)]
    monkeypatch.setattr(
        completion.time, "monotonic", iter(range(10**6)).__next__
    )  # a second passes between two looks at the clock
    answer = site.batch("complete", [each.batch_item for each in begun])
    assert [each["status"] for each in answer.json["uploads"]] == [202, 202, 202]
    monkeypatch.undo()
    done = site.complete_all([each.batch_item for each in begun])
    assert [each["status"] for each in done] == [200, 200, 200]
    assert called == [each.id for each in begun]


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # of eventlet, which another test may have imported
def test_a_forked_process_seals_with_threads_of_its_own(tmp_path: Path) -> None:
    site = Site(LocalStorage(tmp_path))
    assert sent(site).complete().status_int == 200
    begun = sent(site)
    pid = os.fork()
    if pid == 0:
        os._exit(0 if begun.complete().status_int == 200 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_swifts_processes_tell_each_other(swift_server: SwiftServer) -> None:
    container = swift_storage(swift_server).container
    first, second = (swift_storage(swift_server, container) for _ in range(2))
    gate, asked = threading.Event(), []
    seal = first.seal

    def seal_slowly(*args: Any, **options: Any) -> Sealed:
        assert gate.wait(PATIENCE)
        return seal(*args, **options)

    def count(*args: Any, **options: Any) -> Sealed:
        asked.append(args)
        return type(second).seal(second, *args, **options)

    first.seal, second.seal = seal_slowly, count  # type: ignore[method-assign]
    site, other = Site(first), Site(second)
    other.browser.cookiejar = site.browser.cookiejar
    begun = sent(site)
    assert_sealing(begun.complete_once(), begun)
    wait_until(lambda: first.sealing_marks.exists(begun.id))
    again = {"json": {"segments": begun.declared}, "ticket": begun.ticket}
    assert_sealing(other.request("POST", f"/uploads/{begun.id}/complete", **again), begun)
    assert asked == []
    gate.set()
    done = begun.complete()
    assert done.status_int == 200
    wait_until(lambda: not first.sealing_marks.exists(begun.id))
    assert other.call("complete", begun).json["receipt"] == done.json["receipt"]
