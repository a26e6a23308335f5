"""The local storage in a crash, on a disk that fails, and when someone damages its files."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from contract.storage_contract import (
    ONE,
    SEVERAL,
    SIZES,
    begin,
    download,
    etags_of,
    finished,
    md5,
    new_transfer,
    put,
    put_all,
    seal,
    stored_object,
    uploaded,
)
from helpers.storage.local_browser import Browser, files_below

from direct_upload_middleware.errors import ApplicationError, NotFound, StorageError, StorageUnavailable
from direct_upload_middleware.storage.base import StoredObject, Transfer
from direct_upload_middleware.storage.local import LocalStorage


class Crash(BaseException):
    """The process ends here."""


class Crashing:
    """Ends the process at the n-th of those calls to ``os`` that change the directory."""

    CALLS = ("replace", "rename", "link", "unlink", "mkdir", "fsync")

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
        self.left = at
        self.crashed = False
        for name in self.CALLS:
            monkeypatch.setattr(os, name, self._counted(getattr(os, name)))

    def _counted(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            self.left -= 1
            if self.crashed or self.left < 0:  # after the crash nothing happens any more, no cleaning up either
                self.crashed = True
                raise Crash
            return call(*args, **kwargs)

        return counted


def crash_points(
    monkeypatch: pytest.MonkeyPatch, prepare: Callable[[], Any], act: Callable[[Any], Any]
) -> Iterator[Any]:
    """Do something anew and end it at its first step, at its second, and so on until it comes to its end."""
    for at in range(200):
        subject = prepare()
        with monkeypatch.context() as patched:
            crashing = Crashing(patched, at)
            try:
                act(subject)
            except Crash:
                pass
            else:
                assert not crashing.crashed
                assert at > 2
                return
        yield subject
    pytest.fail("it never came to its end")


@pytest.mark.parametrize("data", SIZES)
def test_a_segment_whose_writing_crashed_is_as_it_was_or_there_whole(
    storage: LocalStorage, http: Browser, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    def prepared() -> Any:
        transfer, urls = begin(storage, data)
        assert put(http, urls[0], b"before") == 201
        return transfer, urls

    for transfer, urls in crash_points(monkeypatch, prepared, lambda subject: put(http, subject[1][0], data[:10])):
        [stored] = storage.status(transfer).stored
        assert stored.etag in (md5(b"before"), md5(data[:10]))
        put_all(http, urls, transfer, data)
        assert {s.index: s.etag for s in storage.status(transfer).stored} == etags_of(transfer, data)
        seal(storage, transfer, data)
        assert download(storage, http, transfer.name).body == data


@pytest.mark.parametrize("pending", [False, True])
@pytest.mark.parametrize("data", SIZES)
def test_a_seal_that_crashed_is_finished_by_a_retry(
    storage: LocalStorage, http: Browser, monkeypatch: pytest.MonkeyPatch, data: bytes, pending: bool
) -> None:
    for transfer, _ in crash_points(
        monkeypatch,
        lambda: uploaded(storage, http, data),
        lambda subject: seal(storage, subject[0], data, pending=pending),
    ):
        assert download(storage, http, transfer.name).body in (data, b"404 Not Found\n")
        sealed = seal(storage, transfer, data, pending=pending)
        assert sealed.complete is not pending
        assert download(storage, http, transfer.name).body == data


@pytest.mark.parametrize("data", SIZES)
def test_a_seal_that_crashed_can_be_aborted(
    directory: Path, storage: LocalStorage, http: Browser, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    for transfer, _ in crash_points(
        monkeypatch,
        lambda: uploaded(storage, http, data),
        lambda subject: seal(storage, subject[0], data, pending=True),
    ):
        storage.abort(transfer)
        with pytest.raises(NotFound):
            storage.status(transfer)
        assert files_below(directory) == set()


@pytest.mark.parametrize("sealed", [False, True])
def test_an_abort_that_crashed_is_complete_or_not_begun(
    directory: Path, storage: LocalStorage, http: Browser, monkeypatch: pytest.MonkeyPatch, sealed: bool
) -> None:
    def prepared() -> Any:
        transfer, _ = uploaded(storage, http, SEVERAL)
        if sealed:
            seal(storage, transfer, SEVERAL, pending=True)
        return transfer

    for number, transfer in enumerate(crash_points(monkeypatch, prepared, storage.abort)):
        if number % 2:  # the one who retries goes on, all the same
            try:
                assert seal(storage, transfer, SEVERAL).size == len(SEVERAL)
            except NotFound:
                assert download(storage, http, transfer.name).status == 404
            else:
                storage.delete(finished_object(transfer))
                continue
        storage.abort(transfer)
        assert download(storage, http, transfer.name).status == 404
    storage.abort(begin(storage, ONE)[0])
    assert files_below(directory) == set()


def finished_object(transfer: Transfer) -> StoredObject:
    etag = md5("".join(etags_of(transfer, SEVERAL).values()).encode())
    return StoredObject(transfer.name, transfer.id, len(SEVERAL), etag)


def test_a_delete_that_crashed_is_finished_by_a_retry(
    directory: Path, storage: LocalStorage, http: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    for stored in crash_points(monkeypatch, lambda: finished(storage, http, SEVERAL), storage.delete):
        assert download(storage, http, stored.name).body in (SEVERAL, b"404 Not Found\n")
        storage.delete(stored)
        assert download(storage, http, stored.name).status == 404
    assert files_below(directory) == set()


def test_a_finished_upload_leaves_nothing_but_itself(directory: Path, storage: LocalStorage, http: Browser) -> None:
    transfer, urls = uploaded(storage, http, SEVERAL)
    (directory / "uploads" / transfer.id / "tmp-of-a-crash").write_bytes(b"half a segment")
    put(http, urls[0], b"something else")
    put_all(http, urls, transfer, SEVERAL)
    seal(storage, transfer, SEVERAL)
    names = {f"{index}.{etag}" for index, etag in etags_of(transfer, SEVERAL).items()} | {"manifest.json"}
    [pointer] = (directory / "objects").iterdir()
    expected = {f"uploads/{transfer.id}/{name}" for name in names} | {f"objects/{pointer.name}"}
    assert files_below(directory) == expected
    assert all(stat.S_IMODE((directory / name).stat().st_mode) == 0o600 for name in expected)


def test_a_name_that_is_taken_goes_to_another_upload_only_when_it_is_free(storage: LocalStorage, http: Browser) -> None:
    first = finished(storage, http, b"first", name="the same")
    transfer, _ = uploaded(storage, http, b"second", name="the same")
    with pytest.raises(ApplicationError):
        seal(storage, transfer, b"second")
    assert download(storage, http, "the same").body == b"first"
    storage.delete(first)
    second = stored_object(transfer, seal(storage, transfer, b"second"))
    storage.delete(first)
    assert download(storage, http, "the same").body == b"second"
    with pytest.raises(StorageError):
        storage.open(first)
    assert storage.open(second).read() == b"second"


@pytest.mark.parametrize(
    ("number", "status", "error"),
    [
        pytest.param("ENOSPC", 507, StorageUnavailable, id="full"),
        pytest.param("EDQUOT", 507, StorageUnavailable, id="over quota"),
        pytest.param("EIO", 503, StorageError, id="broken"),
        pytest.param("EROFS", 503, StorageError, id="read-only"),
    ],
)
def test_a_failing_disk_is_a_storage_error(
    storage: LocalStorage,
    http: Browser,
    monkeypatch: pytest.MonkeyPatch,
    number: str,
    status: int,
    error: type[StorageError],
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(getattr(errno, number), "the disk")

    transfer, urls = begin(storage, SEVERAL)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fail)
        assert put(http, urls[0], SEVERAL[:10]) == status
    assert storage.status(transfer).stored == ()
    put_all(http, urls, transfer, SEVERAL)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fail)
        with pytest.raises(error):
            seal(storage, transfer, SEVERAL)
    assert storage.status(transfer).state == "open"
    seal(storage, transfer, SEVERAL)
    assert download(storage, http, transfer.name).body == SEVERAL


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda path: path.write_bytes(b""), id="cut short"),
        pytest.param(lambda path: path.unlink(), id="gone"),
    ],
)
def test_reading_a_damaged_segment_is_an_error(
    directory: Path, storage: LocalStorage, http: Browser, damage: Callable[[Path], None]
) -> None:
    stored = finished(storage, http, SEVERAL)
    damage(directory / "uploads" / stored.id / f"1.{md5(SEVERAL[10:20])}")
    with storage.open(stored) as file:
        assert file.read(10) == SEVERAL[:10]
        with pytest.raises(StorageError):
            file.read()
    assert download(storage, http, stored.name, Range="bytes=12-14").status in (404, 503)
    with pytest.raises(StorageError):
        download(storage, http, stored.name)


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"segments": 1}', b"\xff"])
def test_a_damaged_manifest_is_an_error(directory: Path, storage: LocalStorage, http: Browser, text: bytes) -> None:
    transfer, urls = uploaded(storage, http, ONE)
    stored = finished(storage, http, ONE)
    for id in (transfer.id, stored.id):
        (directory / "uploads" / id / "manifest.json").write_bytes(text)
    with pytest.raises(StorageError):
        storage.status(transfer)
    with pytest.raises(StorageError):
        storage.open(stored)
    assert put(http, urls[0], ONE) == 503
    assert download(storage, http, stored.name).status == 503


def test_a_directory_that_went_away_takes_its_uploads_along(
    directory: Path, storage: LocalStorage, http: Browser
) -> None:
    transfer, urls = uploaded(storage, http, ONE)
    shutil.rmtree(directory)
    assert put(http, urls[0], ONE) == 401
    with pytest.raises(NotFound):
        storage.status(transfer)


@pytest.mark.parametrize("id", ["", "../../etc", "0" * 31, "0" * 33, "A" * 32, "0" * 31 + "/", "0" * 32 + "\n"])
def test_only_an_id_of_ours_becomes_a_path(storage: LocalStorage, directory: Path, id: str) -> None:
    transfer = new_transfer(ONE, id=id)
    with pytest.raises(NotFound):
        storage.begin(transfer, origin="")
    with pytest.raises(NotFound):
        storage.sign(transfer, [0], ttl=60)
    assert not directory.exists()
