"""The sweep of a real Swift: uploads in every state, sweeps that are killed, and calls that come in between."""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from subprocess import Popen
from threading import Lock
from typing import Any

import pytest
from contract.storage_contract import ONE, SEVERAL, begin, download, finished, put, put_all, seal, stored_object
from contract.test_swift import new_storage
from helpers.storage.browser import Browser

from direct_upload_middleware.errors import DirectUploadError
from direct_upload_middleware.storage.base import StoredObject, Transfer
from direct_upload_middleware.storage.sweeping import Finding
from direct_upload_middleware.storage.swift import SwiftStorage
from direct_upload_middleware.storage.swift.client import SwiftClient
from direct_upload_middleware.storage.swift.final_objects import SEALING_TYPE
from direct_upload_middleware.storage.swift.responses import last_modified, pages
from direct_upload_middleware.storage.swift.sweep.common import Sweeping
from direct_upload_middleware.testing.private_swift.server import SwiftServer

http = Browser()
HOUR = 3600
ROUNDS = int(os.environ.get("SWEEP_ROUNDS", "2"))  # "make sweep" has 35, which make a thousand uploads


@pytest.fixture
def storage(swift_server: SwiftServer) -> SwiftStorage:
    return new_storage(swift_server, f"swept-{secrets.token_hex(4)}")


def names(storage: SwiftStorage, *path: str, prefix: str = "") -> list[str]:
    return [item["name"] for page in pages(storage._client, *path, prefix=prefix) for item in page]


def contents(storage: SwiftStorage) -> set[str]:
    """All that the storage keeps: objects, and segment containers."""
    containers = names(storage, prefix=storage.container)
    objects = {f"{container}/{name}" for container in containers for name in names(storage, container)}
    shared = {storage.container, f"{storage.container}_staging", f"{storage.container}_segments"}
    return objects | (set(containers) - shared)


def sweep(storage: SwiftStorage, older_than: int = 0, **options: Any) -> list[Finding]:
    return list(storage.sweep(older_than=older_than, **options))


