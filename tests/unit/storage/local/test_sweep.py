"""The sweep of the local storage."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from contract.storage_contract import ONE, SEVERAL, begin, download, new_transfer, put_all, seal, stored_object
from helpers.storage.local_browser import Browser

from direct_upload_middleware.keys import Keys
from direct_upload_middleware.storage.base import Transfer
from direct_upload_middleware.storage.local import LocalStorage
from direct_upload_middleware.storage.sweeping import Finding

HOUR = 3600


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    storage = LocalStorage(tmp_path)
    storage.bind(Keys(("a secret",)))
    return storage


@pytest.fixture
def http(storage: LocalStorage) -> Browser:
    return Browser(storage)


def sweep(storage: LocalStorage, older_than: int = 0, *, dry_run: bool = False) -> list[Finding]:
    return list(storage.sweep(older_than=older_than, dry_run=dry_run))


def nothing(storage: LocalStorage, http: Browser) -> Transfer:
    return begin(storage, SEVERAL)[0]


def sent(storage: LocalStorage, http: Browser) -> Transfer:
    transfer, urls = begin(storage, SEVERAL)
    put_all(http, urls, transfer, SEVERAL)
    return transfer


def sealed(storage: LocalStorage, http: Browser) -> Transfer:
    transfer = sent(storage, http)
    seal(storage, transfer, SEVERAL, pending=True)
    return transfer


State = Callable[[LocalStorage, Browser], Transfer]
GIVEN_UP = pytest.mark.parametrize("state", [nothing, sent, sealed])


def uploads(root: Path) -> set[str]:
    return {path.name for path in (root / "uploads").iterdir()}


def objects(root: Path) -> list[Path]:
    return list((root / "objects").iterdir()) if (root / "objects").exists() else []


def age(root: Path, id: str, seconds: int) -> None:
    """As if the upload had been left alone for so long."""
    then = time.time() - seconds
    directory = root / "uploads" / id
    for path in (*directory.iterdir(), directory):
        os.utime(path, (then, then))


@GIVEN_UP
def test_an_abandoned_upload_is_swept(storage: LocalStorage, http: Browser, tmp_path: Path, state: State) -> None:
    transfer = state(storage, http)
    found = sweep(storage)
    assert [(f.kind, Path(f.name).name, f.removed, f.error) for f in found] == [("segments", transfer.id, True, None)]
    assert uploads(tmp_path) == set()
    assert objects(tmp_path) == []
    assert sweep(storage) == []


@GIVEN_UP
def test_a_dry_run_removes_nothing(storage: LocalStorage, http: Browser, tmp_path: Path, state: State) -> None:
    transfer = state(storage, http)
    assert [finding.removed for finding in sweep(storage, dry_run=True)] == [False]
    assert uploads(tmp_path) == {transfer.id}


@GIVEN_UP
def test_recent_uploads_are_swept_only_when_they_are_old(
    storage: LocalStorage, http: Browser, tmp_path: Path, state: State
) -> None:
    transfer = state(storage, http)
    age(tmp_path, transfer.id, HOUR - 60)
    assert sweep(storage, HOUR) == []
    age(tmp_path, transfer.id, HOUR + 60)
    assert [finding.age // 60 for finding in sweep(storage, HOUR)] == [61]


def test_an_upload_with_recent_segments_is_not_swept(storage: LocalStorage, http: Browser, tmp_path: Path) -> None:
    transfer, urls = begin(storage, SEVERAL)
    put_all(http, urls[:1], new_transfer(SEVERAL), SEVERAL)
    age(tmp_path, transfer.id, 2 * HOUR)
    put_all(http, urls[1:2], new_transfer(SEVERAL), SEVERAL)
    assert sweep(storage, HOUR) == []


@pytest.mark.parametrize("data", [b"", ONE, SEVERAL])
def test_a_sweep_keeps_a_finished_upload_and_removes_the_rest_of_a_crash(
    storage: LocalStorage, http: Browser, tmp_path: Path, data: bytes
) -> None:
    transfer, urls = begin(storage, data)
    put_all(http, urls, transfer, data)
    stored = stored_object(transfer, seal(storage, transfer, data))
    assert sweep(storage) == []
    left = tmp_path / "uploads" / transfer.id / "tmp-left"
    left.write_bytes(b"left")
    assert [finding.size for finding in sweep(storage)] == [4]
    assert not left.exists()
    assert storage.open(stored).read() == data
    assert download(storage, http, stored.name).body == data


def test_nothing_is_found_where_nothing_was_ever_uploaded(storage: LocalStorage) -> None:
    assert sweep(storage) == []


def test_progress_is_reported(storage: LocalStorage, http: Browser) -> None:
    for state in (nothing, sent):
        state(storage, http)
    steps: list[tuple[int, int]] = []
    list(storage.sweep(older_than=0, progress=lambda done, total: steps.append((done, total))))
    assert steps == [(1, 2), (2, 2)]


def test_an_error_is_reported_and_the_sweep_continues(
    storage: LocalStorage, http: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = sorted(sent(storage, http).id for _ in range(2))
    remove = storage._disk.remove

    def fail_once(id: str) -> None:
        if id == first:
            raise PermissionError(13, "Permission denied")
        remove(id)

    monkeypatch.setattr(storage._disk, "remove", fail_once)
    found = {Path(f.name).name: (f.removed, f.error) for f in sweep(storage)}
    assert found == {first: (False, "The operating system reports: Permission denied."), second: (True, None)}
