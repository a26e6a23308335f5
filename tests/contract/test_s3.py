"""S3: the contract against a real server, what it costs in requests, races, and what is refused."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest
from contract.s3_contract import ONE, SEVERAL, SIZES, S3Contract, contract, query_value
from helpers.storage.s3 import Browser, s3_storage

from direct_upload_middleware.errors import (
    AlreadyComplete,
    ApplicationError,
    DirectUploadError,
    NotFound,
    SegmentsDiffer,
    StorageError,
    StorageUnavailable,
)
from direct_upload_middleware.storage.base import Sealed, Transfer
from direct_upload_middleware.storage.s3 import S3Storage
from direct_upload_middleware.storage.s3.client import Refusal
from direct_upload_middleware.storage.s3.records import DECISION, Record, record_of
from direct_upload_middleware.storage.s3.signing import Signer
from direct_upload_middleware.testing.private_s3.server import S3Server


@pytest.fixture
def storage(s3_server: S3Server) -> S3Storage:
    return s3_storage(s3_server)


@pytest.fixture
def http() -> Browser:
    return Browser()


class TestS3Storage(S3Contract):
    """The contract on SeaweedFS."""


# -- requests ----------------------------------------------------------------------------------------------------


@pytest.fixture
def requests_made(storage: S3Storage, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The operations that storage is asked for, after the first use of the server."""
    contract.begin(storage, ONE)
    made: list[str] = []
    call = storage._client.call

    def counting(operation: str, **parameters: Any) -> Any:
        made.append(operation)
        return call(operation, **parameters)

    monkeypatch.setattr(storage._client, "call", counting)
    return made


@pytest.mark.parametrize("pending", [pytest.param(False, id="at once"), pytest.param(True, id="confirmed")])
@pytest.mark.parametrize("data", SIZES)
def test_an_upload_takes_six_requests_however_many_segments_it_has(
    storage: S3Storage, http: Browser, requests_made: list[str], data: bytes, pending: bool
) -> None:
    transfer, _ = contract.uploaded(storage, http, data)
    storage.confirm(transfer, contract.seal(storage, transfer, data, pending=pending))
    assert requests_made == [
        "create_multipart_upload",
        "list_parts",
        "put_object",
        "complete_multipart_upload",
        "put_object",
        "delete_object",
    ]