def later(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    """The sweeps from here on take place that much later."""
    now = SwiftClient.now
    monkeypatch.setattr(SwiftClient, "now", lambda client: now(client) + seconds)


# -- the states that an upload may be left in ----------------------------------------------------------------

State = Callable[[SwiftStorage], StoredObject | None]
"""Makes an upload in some state; gives the object where it is a finished one."""


def given_up(
    data: bytes, *, send: int = 99, then: Callable[[SwiftStorage, Transfer], Any] | None = None, **more: Any
) -> State:
    def make(storage: SwiftStorage) -> None:
        transfer, urls = begin(storage, data, **more)
        for signed in urls[:send]:
            put(http, signed, data[signed.segment.offset :][: signed.segment.size])
        if then is not None:
            then(storage, transfer)

    return make


def seal_and_die(data: bytes) -> Callable[[SwiftStorage, Transfer], Any]:
    return lambda storage, transfer: seal(storage, transfer, data, pending=True)


def die_at(call: Callable[[SwiftStorage, Transfer], Any], request: int) -> Callable[[SwiftStorage, Transfer], Any]:
    """The process is killed when it makes this request of a call."""

    def run(storage: SwiftStorage, transfer: Transfer) -> None:
        with pytest.raises(Killed), before_request(storage, request, kill):
            call(storage, transfer)

    return run


def complete(data: bytes, **more: Any) -> State:
    return lambda storage: finished(storage, http, data, **more)


def with_a_late_write(storage: SwiftStorage) -> StoredObject:
    """A temp URL of one segment lives on after completion."""
    transfer, urls = begin(storage, ONE)
    put_all(http, urls, transfer, ONE)
    sealed = seal(storage, transfer, ONE)
    storage.confirm(transfer, sealed)
    assert put(http, urls[0], b"late") == 201
    return stored_object(transfer, sealed)


def with_metadata_replaced(storage: SwiftStorage) -> StoredObject:
    """The application has written metadata of its own to the object, in place of ours."""
    stored = finished(storage, http, SEVERAL)
    storage._client.request("POST", storage.container, stored.name, headers={"X-Object-Meta-A": "b"}, expect=(202,))
    return stored


def renamed(storage: SwiftStorage) -> StoredObject:
    """The application has copied the manifest to another name, and deleted the first."""
    stored = finished(storage, http, SEVERAL)
    name = f"renamed-{stored.name}"
    headers = {"X-Copy-From": f"/{storage.container}/{stored.name}"}
    storage._client.request(
        "PUT", storage.container, name, headers=headers, params={"multipart-manifest": "get"}, data=b"", expect=(201,)
    )
    storage._client.request("DELETE", storage.container, stored.name, expect=(204,))
    return StoredObject(name, stored.id, stored.size, stored.etag)


def abort(storage: SwiftStorage, transfer: Transfer) -> None:
    storage.abort(transfer)


def seal_whole(storage: SwiftStorage, transfer: Transfer) -> None:
    seal(storage, transfer, SEVERAL if transfer.segment_count > 1 else ONE)


def finish_and_delete_by_half(storage: SwiftStorage, transfer: Transfer) -> None:
    stored = stored_object(transfer, seal(storage, transfer, SEVERAL))
    die_at(lambda storage, _: storage.delete(stored), 4)(storage, transfer)


def confirmed(data: bytes, **more: Any) -> State:
    """The application was told, and has taken it."""

    def make(storage: SwiftStorage) -> StoredObject:
        transfer, urls = begin(storage, data, **more)
        put_all(http, urls, transfer, data)
        sealed = seal(storage, transfer, data, pending=True)
        storage.confirm(transfer, sealed)
        return stored_object(transfer, sealed)

    return make


FINISHED: dict[str, State] = {
    "one segment": complete(ONE),
    "no bytes": complete(b""),
    "several segments": complete(SEVERAL),
    "several segments, pinned": complete(SEVERAL, seal="pin"),
    "one segment, confirmed": confirmed(ONE),
    "no bytes, confirmed": confirmed(b""),
    "several segments, confirmed": confirmed(SEVERAL),
    "several segments, pinned and confirmed": confirmed(SEVERAL, seal="pin"),
    "a type that spells a state": complete(ONE, type=SEALING_TYPE),
    "several segments of a type that spells a state": complete(SEVERAL, type=SEALING_TYPE),
    "a long name": lambda storage: finished(storage, http, SEVERAL, name=secrets.token_hex(16) + "é" * 496),
    "a late write": with_a_late_write,
    "other metadata": with_metadata_replaced,
    "another name": renamed,
}
GIVEN_UP: dict[str, State] = {
    "one segment, sent": given_up(ONE),
    "one segment, claimed": given_up(ONE, then=die_at(seal_whole, 2)),
    "no bytes, claimed": given_up(b"", then=die_at(lambda storage, transfer: seal(storage, transfer, b""), 2)),
    "one segment, sealed": given_up(ONE, then=seal_and_die(ONE)),
    "one segment, aborted": given_up(ONE, then=abort),
    "several segments, begun": given_up(SEVERAL, send=0),
    "several segments, sent by half": given_up(SEVERAL, send=2),
    "several segments, sent": given_up(SEVERAL),
    "several segments, revoked": given_up(SEVERAL, then=die_at(seal_whole, 2)),
    "several segments, sealed": given_up(SEVERAL, then=seal_and_die(SEVERAL)),
    "several segments, aborted by half": given_up(SEVERAL, then=die_at(abort, 4)),
    "several segments, deleted by half": given_up(SEVERAL, then=finish_and_delete_by_half),
    "pinned, sent": given_up(SEVERAL, seal="pin"),
    "pinned, sealed": given_up(SEVERAL, then=seal_and_die(SEVERAL), seal="pin"),
    "pinned, aborted": given_up(SEVERAL, then=abort, seal="pin"),
}


def table(states: dict[str, State]) -> list[Any]:
    return [pytest.param(state, id=name) for name, state in states.items()]


# -- between two requests --------------------------------------------------------------------------------------


class Killed(BaseException):
    """The process is gone."""


def kill() -> None:
    raise Killed


class before_request:  # noqa: N801  reads as a sentence
    """Calls ``act`` before the storage makes its ``number``-th request. ``reached``: whether there was one."""

    def __init__(self, storage: SwiftStorage, number: int, act: Callable[[], Any]) -> None:
        self._client = storage._client
        self._left = number
        self._act = act
        self._lock = Lock()
        self.reached = False

    def __enter__(self) -> before_request:
        self._request = self._client.request
        self._client.request = self._counted  # type: ignore[method-assign]
        return self

    def __exit__(self, *error: object) -> None:
        self._client.request = self._request  # type: ignore[method-assign]

    def _counted(self, *args: Any, **kwargs: Any) -> Any:
        with self._lock:
            self._left -= 1
            is_now = self._left == -1
        if is_now:
            self.reached = True
            self._act()
        return self._request(*args, **kwargs)


# -- the tests -------------------------------------------------------------------------------------------------


class TestWhatIsSwept:
    @pytest.mark.parametrize("state", table(FINISHED))
    def test_a_finished_upload_stays(self, storage: SwiftStorage, state: State) -> None:
        stored = state(storage)
        assert stored is not None
        before = contents(storage)
        found = sweep(storage)
        assert (
            before - contents(storage)
            == {finding.name for finding in found}
            <= {f"{storage.container}_staging/{stored.id}"}
        )
        assert download(storage, http, stored.name).body == storage.open(stored).read()

    @pytest.mark.parametrize("state", table(GIVEN_UP))
    def test_an_abandoned_upload_is_swept(self, storage: SwiftStorage, state: State) -> None:
        state(storage)
        assert contents(storage)
        found = sweep(storage)
        assert contents(storage) == set()
        assert found
        assert all(finding.removed and not finding.error for finding in found)
        assert sweep(storage) == []

    @pytest.mark.parametrize("state", table(GIVEN_UP))
    def test_a_dry_run_finds_the_same_and_removes_nothing(self, storage: SwiftStorage, state: State) -> None:
        finished(storage, http, SEVERAL)
        state(storage)
        before = contents(storage)
        planned = sweep(storage, dry_run=True)
        assert contents(storage) == before
        assert not any(finding.removed for finding in planned)
        removed = sweep(storage)
        assert [(f.kind, f.name, f.size) for f in planned] == [(f.kind, f.name, f.size) for f in removed]

    @pytest.mark.parametrize("state", table(GIVEN_UP))
    def test_recent_uploads_are_swept_only_when_they_are_old(
        self, storage: SwiftStorage, state: State, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        state(storage)
        before = contents(storage)
        assert sweep(storage, HOUR) == []
        assert contents(storage) == before
        later(monkeypatch, HOUR + 1)
        assert all(HOUR <= finding.age < HOUR + 600 for finding in sweep(storage, HOUR))
        assert contents(storage) == set()

    def test_an_upload_with_recent_segments_is_not_swept(
        self, storage: SwiftStorage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _, urls = begin(storage, SEVERAL)
        put(http, urls[0], SEVERAL[:10])
        later(monkeypatch, 2)
        put(http, urls[1], SEVERAL[10:20])
        assert sweep(storage, 3) == []

    def test_an_upload_that_is_sent_again_is_young_though_its_name_is_old(
        self, storage: SwiftStorage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        transfer, urls = begin(storage, ONE)
        put_all(http, urls, transfer, ONE)
        die_at(seal_whole, 2)(storage, transfer)
        monkeypatch.setattr(
            "direct_upload_middleware.storage.swift.sweep.staged.last_modified",
            lambda item: last_modified(item) - (HOUR if item["name"] == transfer.name else 0),
        )
        assert sweep(storage, HOUR) == []
        assert seal(storage, transfer, ONE).complete

    def test_foreign_objects_in_the_containers_are_not_swept(self, storage: SwiftStorage) -> None:
        finished(storage, http, ONE)
        sweep(storage)
        finished(storage, http, SEVERAL, seal="pin")
        others = [
            (storage.container, "by-hand", SEALING_TYPE),
            (f"{storage.container}_staging", "by-hand", "text/plain"),
            (f"{storage.container}_segments", "by-hand/1", "text/plain"),
        ]
        for container, name, type in others:
            headers = {"Content-Type": type}
            storage._client.request("PUT", container, name, data=b"x", headers=headers, expect=(201,))
        storage._client.request("PUT", f"{storage.container}_segments_by-hand", expect=(201,))
        before = contents(storage)
        assert sweep(storage) == []
        assert contents(storage) == before

    def test_nothing_is_found_where_nothing_was_ever_uploaded(self, storage: SwiftStorage) -> None:
        assert sweep(storage) == []

    def test_manifests_are_found_in_listings_that_do_not_tell_of_them(
        self, storage: SwiftStorage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stored = finished(storage, http, SEVERAL, seal="pin")
        given_up(SEVERAL, seal="pin")(storage)

        def older(*args: Any, **kwargs: Any) -> Iterable[list[dict[str, Any]]]:
            for page in pages(*args, **kwargs):
                yield [{name: value for name, value in item.items() if name != "slo_etag"} for item in page]

        monkeypatch.setattr("direct_upload_middleware.storage.swift.sweep.references.pages", older)
        assert [finding.kind for finding in sweep(storage)] == ["segments"]
        assert download(storage, http, stored.name).body == SEVERAL

    def test_a_container_that_does_not_tell_its_objects_name_is_kept_by_the_manifest(
        self, storage: SwiftStorage
    ) -> None:
        stored = finished(storage, http, SEVERAL)
        container = f"{storage.container}_segments_{stored.id}"
        headers = {"X-Container-Meta-Direct-Upload-Name-0": ""}
        storage._client.request("POST", container, headers=headers, expect=(204,))
        assert sweep(storage) == []
        assert download(storage, http, stored.name).body == SEVERAL

    def test_progress_is_reported(self, storage: SwiftStorage) -> None:
        for state in (
            FINISHED["one segment, confirmed"],
            GIVEN_UP["one segment, sent"],
            GIVEN_UP["several segments, sent"],
        ):
            state(storage)
        steps: list[tuple[int, int]] = []
        sweep(storage, progress=lambda done, total: steps.append((done, total)))
        assert steps == sorted(steps)
        assert steps[-1] == (3, 3)


class TestBetweenTwoRequests:
    """Whatever happens before any one of the sweep's requests, or of a call's."""

    @pytest.mark.parametrize("data", [pytest.param(ONE, id="one segment"), pytest.param(SEVERAL, id="several")])
    @pytest.mark.parametrize("pending", [True, False])
    def test_an_upload_that_is_completed_meanwhile_is_complete_or_refused(
        self, storage: SwiftStorage, data: bytes, pending: bool
    ) -> None:
        assert self._interleave(storage, data, pending, first=sweep, between=self._complete) > 5

    @pytest.mark.parametrize("data", [pytest.param(ONE, id="one segment"), pytest.param(SEVERAL, id="several")])
    @pytest.mark.parametrize("pending", [True, False])
    def test_an_upload_that_is_swept_while_it_is_completed_is_complete_or_refused(
        self, storage: SwiftStorage, data: bytes, pending: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It was sent long ago; what the call itself writes is young."""

        def swept(storage: SwiftStorage, *_: Any) -> None:
            with monkeypatch.context() as patch:
                patch.setattr(Sweeping, "is_old", lambda sweeping, moment: moment < self._sent)
                sweep(storage)

        assert self._interleave(storage, data, pending, first=self._complete, between=swept) > 1

    def _interleave(self, storage: SwiftStorage, data: bytes, pending: bool, *, first: Any, between: Any) -> int:
        for number in range(200):
            transfer, urls = begin(storage, data)
            put_all(http, urls, transfer, data)
            self._sent = time.time()
            self._outcome: Any = None
            task = (transfer, data, pending)
            with before_request(storage, number, lambda task=task: between(storage, *task)) as moment:
                first(storage, *(task if first == self._complete else ()))
            if isinstance(self._outcome, StoredObject):
                sweep(storage)
                assert download(storage, http, transfer.name).body == data
                storage.delete(self._outcome)
            sweep(storage)
            assert contents(storage) == set()
            if not moment.reached:
                return number
        raise AssertionError("it has no end")

    def _complete(self, storage: SwiftStorage, transfer: Transfer, data: bytes, pending: bool) -> None:
        try:
            sealed = seal(storage, transfer, data, pending=pending)
            storage.confirm(transfer, sealed)
            self._outcome = stored_object(transfer, sealed)
        except DirectUploadError as error:
            self._outcome = error

    @pytest.mark.parametrize("state", table({name: state for name, state in GIVEN_UP.items() if "sealed" in name}))
    def test_a_sweep_that_was_killed_is_taken_up_by_the_next(self, storage: SwiftStorage, state: State) -> None:
        kept = finished(storage, http, SEVERAL)
        before = contents(storage)
        for number in range(200):
            state(storage)
            with before_request(storage, number, kill) as moment:
                try:
                    sweep(storage)
                except Killed:
                    assert moment.reached
            sweep(storage)
            assert contents(storage) == before
            if not moment.reached:
                break
        assert download(storage, http, kept.name).body == SEVERAL

    def test_an_error_is_reported_and_the_sweep_continues(
        self, storage: SwiftStorage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(3):
            given_up(SEVERAL)(storage)
        delete = storage._segments.containers.remove
        ids = iter(["fails"])

        def fail_once(id: str) -> None:
            if next(ids, None):
                raise DirectUploadError("Swift answered 403.")
            delete(id)

        monkeypatch.setattr(storage._segments.containers, "remove", fail_once)
        found = sweep(storage)
        assert sorted((f.removed, f.error) for f in found) == [
            (False, "Swift answered 403."),
            (True, None),
            (True, None),
        ]
        assert len(sweep(storage)) == 1


class TestMany:
    def test_uploads_in_all_states_swept_by_three_machines_at_once_after_one_that_was_killed(
        self, swift_server: SwiftServer, swift_environ: dict[str, str]
    ) -> None:
        container = f"many-{secrets.token_hex(4)}"
        storage = new_storage(swift_server, container)
        states = [*FINISHED.values(), *GIVEN_UP.values()] * ROUNDS
        storage.limits()

        def make(state: State) -> StoredObject | None:
            return state(new_storage(swift_server, container))  # a process of its own

        with ThreadPoolExecutor(8) as pool:
            kept = [stored for stored in pool.map(make, states) if stored]
        self._kill_in_the_middle(storage)
        machines = [new_storage(swift_server, container) for _ in range(3)]
        with ThreadPoolExecutor(3) as pool:
            found = [finding for findings in pool.map(sweep, machines) for finding in findings]
        assert not [finding for finding in found if finding.error]
        left = contents(storage)
        assert {name for name in left if name.startswith(f"{container}/")} == {f"{container}/{s.name}" for s in kept}
        assert not [name for name in left if name.startswith(f"{container}_staging/")]
        assert sweep(storage) == []
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda stored: download(storage, http, stored.name), kept))
        assert {len(answer.body) == stored.size for answer, stored in zip(answers, kept, strict=True)} == {True}

    def _kill_in_the_middle(self, storage: SwiftStorage) -> None:
        """A sweep as an operator starts it, when it is about to remove the segments."""
        segments = f"{storage.container}_segments_"
        before = len(names(storage, prefix=segments))
        command = [sys.executable, "-c", "from direct_upload_middleware.cli import main; main()"]
        with Popen([*command, "sweep", f"swift://{storage.container}", "--older-than", "0s", "--quiet"]) as process:
            while len(names(storage, prefix=segments)) == before:
                assert process.poll() is None
            process.kill()
        assert not names(storage, f"{storage.container}_staging")
        assert names(storage, f"{storage.container}_segments"), "it had come to an end"
