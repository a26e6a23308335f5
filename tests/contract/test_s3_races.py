"""Calls that race for one upload in S3, from processes of their own. ``S3_ROUNDS`` is how often each race is run."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from contract.s3_contract import ONE, contract
from helpers.storage.s3 import Browser, s3_storage
from helpers.storage.s3_processes import Racers, racers

from direct_upload_middleware.errors import NotFound
from direct_upload_middleware.storage.s3 import S3Storage
from direct_upload_middleware.testing.private_s3.server import S3Server

ROUNDS = int(os.environ.get("S3_ROUNDS", "100"))
OTHER = b"the 2nd!"


@pytest.fixture(scope="module")
def storage(s3_server: S3Server) -> S3Storage:
    return s3_storage(s3_server)


@pytest.fixture(scope="module")
def two(s3_server: S3Server, storage: S3Storage) -> Iterator[Racers]:
    access = (s3_server.url, s3_server.access_key, s3_server.secret_key, storage.container)
    with racers(2, *access) as found:
        yield found


@pytest.fixture
def http() -> Browser:
    return Browser()


def test_of_a_completion_and_an_abort_one_succeeds(storage: S3Storage, http: Browser, two: Racers) -> None:
    for _ in range(ROUNDS):
        transfer, urls = contract.uploaded(storage, http, ONE)
        completed, aborted = two.race(("complete", transfer, ONE, None), ("abort", transfer, b"", None))
        if aborted == "done":
            assert completed == "NotFound"
            with pytest.raises(NotFound):
                storage.status(transfer)
        else:
            assert (aborted, storage.status(transfer).state) == ("AlreadyComplete", "complete")
        assert contract.put(http, urls[0], b"late") == 401
        download = contract.download(storage, http, transfer.name)
        assert (download.status, download.body == ONE) == ((404, False) if aborted == "done" else (200, True))


def test_of_a_confirmation_and_an_abort_one_succeeds(storage: S3Storage, http: Browser, two: Racers) -> None:
    for _ in range(ROUNDS):
        transfer, _ = contract.uploaded(storage, http, ONE)
        sealed = contract.seal(storage, transfer, ONE, pending=True)
        results = two.race(("confirm", transfer, b"", sealed), ("abort", transfer, b"", None))
        assert results in ([sealed.etag, "AlreadyComplete"], ["NotFound", "done"])
        status = contract.download(storage, http, transfer.name).status
        assert status == (404 if results[1] == "done" else 200)


def test_two_completions_give_one_object(storage: S3Storage, http: Browser, two: Racers) -> None:
    """SeaweedFS keeps both versions of a part, so each process finds what it declares."""
    for _ in range(ROUNDS):
        transfer, urls = contract.begin(storage, ONE)
        for data in (ONE, OTHER):
            assert contract.put(http, urls[0], data) == 201
        results = two.race(("complete", transfer, ONE, None), ("complete", transfer, OTHER, None))
        download = contract.download(storage, http, transfer.name)
        assert download.body in (ONE, OTHER)
        assert set(results) == {contract.etag_header(download)}
