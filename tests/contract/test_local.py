"""The local storage: the contract, its first use, its secret, and many processes at once."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from contract.storage_contract import (
    ONE,
    SEVERAL,
    SIZES,
    StorageContract,
    begin,
    download,
    download_url,
    etags_of,
    finished,
    put,
    put_all,
    seal,
    uploaded,
)
from helpers.storage.local_browser import Browser, bound, files_below

from direct_upload_middleware.errors import ConfigurationError, StorageError
from direct_upload_middleware.keys import Keys
from direct_upload_middleware.storage import storage_from_url
from direct_upload_middleware.storage.local import LocalStorage
from direct_upload_middleware.storage.local import files as local_files


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "not" / "yet there"


@pytest.fixture
def storage(directory: Path) -> LocalStorage:
    return bound(directory)


@pytest.fixture
def http(storage: LocalStorage) -> Browser:
    return Browser(storage)


class TestLocalStorage(StorageContract):
    """The contract."""


def test_nothing_is_touched_before_it_is_used(directory: Path) -> None:
    storage = LocalStorage(directory)
    storage.bind(Keys(storage.default_secrets))
    storage.limits()
    assert storage.browser_storage_origin() is None
    assert not directory.exists()


def test_a_relative_path_is_below_the_working_directory_of_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    storage = storage_from_url("local:some/where")
    monkeypatch.chdir("/")
    storage.default_secrets()
    assert (tmp_path / "some/where/secret").is_file()


@pytest.mark.parametrize("container", ["", "a/b"])
def test_a_container_that_cannot_be_in_a_temp_url_is_refused(container: str) -> None:
    with pytest.raises(ConfigurationError, match="container"):
        LocalStorage(container=container)


@pytest.mark.parametrize("container", ["ü 7%", "a.b(c)", "?#"])
def test_a_container_may_have_an_odd_name(directory: Path, container: str) -> None:
    storage = LocalStorage(directory, container)
    storage.bind(Keys(["a secret"]))
    for data in (ONE, SEVERAL):
        stored = finished(storage, Browser(storage), data)
        assert download(storage, Browser(storage), stored.name).body == data


def test_containers_keep_their_objects_apart(directory: Path) -> None:
    one, two = LocalStorage(directory, "one"), LocalStorage(directory, "two")
    for storage, data in ((one, b"of one"), (two, b"of two")):
        storage.bind(Keys(["a secret"]))
        finished(storage, Browser(storage), data, name="the same")
    assert download(one, Browser(one), "the same").body == b"of one"
    assert download(two, Browser(two), "the same").body == b"of two"


def test_the_secret_is_random_kept_and_private(directory: Path, tmp_path: Path) -> None:
    [secret] = LocalStorage(directory).default_secrets()
    assert re.fullmatch("[0-9a-f]{64}", secret)
    assert LocalStorage(directory).default_secrets() == (secret,)
    assert LocalStorage(tmp_path / "other").default_secrets() != (secret,)
    assert stat.S_IMODE((directory / "secret").stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert files_below(directory) == {"secret"}


def test_a_process_that_creates_the_secret_second_uses_the_first(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def link_late(source: str, target: str) -> None:
        monkeypatch.setattr(os, "link", link)
        first.extend(LocalStorage(directory).default_secrets())
        link(source, target)

    first: list[str] = []
    monkeypatch.setattr(os, "link", link_late)
    assert LocalStorage(directory).default_secrets() == tuple(first)
    assert len(first) == 1
    assert files_below(directory) == {"secret"}


def _ask_for_secret(directory: Path, start: Any, answers: Any) -> None:
    start.wait(30)
    answers.put(LocalStorage(directory).default_secrets())


def test_processes_that_ask_at_once_have_the_same_secret(directory: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    start, answers = spawn.Barrier(4), spawn.Queue()
    processes = [spawn.Process(target=_ask_for_secret, args=(directory, start, answers)) for _ in range(4)]
    assert len(set(_results(processes, answers))) == 1


def _results(processes: list[Any], answers: Any) -> list[Any]:
    for process in processes:
        process.start()
    results = [answers.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    answers.close()
    return results


def test_a_damaged_secret_is_an_error_and_not_a_weak_key(directory: Path) -> None:
    directory.mkdir(parents=True)
    (directory / "secret").write_text("")
    with pytest.raises(StorageError, match="secret"):
        LocalStorage(directory).default_secrets()


def test_a_storage_with_its_own_secret_works(directory: Path) -> None:
    storage = LocalStorage(directory)
    storage.bind(Keys(storage.default_secrets))
    stored = finished(storage, Browser(storage), SEVERAL)
    again = LocalStorage(directory)
    again.bind(Keys(again.default_secrets))
    assert Browser(again).request("GET", download_url(storage, stored.name)).body == SEVERAL


def test_temp_urls_of_an_older_secret_stay_good_while_it_is_kept(directory: Path) -> None:
    old = bound(directory, "old")
    stored = finished(old, Browser(old), ONE)
    transfer, urls = begin(old, SEVERAL)
    both, new = bound(directory, "old", "new"), bound(directory, "new")
    put_all(Browser(both), urls, transfer, SEVERAL)
    assert Browser(both).request("GET", download_url(old, stored.name)).body == ONE
    assert Browser(new).request("GET", download_url(old, stored.name)).status == 401
    assert Browser(new).request("GET", download_url(both, stored.name)).body == ONE
    assert put(Browser(new), urls[0], SEVERAL[:10]) == 401


def _seal_in_process(directory: Path, transfer: Any, start: Any, answers: Any) -> None:
    start.wait(30)
    answers.put(bound(directory).seal(transfer, etags_of(transfer, SEVERAL), pending=False))


def test_processes_that_seal_at_once_have_the_same_result(
    directory: Path, storage: LocalStorage, http: Browser
) -> None:
    transfer, _ = uploaded(storage, http, SEVERAL)
    spawn = multiprocessing.get_context("spawn")
    start, answers = spawn.Barrier(4), spawn.Queue()
    processes = [spawn.Process(target=_seal_in_process, args=(directory, transfer, start, answers)) for _ in range(4)]
    assert len(set(_results(processes, answers))) == 1
    assert download(storage, http, transfer.name).body == SEVERAL


@pytest.mark.parametrize("data", SIZES)
def test_writers_and_a_seal_at_once_never_mix(storage: LocalStorage, http: Browser, data: bytes) -> None:
    transfer, urls = uploaded(storage, http, data)
    evil = bytes(len(data))

    def overwrite(number: int) -> int:
        signed = urls[number % len(urls)]
        body = evil[signed.segment.offset :][: signed.segment.size]
        return put(http, signed, body)

    with ThreadPoolExecutor(8) as pool:
        written = [pool.submit(overwrite, number) for number in range(24)]
        sealing = pool.submit(seal, storage, transfer, data)
        statuses = {future.result() for future in written}
    assert statuses <= {201, 401}
    if sealing.exception() is None:
        assert download(storage, http, transfer.name).body == data
    else:
        put_all(http, urls, transfer, data)
        assert seal(storage, transfer, data).complete
        assert download(storage, http, transfer.name).body == data


def test_a_forked_child_does_not_keep_a_lock(tmp_path: Path) -> None:
    lock = str(tmp_path / "lock")
    with local_files.locked(lock):
        inherited = [os.dup(int(name)) for name in os.listdir("/dev/fd") if _is_open(int(name), lock)]
    try:
        assert inherited
        with open(lock, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises BlockingIOError where it is still locked
    finally:
        for descriptor in inherited:
            os.close(descriptor)


def _is_open(descriptor: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except OSError:
        return False