# -- races -------------------------------------------------------------------------------------------------------


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What each call returned or raised, all made at the same moment."""
    together = Barrier(len(calls))

    def carry_out(call: Callable[[], Any]) -> Any:
        together.wait(timeout=30)
        try:
            return call()
        except DirectUploadError as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(carry_out, calls))


ROUNDS = 12


def _until_decided(call: Callable[[], Any]) -> Callable[[], Any]:
    """The call, repeated while storage says that another one is in progress, as a client repeats it."""

    def carry_out() -> Any:
        for _ in range(50):
            try:
                return call()
            except StorageUnavailable:
                time.sleep(0.05)
        raise AssertionError("it was never decided")

    return carry_out


@pytest.mark.parametrize("pending", [pytest.param(False, id="at once"), pytest.param(True, id="confirmed")])
def test_of_a_complete_and_an_abort_at_once_one_succeeds(storage: S3Storage, http: Browser, pending: bool) -> None:
    for _ in range(ROUNDS):
        transfer, urls = contract.uploaded(storage, http, ONE)

        def complete(transfer: Transfer = transfer) -> Sealed:
            sealed = contract.seal(storage, transfer, ONE, pending=pending)
            storage.confirm(transfer, sealed)
            return sealed

        def abort(transfer: Transfer = transfer) -> bool:
            storage.abort(transfer)
            return True

        completed, aborted = at_once(_until_decided(complete), _until_decided(abort))
        assert isinstance(completed, Sealed) != (aborted is True), (completed, aborted)
        assert contract.put(http, urls[0], b"late") == 401
        if isinstance(completed, Sealed):
            assert isinstance(aborted, AlreadyComplete)
            assert storage.status(transfer).state == "complete"
            assert contract.download(storage, http, transfer.name).body == ONE
        else:
            assert isinstance(completed, NotFound)
            with pytest.raises(NotFound):
                storage.status(transfer)
            assert contract.download(storage, http, transfer.name).status == 404


def test_of_a_confirm_and_an_abort_at_once_one_succeeds(storage: S3Storage, http: Browser) -> None:
    for _ in range(ROUNDS):
        transfer, _ = contract.uploaded(storage, http, ONE)
        sealed = contract.seal(storage, transfer, ONE, pending=True)
        confirmed, aborted = at_once(
            lambda t=transfer, s=sealed: storage.confirm(t, s), lambda t=transfer: storage.abort(t)
        )
        assert (confirmed is None) != (aborted is None), (confirmed, aborted)
        status = contract.download(storage, http, transfer.name).status
        assert status == (200 if confirmed is None else 404)


def test_of_two_completions_with_other_segments_one_is_sealed_and_both_say_which(
    storage: S3Storage, http: Browser
) -> None:
    """SeaweedFS keeps both versions of a part, so both completions could succeed."""
    for _ in range(ROUNDS):
        transfer, urls = contract.begin(storage, ONE)
        for data in (ONE, b"the 2nd!"):
            assert contract.put(http, urls[0], data) == 201

        def seal(data: bytes, transfer: Transfer = transfer) -> Callable[[], Sealed]:
            return _until_decided(lambda: contract.seal(storage, transfer, data))

        results = set(at_once(seal(ONE), seal(b"the 2nd!")))
        [sealed] = results
        assert contract.etag_header(contract.download(storage, http, transfer.name)) == sealed.etag


def test_an_abort_that_loses_to_a_confirm_leaves_the_file(
    storage: S3Storage, http: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfer, _ = contract.uploaded(storage, http, ONE)
    sealed = contract.seal(storage, transfer, ONE, pending=True)
    create = storage._records.create

    def confirm_first(id: str, kind: str, record: Record) -> bool:
        monkeypatch.undo()
        storage.confirm(transfer, sealed)
        return create(id, kind, record)

    monkeypatch.setattr(storage._records, "create", confirm_first)
    with pytest.raises(AlreadyComplete):
        storage.abort(transfer)
    assert contract.download(storage, http, transfer.name).body == ONE


@pytest.mark.parametrize("data", SIZES)
def test_a_completion_that_loses_to_an_abort_leaves_nothing(
    storage: S3Storage, http: Browser, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    """The abort is interrupted after its decision, so the completion removes the object."""
    transfer, _ = contract.uploaded(storage, http, data)
    complete = storage._multipart.complete

    def decide_first(*arguments: Any, **options: Any) -> str:
        decision = record_of(transfer, "aborted", storage._client.now())
        assert storage._records.create(transfer.id, DECISION, decision)
        return complete(*arguments, **options)

    monkeypatch.setattr(storage._multipart, "complete", decide_first)
    with pytest.raises(NotFound):
        contract.seal(storage, transfer, data)
    assert contract.download(storage, http, transfer.name).status == 404


def test_an_upload_whose_records_were_swept_stays_complete(storage: S3Storage, http: Browser) -> None:
    transfer, _ = contract.uploaded(storage, http, ONE)
    contract.seal(storage, transfer, ONE)
    storage._records.remove(transfer.id, DECISION)
    with pytest.raises(AlreadyComplete):
        storage.abort(transfer)
    assert storage.status(transfer).state == "complete"
    assert contract.download(storage, http, transfer.name).body == ONE


def test_an_object_that_a_late_complete_writes_after_the_deletion_is_removed(storage: S3Storage, http: Browser) -> None:
    transfer, _ = contract.uploaded(storage, http, ONE)
    sealed = contract.seal(storage, transfer, ONE)
    key = storage._multipart.key(transfer.name)
    answer = storage._client.call("get_object", Key=key)
    storage.delete(contract.stored_object(transfer, sealed), until=transfer.expires)
    storage._client.call("put_object", Key=key, Body=answer["Body"], Metadata=answer["Metadata"])
    with pytest.raises(NotFound):
        contract.seal(storage, transfer, ONE)
    assert contract.download(storage, http, transfer.name).status == 404


# -- crashes -----------------------------------------------------------------------------------------------------


class Crash(BaseException):
    """The process ends here."""


STEPS = ["create_multipart_upload", "list_parts", "put_object", "complete_multipart_upload", "delete_object"]


@pytest.mark.parametrize("after", [pytest.param(False, id="before"), pytest.param(True, id="after")])
@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("step", STEPS[1:])
def test_a_crash_at_any_step_leaves_what_a_retry_finishes(
    storage: S3Storage, http: Browser, monkeypatch: pytest.MonkeyPatch, step: str, number: int, after: bool
) -> None:
    transfer, _ = contract.uploaded(storage, http, ONE)
    call, left = storage._client.call, [number]

    def crashing(operation: str, **parameters: Any) -> Any:
        if operation == step:
            left[0] -= 1
        if operation == step and left[0] == 0 and not after:
            raise Crash
        answer = call(operation, **parameters)
        if operation == step and left[0] == 0 and after:
            raise Crash
        return answer

    monkeypatch.setattr(storage._client, "call", crashing)
    try:
        contract.seal(storage, transfer, ONE)
    except Crash:
        monkeypatch.undo()
        contract.seal(storage, transfer, ONE)
    monkeypatch.undo()
    assert storage.status(transfer).state == "complete"
    assert contract.download(storage, http, transfer.name).body == ONE
    with pytest.raises(AlreadyComplete):
        storage.abort(transfer)


def test_a_pin_of_an_interrupted_completion_gives_way_after_a_while(
    storage: S3Storage, http: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfer, _ = contract.uploaded(storage, http, ONE)
    storage._sealing._pin(transfer, (contract.StoredSegment(0, 8, contract.md5(b"the 2nd!")),))
    with pytest.raises(StorageUnavailable):
        contract.seal(storage, transfer, ONE)
    now = storage._client.now
    monkeypatch.setattr(storage._client, "now", lambda: now() + 1000)
    contract.seal(storage, transfer, ONE)
    assert contract.download(storage, http, transfer.name).body == ONE


# -- what an uploader adds -----------------------------------------------------------------------------------------


def test_a_part_url_does_not_copy_another_object(storage: S3Storage, http: Browser) -> None:
    victim = contract.finished(storage, http, b"somebody else's secret")
    transfer, urls = contract.begin(storage, ONE)
    source = f"/uploads/{storage._multipart.key(victim.name)}"
    assert contract.put(http, urls[0], b"", x_amz_copy_source=source) == 401
    assert storage.status(transfer).stored == ()


def test_a_signed_empty_copy_source_takes_parts_and_no_copies(s3_server: S3Server, http: Browser) -> None:
    storage = s3_storage(s3_server, sign_copy_source=True)
    victim = contract.finished(storage, http, b"somebody else's secret")
    transfer, urls = contract.begin(storage, ONE)
    assert urls[0].headers == {"x-amz-copy-source": ""}
    assert query_value(urls[0].url, "X-Amz-SignedHeaders") == "host;x-amz-copy-source"
    source = f"/uploads/{storage._multipart.key(victim.name)}"
    assert http.request("PUT", urls[0].url, b"", {"x-amz-copy-source": source}).status == 401
    assert contract.put(http, urls[0], ONE) == 201
    contract.seal(storage, transfer, ONE)
    assert contract.download(storage, http, transfer.name).body == ONE


def test_names_of_records_and_probes_are_reserved(storage: S3Storage) -> None:
    for name in (".direct-upload/uploads/0/decision", ".direct-upload/probes/target"):
        with pytest.raises(ApplicationError):
            contract.begin(storage, ONE, name=name)


def test_segments_under_the_least_size_are_refused_and_not_a_fault_of_storage(
    storage: S3Storage, http: Browser
) -> None:
    transfer, _ = contract.uploaded(storage, http, ONE + ONE, segment_size=len(ONE))
    with pytest.raises(SegmentsDiffer) as caught:
        contract.seal(storage, transfer, ONE + ONE)
    assert caught.value.indexes == [0]


def test_no_repr_tells_the_keys(storage: S3Storage) -> None:
    signer = storage._client._signer()
    token = Signer("http://localhost/", "region", "the access key", "the secret key", "the session token")
    text = repr([signer, token, storage, contract.begin(storage, ONE)[1]])
    for secret in (S3Server.secret_key, "the secret key", "the session token", "X-Amz-Signature"):
        assert secret not in text


# -- clock and processes --------------------------------------------------------------------------------------------


def test_the_clock_of_storage_counts_and_not_ours(
    s3_server: S3Server, http: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = s3_storage(s3_server)
    now = time.time
    for minutes in (-10, 10):
        monkeypatch.setattr(time, "time", lambda minutes=minutes: now() + 60 * minutes)
        storage._client.call("head_bucket")
        [signed] = storage.sign(contract.begin(storage, ONE)[0], [0], ttl=60)
        assert contract.put(http, signed, ONE) == 201
        assert abs(signed.expires - now()) < 90


def test_another_process_continues_the_upload(storage: S3Storage, s3_server: S3Server, http: Browser) -> None:
    transfer, _ = contract.uploaded(storage, http, SEVERAL)
    other = s3_storage(s3_server, storage.container.partition("/")[2])
    contract.seal(other, transfer, SEVERAL)
    assert storage.status(transfer).state == "complete"
    with pytest.raises(AlreadyComplete):
        other.sign(replace(transfer), [0], ttl=60)


@pytest.mark.parametrize("data", SIZES)
def test_an_ended_upload_may_be_an_unknown_key(
    storage: S3Storage, http: Browser, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    """Ceph RGW answers NoSuchKey where others answer NoSuchUpload."""
    call = storage._client.call

    def answer_as_rgw(operation: str, *, expect: tuple[str, ...] = (), **parameters: Any) -> Any:
        try:
            return call(operation, expect=("NoSuchUpload", *expect), **parameters)
        except Refusal as refusal:
            if refusal.code == "NoSuchUpload" and not {"NoSuchKey", "404"} & set(expect):
                raise StorageError("NoSuchKey") from refusal
            raise

    monkeypatch.setattr(storage._client, "call", answer_as_rgw)
    complete, _ = contract.uploaded(storage, http, data)
    contract.seal(storage, complete, data)
    assert storage.status(complete).state == "complete"
    aborted, _ = contract.uploaded(storage, http, data)
    storage.abort(aborted)
    with pytest.raises(NotFound):
        storage.status(aborted)
