"""Moto's server, which verifies no signatures: refused as it is; what an upload does on it is right all the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from contract.s3_contract import ONE, SEVERAL, SIZES, contract
from helpers.storage.s3 import Browser, s3_storage
from moto.server import ThreadedMotoServer

from direct_upload_middleware.errors import AlreadyComplete, NotFound, StorageError
from direct_upload_middleware.storage.s3 import S3Storage
from direct_upload_middleware.storage.s3.client import S3Client
from direct_upload_middleware.storage.s3.provisioning import Server


@dataclass
class Moto:
    """A running server."""

    url: str
    access_key: str = "moto"
    secret_key: str = "moto"

    def storage_url(self, bucket: str) -> str:
        client = S3Client(bucket, region="us-east-1", endpoint=self.url)
        client.use_credentials(self.access_key, self.secret_key)
        client.call("create_bucket")
        return f"s3://{bucket}"


@pytest.fixture(scope="module")
def moto() -> Iterator[Moto]:
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield Moto(f"http://{host}:{port}")
    server.stop()


@pytest.fixture
def storage(moto: Moto) -> S3Storage:
    """A storage that has not been asked whether it is safe."""
    storage = s3_storage(moto)
    storage._provisioning._server = Server(has_conditional_complete=True, is_versioned=False)
    return storage


@pytest.fixture
def http() -> Browser:
    return Browser()


def test_a_server_that_copies_is_refused(moto: Moto) -> None:
    with pytest.raises(StorageError, match="x-amz-copy-source"):
        contract.begin(s3_storage(moto), ONE)


@pytest.mark.parametrize("data", [ONE, SEVERAL, b""], ids=["one segment", "several segments", "empty"])
def test_a_file_is_stored_read_and_deleted(storage: S3Storage, http: Browser, data: bytes) -> None:
    stored = contract.finished(storage, http, data)
    assert contract.download(storage, http, stored.name).body == data
    assert storage.open(stored).read() == data
    storage.delete(stored)
    assert storage._multipart.find(stored.name) is None


@pytest.mark.parametrize("data", SIZES)
def test_a_complete_upload_stays_complete(storage: S3Storage, http: Browser, data: bytes) -> None:
    transfer, _ = contract.uploaded(storage, http, data)
    first, second = contract.seal(storage, transfer, data), contract.seal(storage, transfer, data)
    assert first == second
    assert storage.status(transfer).state == "complete"
    with pytest.raises(AlreadyComplete):
        storage.abort(transfer)


@pytest.mark.parametrize("pending", [False, True], ids=["open", "sealed"])
def test_an_aborted_upload_is_gone(storage: S3Storage, http: Browser, pending: bool) -> None:
    transfer, _ = contract.uploaded(storage, http, ONE)
    if pending:
        contract.seal(storage, transfer, ONE, pending=True)
    storage.abort(transfer)
    with pytest.raises(NotFound):
        contract.seal(storage, transfer, ONE)
    assert storage._multipart.find(transfer.name) is None


def test_a_sweep_removes_what_was_abandoned(storage: S3Storage, http: Browser) -> None:
    kept = contract.finished(storage, http, ONE)
    contract.uploaded(storage, http, ONE)
    sealed, _ = contract.uploaded(storage, http, ONE)
    contract.seal(storage, sealed, ONE, pending=True)
    assert sorted(found.kind for found in storage.sweep(older_than=0)) == ["segments", "unfinished"]
    assert list(storage.sweep(older_than=0)) == []
    assert contract.download(storage, http, kept.name).body == ONE
