"""S3: the contract against a real server, what it costs in requests, races, and what is refused."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import pytest
from helpers.s3 import Browser, s3_storage

from direct_upload_middleware.errors import (
    AlreadyComplete,
    ApplicationError,
    DirectUploadError,
    NotFound,
    SegmentsDiffer,
    StorageUnavailable,
)
from direct_upload_middleware.storage.base import GiB, Sealed, StoredSegment, Transfer
from direct_upload_middleware.storage.s3 import S3Storage
from direct_upload_middleware.storage.s3.multipart import MIN_PART_SIZE, object_etag
from direct_upload_middleware.testing.private_s3.server import S3Server


def _load_contract() -> Any:
    """The contract with segments as large as S3's least ones."""
    spec = importlib.util.spec_from_file_location(
        "storage_contract_s3", Path(__file__).with_name("storage_contract.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    module.SEGMENT = MIN_PART_SIZE  # type: ignore[attr-defined]
    spec.loader.exec_module(module)
    return module


contract = _load_contract()
ONE, SEVERAL = contract.ONE, contract.SEVERAL
SIZES = contract.SIZES


@pytest.fixture
def storage(s3_server: S3Server) -> S3Storage:
    return s3_storage(s3_server)


@pytest.fixture
def http() -> Browser:
    return Browser()


def with_query(url: str, **changes: str | None) -> str:
    parts = urlsplit(url)
    query = {**dict(parse_qsl(parts.query, keep_blank_values=True)), **changes}
    return urlunsplit(parts._replace(query=urlencode({k: v for k, v in query.items() if v is not None})))


def query_value(url: str, name: str) -> str:
    return dict(parse_qsl(urlsplit(url).query))[name]


def changed_digit(url: str) -> str:
    signature = query_value(url, "X-Amz-Signature")
    return with_query(url, **{"X-Amz-Signature": ("0" if signature[0] != "0" else "1") + signature[1:]})


FORGED = [
    pytest.param(changed_digit, id="a digit of the signature changed"),
    pytest.param(lambda url: with_query(url, **{"X-Amz-Signature": ""}), id="an empty signature"),
    pytest.param(lambda url: with_query(url, **{"X-Amz-Signature": "é"}), id="a signature that is not hex"),
    pytest.param(lambda url: with_query(url, **{"X-Amz-Signature": None}), id="no signature"),
    pytest.param(lambda url: with_query(url, **{"X-Amz-Expires": "604800"}), id="a later expiry"),
    pytest.param(lambda url: with_query(url, **{"X-Amz-Expires": None}), id="no expiry"),
    pytest.param(lambda url: with_query(url, **{"X-Amz-SignedHeaders": ""}), id="no signed headers"),
    pytest.param(lambda url: with_query(url, **{"X-Amz-Algorithm": "none"}), id="no algorithm"),
    pytest.param(lambda url: with_query(url, partNumber="2"), id="another part"),
    pytest.param(lambda url: with_query(url, uploadId=None, partNumber=None), id="the object instead of a part"),
    pytest.param(lambda url: with_query(url, acl=""), id="another subresource"),
    pytest.param(lambda url: url.split("?", 1)[0], id="nothing but the address"),
]


class TestS3Storage(contract.StorageContract):  # type: ignore[name-defined,misc]
    """The contract. What is overridden here is Swift's alone; each test states what S3 does instead."""

    @pytest.mark.parametrize("data", [ONE, SEVERAL, b""])
    def test_what_was_sent_is_what_is_downloaded(self, storage: S3Storage, http: Browser, data: bytes) -> None:
        """The object's ETag is S3's: the MD5 of the parts' MD5s and their number, also of one part."""
        transfer, _ = contract.uploaded(storage, http, data)
        sealed = contract.seal(storage, transfer, data)
        pieces = contract.segment_bytes(transfer, data)
        stored = [contract.StoredSegment(i, len(piece), contract.md5(piece)) for i, piece in pieces.items()]
        assert sealed.etag == object_etag(stored)
        assert sealed.etag.endswith(f"-{len(pieces)}")
        assert (sealed.size, sealed.complete) == (len(data), True)
        assert abs(sealed.sealed_at - time.time()) < 60
        answer = contract.download(storage, http, transfer.name)
        assert (answer.status, answer.body) == (200, data)
        assert answer.headers.get("Content-Length") == str(len(data))
        assert answer.headers.get("Content-Type") == "application/pdf"
        assert contract.etag_header(answer) == sealed.etag

    @pytest.mark.skip(reason="seal='pin' is a ConfigurationError with s3://; see test_options_that_s3_cannot_honour")
    def test_an_upload_whose_manifest_pins_its_etags_is_downloaded(self) -> None: ...

    @pytest.mark.skip(reason="bind_ip is a ConfigurationError with s3://; see test_options_that_s3_cannot_honour")
    def test_a_url_for_an_ip_range_is_good_from_there_only(self) -> None: ...

    @pytest.mark.parametrize("data", SIZES)
    def test_a_segment_sent_again_takes_the_place_of_the_first(
        self, storage: S3Storage, http: Browser, data: bytes
    ) -> None:
        """SeaweedFS keeps both, and does not tell which one is newer within a second: the seal takes the declared."""
        transfer, urls = contract.begin(storage, data)
        assert contract.put(http, urls[0], b"something else") == 201
        contract.put_all(http, urls, transfer, data)
        found = {s.index: s.etag for s in storage.status(transfer).stored}
        right = contract.etags_of(transfer, data)
        assert found in (right, {**right, 0: contract.md5(b"something else")})
        contract.seal(storage, transfer, data)
        assert contract.download(storage, http, transfer.name).body == data

    @pytest.mark.parametrize("data", SIZES)
    def test_a_signature_for_put_allows_head_and_nothing_else(
        self, storage: S3Storage, http: Browser, data: bytes
    ) -> None:
        """S3 signs one method: not even HEAD is allowed besides."""
        transfer, urls = contract.begin(storage, data)
        assert contract.put(http, urls[0], data[:MIN_PART_SIZE]) == 201
        for method in ("HEAD", "GET", "POST", "DELETE"):
            assert http.request(method, urls[0].url).status in (401, 405), method
        assert [s.index for s in storage.status(transfer).stored] == [0]

    @pytest.mark.parametrize("data", SIZES)
    def test_a_signature_for_get_allows_head_and_nothing_else(
        self, storage: S3Storage, http: Browser, data: bytes
    ) -> None:
        stored = contract.finished(storage, http, data)
        url = contract.download_url(storage, stored.name)
        for method in ("HEAD", "PUT", "POST", "DELETE"):
            assert http.request(method, url, b"evil").status in (401, 405), method
        assert contract.download(storage, http, stored.name).body == data

    @pytest.mark.parametrize("forge", FORGED)
    @pytest.mark.parametrize("data", SIZES)
    def test_a_forged_url_writes_nothing(
        self, storage: S3Storage, http: Browser, data: bytes, forge: Callable[[str], str]
    ) -> None:
        transfer, urls = contract.begin(storage, data)
        assert http.request("PUT", forge(urls[0].url), b"evil").status in (400, 401)
        assert http.request("HEAD", forge(urls[0].url)).status in (400, 401)
        assert storage.status(transfer).stored == ()
        assert contract.download(storage, http, transfer.name).status == 404

    @pytest.mark.parametrize("forge", FORGED[:8])
    def test_a_forged_url_reads_nothing(self, storage: S3Storage, http: Browser, forge: Callable[[str], str]) -> None:
        stored = contract.finished(storage, http, ONE)
        assert http.request("GET", forge(contract.download_url(storage, stored.name))).status in (400, 401)

    def test_a_signature_is_good_for_one_segment_only(self, storage: S3Storage, http: Browser) -> None:
        """Two segments differ in the query, not in the path."""
        transfer, urls = contract.begin(storage, SEVERAL)
        assert http.request("PUT", with_query(urls[0].url, partNumber="2"), b"evil").status == 401
        assert storage.status(transfer).stored == ()

    @pytest.mark.parametrize("data", SIZES)
    def test_a_signature_is_good_for_one_upload_only(self, storage: S3Storage, http: Browser, data: bytes) -> None:
        _, mine = contract.begin(storage, data)
        other, others = contract.begin(storage, data)
        moved = with_query(mine[0].url, uploadId=query_value(others[0].url, "uploadId"))
        url = contract.with_path(moved, lambda _: urlsplit(others[0].url).path)
        assert http.request("PUT", url, b"evil").status == 401
        assert storage.status(other).stored == ()

    @pytest.mark.parametrize("data", SIZES)
    def test_an_expired_url_writes_nothing(
        self, storage: S3Storage, http: Browser, data: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        transfer, _ = contract.begin(storage, data)
        with monkeypatch.context() as patch:
            patch.setattr(storage._client, "now", lambda: int(time.time()) - 120)
            [signed] = storage.sign(transfer, [0], ttl=60)
        assert contract.put(http, signed, data[:MIN_PART_SIZE]) == 401
        assert storage.status(transfer).stored == ()

    def test_a_seal_waits_while_another_completes_and_no_parts_are_listed(
        self, storage: S3Storage, http: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As SeaweedFS answers at that moment."""
        transfer, urls = contract.begin(storage, ONE)
        contract.put_all(http, urls, transfer, ONE)
        segments = tuple(StoredSegment(0, len(ONE), etag) for etag in contract.etags_of(transfer, ONE).values())
        storage._sealing._pin(transfer, segments)
        list_parts, empty = storage._multipart.parts, [{}]
        monkeypatch.setattr(
            storage._multipart, "parts", lambda *args, **more: empty.pop() if empty else list_parts(*args, **more)
        )
        assert contract.seal(storage, transfer, ONE).complete
        assert not empty

    def test_an_expired_url_reads_nothing(
        self, storage: S3Storage, http: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stored = contract.finished(storage, http, ONE)
        monkeypatch.setattr(storage._client, "now", lambda: int(time.time()) - 120)
        assert http.request("GET", contract.download_url(storage, stored.name, ttl=60)).status == 401

    @pytest.mark.parametrize(
        ("data", "wrong", "indexes"),
        [
            pytest.param(ONE, {0: b"evil one"}, [0], id="one segment of the same size"),
            pytest.param(ONE, {0: b"x" * 100}, [0], id="one segment too long"),
            pytest.param(ONE, {0: b""}, [0], id="one segment without bytes"),
            pytest.param(SEVERAL, {1: b"x" * MIN_PART_SIZE}, [1], id="one of several, of the same size"),
            pytest.param(SEVERAL, {0: b"short", 2: b"much too long"}, [0, 2], id="several of wrong sizes"),
        ],
    )
    def test_sealing_names_the_segments_that_are_not_what_was_declared_and_changes_nothing(
        self, storage: S3Storage, http: Browser, data: bytes, wrong: dict[int, bytes], indexes: list[int]
    ) -> None:
        """The right segments are not sent before the wrong ones: SeaweedFS keeps both, and seals the declared ones."""
        transfer, urls = contract.begin(storage, data)
        right = contract.segment_bytes(transfer, data)
        for index, piece in {**right, **wrong}.items():
            assert contract.put(http, urls[index], piece) == 201
        with pytest.raises(SegmentsDiffer) as caught:
            contract.seal(storage, transfer, data)
        assert caught.value.indexes == indexes
        assert storage.status(transfer).state == "open"
        assert contract.download(storage, http, transfer.name).status == 404
        contract.put_all(http, [urls[index] for index in wrong], transfer, data)
        contract.seal(storage, transfer, data)
        assert contract.download(storage, http, transfer.name).body == data

    @pytest.mark.parametrize("name", contract.ODD_NAMES)
    def test_an_object_may_have_any_name(self, storage: S3Storage, http: Browser, name: str) -> None:
        """The prefix counts among the 1024 bytes. A slash at the end is refused, since SeaweedFS makes it a folder."""
        if name.endswith("/"):
            with pytest.raises(ApplicationError):
                contract.begin(storage, ONE, name=name)
            return
        if len(name.encode()) == 1024:
            with pytest.raises(ApplicationError):
                contract.begin(storage, ONE, name=name)
            name = "/".join(name[i : i + 90] for i in range(0, len(name), 100))  # SeaweedFS takes 255 bytes in a part
        super().test_an_object_may_have_any_name(storage, http, name)

    def test_the_limits_are_swifts(self, storage: S3Storage) -> None:
        """S3's are the same, but for the least size of a segment."""
        limits = storage.limits()
        assert (limits.max_segments, limits.max_segment_size) == (1000, 5 * GiB)
        assert limits.min_segment_size == MIN_PART_SIZE

    def test_the_container_has_a_name(self, storage: S3Storage) -> None:
        """It is the bucket and the prefix, since the same bucket may hold several storages."""
        assert storage.container.startswith("uploads/test-")


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


def test_another_process_goes_on_with_the_upload(storage: S3Storage, s3_server: S3Server, http: Browser) -> None:
    transfer, _ = contract.uploaded(storage, http, SEVERAL)
    other = s3_storage(s3_server, storage.container.partition("/")[2])
    contract.seal(other, transfer, SEVERAL)
    assert storage.status(transfer).state == "complete"
    with pytest.raises(AlreadyComplete):
        other.sign(replace(transfer), [0], ttl=60)
