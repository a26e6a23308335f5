"""The storage contract for every S3 server. An overridden test is Swift's alone; its docstring says what S3 does."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import pytest
from helpers.storage.s3 import Browser

from direct_upload_middleware.errors import ApplicationError, SegmentsDiffer
from direct_upload_middleware.storage.base import GiB, StoredSegment
from direct_upload_middleware.storage.s3 import S3Storage
from direct_upload_middleware.storage.s3.multipart import MIN_PART_SIZE, object_etag


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


class S3Contract(contract.SealingMarksContract, contract.StorageContract):  # type: ignore[name-defined,misc]
    """The contract. What is overridden here is Swift's alone; each test states what S3 does instead."""

    @pytest.mark.parametrize("data", [ONE, SEVERAL, b""])
    def test_the_sent_bytes_are_downloaded(self, storage: S3Storage, http: Browser, data: bytes) -> None:
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

    # S3 refuses seal="pin" and bind_ip: see test_options_that_s3_cannot_honour.
    test_an_upload_whose_manifest_pins_its_etags_is_downloaded = None
    test_a_url_for_an_ip_range_is_good_from_there_only = None

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
