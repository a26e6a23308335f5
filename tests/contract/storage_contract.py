"""What every storage must do. Subclass :class:`StorageContract` and give the fixtures ``storage`` and ``http``.

``storage`` is a storage whose ``bind`` was called; ``http`` plays the browser: it sends a request to a temp URL, from
127.0.0.1, follows nothing and decodes nothing. A URL that begins with ``/`` is relative to the mount.

Sealing can take long in some storages, which have ``sealing_marks``. They also subclass :class:`SealingMarksContract`.
"""

from __future__ import annotations

import hashlib
import io
import secrets
import time
import zipfile
from base64 import b64encode
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any, Protocol
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import pytest
from helpers.waiting import wait_until
from webob import Request

from direct_upload_middleware import DirectUploadMiddleware
from direct_upload_middleware.errors import (
    AlreadyComplete,
    ApplicationError,
    NotFound,
    SegmentsDiffer,
    SegmentsMissing,
    StorageError,
)
from direct_upload_middleware.storage.base import (
    GiB,
    HasSealingMarks,
    Sealed,
    SignedSegment,
    Storage,
    StoredObject,
    StoredSegment,
    Transfer,
)

ORIGIN = "https://app.example.com"
SEGMENT: int = globals().get("SEGMENT", 10)  # where segments have a least size, this module is loaded with another one
ONE = b"one file"  # of one segment
_FILL = bytes(SEGMENT - 10)
SEVERAL = b"0123456789" + _FILL + b"abcdefghij" + _FILL + b"XYZ"  # of three segments, the last one short
SIZES = [pytest.param(ONE, id="one segment"), pytest.param(SEVERAL, id="several segments")]


class Headers(Protocol):
    """Headers, by names in any case."""

    def get(self, name: str) -> str | None: ...


class Answer(Protocol):
    """What came back."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Headers: ...
    @property
    def body(self) -> bytes: ...


class Http(Protocol):
    """A browser."""

    def request(self, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] = ...) -> Answer: ...


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def new_transfer(data: bytes, *, segment_size: int = SEGMENT, **changes: Any) -> Transfer:
    fields: dict[str, Any] = {
        "id": secrets.token_hex(16),
        "name": secrets.token_hex(16),
        "type": "application/pdf",
        "size": len(data),
        "segment_size": segment_size,
        "segment_count": max(1, -(-len(data) // segment_size)),
        "seal": "revoke",
        "expires": int(time.time()) + 3600,
    }
    return Transfer(**fields | changes)


def segment_bytes(transfer: Transfer, data: bytes) -> dict[int, bytes]:
    return {s.index: data[s.offset : s.offset + s.size] for s in transfer.segments()}


def etags_of(transfer: Transfer, data: bytes) -> dict[int, str]:
    return {index: md5(piece) for index, piece in segment_bytes(transfer, data).items()}


def begin(storage: Storage, data: bytes, **changes: Any) -> tuple[Transfer, list[SignedSegment]]:
    """A new upload and the temp URLs of all its segments."""
    transfer = begun(storage, new_transfer(data, **changes))
    return transfer, storage.sign(transfer, range(transfer.segment_count), ttl=300, fresh=True)


def begun(storage: Storage, transfer: Transfer) -> Transfer:
    """The transfer after its begin, with what the storage must remember about it."""
    return replace(transfer, reference=storage.begin(transfer, origin=ORIGIN) or "")


def put(http: Http, signed: SignedSegment, body: bytes, **headers: str) -> int:
    sent = {**signed.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return http.request("PUT", signed.url, body, sent).status


def put_all(http: Http, urls: list[SignedSegment], transfer: Transfer, data: bytes, **headers: str) -> None:
    pieces = segment_bytes(transfer, data)
    assert [put(http, signed, pieces[signed.segment.index], **headers) for signed in urls] == [201] * len(urls)


def uploaded(storage: Storage, http: Http, data: bytes, **changes: Any) -> tuple[Transfer, list[SignedSegment]]:
    """An upload whose segments are all there."""
    transfer, urls = begin(storage, data, **changes)
    put_all(http, urls, transfer, data)
    return transfer, urls


def seal(storage: Storage, transfer: Transfer, data: bytes, *, pending: bool = False) -> Sealed:
    return storage.seal(transfer, etags_of(transfer, data), pending=pending)


def stored_object(transfer: Transfer, sealed: Sealed) -> StoredObject:
    return StoredObject(transfer.name, transfer.id, sealed.size, sealed.etag)


def finished(storage: Storage, http: Http, data: bytes, **changes: Any) -> StoredObject:
    """A complete upload's object."""
    transfer, _ = uploaded(storage, http, data, **changes)
    return stored_object(transfer, seal(storage, transfer, data))


def download_url(storage: Storage, name: str, *, filename: str = "a.pdf", inline: bool = False, ttl: int = 300) -> str:
    return storage.download_url(name, filename=filename, inline=inline, ttl=ttl)


def download(storage: Storage, http: Http, name: str, **headers: str) -> Answer:
    sent = {header.replace("_", "-"): value for header, value in headers.items()}
    return http.request("GET", download_url(storage, name), headers=sent)


def etag_header(answer: Answer) -> str:
    return (answer.headers.get("ETag") or "").strip('"')


def with_query(url: str, **changes: str | None) -> str:
    """The URL with these query parameters changed, or taken away where they are None."""
    parts = urlsplit(url)
    query = {**dict(parse_qsl(parts.query, keep_blank_values=True)), **changes}
    return urlunsplit(parts._replace(query=urlencode({k: v for k, v in query.items() if v is not None})))


def with_path(url: str, change: Callable[[str], str]) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=change(parts.path)))


def query_value(url: str, name: str) -> str:
    return dict(parse_qsl(urlsplit(url).query))[name]


def changed_digit(url: str) -> str:
    signature = query_value(url, "temp_url_sig")
    return with_query(url, temp_url_sig=("0" if signature[0] != "0" else "1") + signature[1:])


def later(url: str) -> str:
    return with_query(url, temp_url_expires=str(int(query_value(url, "temp_url_expires")) + 1))


FORGED = [
    pytest.param(changed_digit, id="a digit of the signature changed"),
    pytest.param(lambda url: with_query(url, temp_url_sig=""), id="an empty signature"),
    pytest.param(lambda url: with_query(url, temp_url_sig="é"), id="a signature of other characters"),
    pytest.param(lambda url: with_query(url, temp_url_sig=None), id="no signature"),
    pytest.param(later, id="a later expiry"),
    pytest.param(lambda url: with_query(url, temp_url_expires="never"), id="an expiry that is no number"),
    pytest.param(lambda url: with_query(url, temp_url_expires=None), id="no expiry"),
    pytest.param(lambda url: with_query(url, temp_url_ip_range="127.0.0.1"), id="an IP range that was not signed"),
    pytest.param(lambda url: with_path(url, lambda path: path + "0"), id="another path"),
]

ODD_FILENAMES = [
    pytest.param("report.pdf", id="plain"),
    pytest.param("your mom's jokes (final).pdf", id="spaces and an apostrophe"),
    pytest.param('say "hi".pdf', id="quotes"),
    pytest.param("semi;colon=equals,comma&and+plus.pdf", id="header syntax"),
    pytest.param("100% #1?.pdf", id="URL syntax"),
    pytest.param("back\\slash.pdf", id="backslash"),
    pytest.param("Übergrößen-日本語-🦄.pdf", id="Unicode"),
    pytest.param("\u202egnp.pdf", id="bidi override"),
]

ODD_NAMES = [
    pytest.param("users/7/a file.txt", id="slashes and spaces"),
    pytest.param("Ü/日本語/🦄", id="Unicode"),
    pytest.param("100%", id="percent"),
    pytest.param("a%2Fb%20c", id="what looks quoted"),
    pytest.param("what?really=1&x", id="question mark"),
    pytest.param("#1", id="hash"),
    pytest.param(".hidden", id="leading dot"),
    pytest.param("..two", id="two leading dots"),
    pytest.param("...", id="dots alone"),
    pytest.param("a..b/c..", id="dots inside"),
    pytest.param("a//b", id="empty segment of a path"),
    pytest.param("trailing/", id="trailing slash"),
    pytest.param("quotes'\"<&>;,+=~", id="quotes and more"),
    pytest.param("back\\slash", id="backslash"),
    pytest.param("x" * 1024, id="1024 bytes of ASCII"),
    pytest.param("é" * 512, id="1024 bytes of UTF-8"),
]


class StorageContract:
    """The tests. Named for what must hold."""

    @pytest.mark.parametrize(
        ("data", "segment_size"),
        [
            pytest.param(ONE, SEGMENT, id="one segment"),
            pytest.param(SEVERAL, SEGMENT, id="several segments"),
            pytest.param(b"", SEGMENT, id="no bytes"),
            pytest.param(b"x" * SEGMENT, SEGMENT, id="exactly one segment"),
            pytest.param(b"x" * 2 * SEGMENT, SEGMENT, id="exactly two segments"),
            pytest.param(bytes(range(256)) * 5000, max(SEGMENT, 500_000), id="every byte, and more of them"),
        ],
    )
    def test_the_sent_bytes_are_downloaded(self, storage: Storage, http: Http, data: bytes, segment_size: int) -> None:
        transfer, _ = uploaded(storage, http, data, segment_size=segment_size)
        sealed = seal(storage, transfer, data)
        etags = list(etags_of(transfer, data).values())
        assert sealed.etag == (etags[0] if len(etags) == 1 else md5("".join(etags).encode()))
        assert (sealed.size, sealed.complete) == (len(data), True)
        assert abs(sealed.sealed_at - time.time()) < 60
        answer = download(storage, http, transfer.name)
        assert (answer.status, answer.body) == (200, data)
        assert answer.headers.get("Content-Length") == str(len(data))
        assert answer.headers.get("Content-Type") == "application/pdf"
        assert etag_header(answer) == sealed.etag

    @pytest.mark.parametrize("data", SIZES)
    def test_an_upload_whose_manifest_pins_its_etags_is_downloaded(
        self, storage: Storage, http: Http, data: bytes
    ) -> None:
        stored = finished(storage, http, data, seal="pin")
        assert download(storage, http, stored.name).body == data

    @pytest.mark.parametrize("fresh", [pytest.param(True, id="at once"), pytest.param(False, id="later")])
    @pytest.mark.parametrize("data", SIZES)
    def test_each_segment_that_is_asked_for_is_signed(self, storage: Storage, data: bytes, fresh: bool) -> None:
        transfer = begun(storage, new_transfer(data))
        indexes = list(range(transfer.segment_count))[::-1]
        before = int(time.time())
        signed = storage.sign(transfer, indexes, ttl=60, fresh=fresh)
        assert [s.segment for s in signed] == [transfer.segment(index) for index in indexes]
        assert all(before + 58 <= s.expires <= before + 75 for s in signed)
        assert all(s.url.startswith(("/", "http://", "https://")) for s in signed)
        assert storage.sign(transfer, [], ttl=60, fresh=fresh) == []

    def test_a_segment_is_sent_by_a_url_that_was_signed_later(self, storage: Storage, http: Http) -> None:
        transfer, _ = begin(storage, SEVERAL)
        put_all(http, storage.sign(transfer, [2, 0, 1], ttl=60), transfer, SEVERAL)
        seal(storage, transfer, SEVERAL)
        assert download(storage, http, transfer.name).body == SEVERAL

    @pytest.mark.parametrize("data", SIZES)
    def test_making_ready_may_be_repeated(self, storage: Storage, http: Http, data: bytes) -> None:
        transfer, urls = uploaded(storage, http, data)
        storage.begin(transfer, origin=ORIGIN)
        assert len(storage.status(transfer).stored) == len(urls)

    @pytest.mark.parametrize("data", SIZES)
    def test_a_segment_that_was_damaged_on_the_way_is_not_stored(
        self, storage: Storage, http: Http, data: bytes
    ) -> None:
        transfer, urls = begin(storage, data)
        assert put(http, urls[0], b"damaged", ETag=md5(data[:SEGMENT])) == 422
        assert storage.status(transfer).stored == ()
        assert put(http, urls[0], data[:SEGMENT], ETag=md5(data[:SEGMENT])) == 201

    @pytest.mark.parametrize("data", SIZES)
    def test_a_segment_sent_again_takes_the_place_of_the_first(self, storage: Storage, http: Http, data: bytes) -> None:
        transfer, urls = begin(storage, data)
        assert put(http, urls[0], bytes(urls[0].segment.size)) == 201
        put_all(http, urls, transfer, data)
        assert {s.index: s.etag for s in storage.status(transfer).stored} == etags_of(transfer, data)
        seal(storage, transfer, data)
        assert download(storage, http, transfer.name).body == data

    @pytest.mark.parametrize("data", SIZES)
    def test_a_signature_for_put_allows_head_and_nothing_else(self, storage: Storage, http: Http, data: bytes) -> None:
        _, urls = begin(storage, data)
        assert http.request("HEAD", urls[0].url).status == 404
        assert put(http, urls[0], data[:SEGMENT]) == 201
        answer = http.request("HEAD", urls[0].url)
        assert (answer.status, answer.body) == (200, b"")
        assert answer.headers.get("Content-Length") == str(len(data[:SEGMENT]))
        assert etag_header(answer) == md5(data[:SEGMENT])
        for method in ("GET", "POST", "DELETE"):
            assert http.request(method, urls[0].url).status == 401, method

    @pytest.mark.parametrize("forge", FORGED)
    @pytest.mark.parametrize("data", SIZES)
    def test_a_forged_url_writes_nothing(
        self, storage: Storage, http: Http, data: bytes, forge: Callable[[str], str]
    ) -> None:
        transfer, urls = begin(storage, data)
        assert http.request("PUT", forge(urls[0].url), b"evil").status == 401
        assert http.request("HEAD", forge(urls[0].url)).status == 401
        assert storage.status(transfer).stored == ()

    def test_a_signature_is_good_for_one_segment_only(self, storage: Storage, http: Http) -> None:
        transfer, urls = begin(storage, SEVERAL)
        url = with_path(urls[0].url, lambda _: urlsplit(urls[1].url).path)
        assert http.request("PUT", url, b"evil").status == 401
        assert storage.status(transfer).stored == ()

    @pytest.mark.parametrize("data", SIZES)
    def test_a_signature_is_good_for_one_upload_only(self, storage: Storage, http: Http, data: bytes) -> None:
        _, mine = begin(storage, data)
        other, others = begin(storage, data)
        url = with_path(mine[0].url, lambda _: urlsplit(others[0].url).path)
        assert http.request("PUT", url, b"evil").status == 401
        assert storage.status(other).stored == ()

    @pytest.mark.parametrize("data", SIZES)
    def test_an_expired_url_writes_nothing(self, storage: Storage, http: Http, data: bytes) -> None:
        transfer, _ = begin(storage, data)
        [signed] = storage.sign(transfer, [0], ttl=-30)
        assert put(http, signed, data[:SEGMENT]) == 401
        assert storage.status(transfer).stored == ()

    @pytest.mark.parametrize(
        ("ip_range", "status"),
        [
            pytest.param("127.0.0.1", 201, id="the address"),
            pytest.param("127.0.0.0/8", 201, id="a network around it"),
            pytest.param("10.1.1.1", 401, id="another address"),
            pytest.param("10.1.1.0/24", 401, id="another network"),
            pytest.param("::1", 401, id="of another family"),
        ],
    )
    def test_a_url_for_an_ip_range_is_good_from_there_only(
        self, storage: Storage, http: Http, ip_range: str, status: int
    ) -> None:
        transfer, _ = begin(storage, ONE)
        [signed] = storage.sign(transfer, [0], ttl=60, ip_range=ip_range)
        assert put(http, signed, ONE) == status
        for value in (None, "127.0.0.0/16"):
            assert http.request("PUT", with_query(signed.url, temp_url_ip_range=value), b"evil").status == 401

    @pytest.mark.parametrize("data", SIZES)
    def test_inspect_prints_the_progress_of_an_upload(self, storage: Storage, http: Http, data: bytes) -> None:
        transfer, urls = begin(storage, data)
        assert storage.status(transfer).stored == ()
        pieces = segment_bytes(transfer, data)
        everything = tuple(StoredSegment(index, len(piece), md5(piece)) for index, piece in pieces.items())
        for signed in urls[::-1]:
            put(http, signed, pieces[signed.segment.index])
            found = storage.status(transfer)
            assert (found.state, found.sealed) == ("open", None)
            assert found.stored == everything[signed.segment.index :]
        sealed = seal(storage, transfer, data, pending=True)
        assert not sealed.complete
        found = storage.status(transfer)
        assert (found.state, found.stored, found.sealed) == ("sealed", everything, sealed)
        storage.confirm(transfer, sealed)
        found = storage.status(transfer)
        assert found.state == "complete"
        assert found.sealed == Sealed(sealed.etag, sealed.size, sealed.sealed_at, complete=True)

    @pytest.mark.parametrize("data", SIZES)
    def test_an_upload_without_callbacks_is_complete_after_seal(
        self, storage: Storage, http: Http, data: bytes
    ) -> None:
        transfer, _ = uploaded(storage, http, data)
        sealed = seal(storage, transfer, data)
        assert sealed.complete
        found = storage.status(transfer)
        assert (found.state, found.sealed) == ("complete", sealed)

    @pytest.mark.parametrize("data", SIZES)
    def test_confirming_may_be_repeated(self, storage: Storage, http: Http, data: bytes) -> None:
        transfer, _ = uploaded(storage, http, data)
        sealed = seal(storage, transfer, data, pending=True)
        for _ in range(3):
            storage.confirm(transfer, sealed)
        assert storage.status(transfer).state == "complete"
        assert download(storage, http, transfer.name).body == data

    @pytest.mark.parametrize("data", SIZES)
    def test_sealing_names_the_segments_that_did_not_arrive_and_changes_nothing(
        self, storage: Storage, http: Http, data: bytes
    ) -> None:
        transfer, urls = begin(storage, data)
        put_all(http, urls[1:], transfer, data)
        with pytest.raises(SegmentsMissing) as caught:
            seal(storage, transfer, data)
        assert type(caught.value) is SegmentsMissing
        assert caught.value.indexes == [0]
        assert [s.index for s in storage.status(transfer).stored] == list(range(1, len(urls)))
        put_all(http, urls[:1], transfer, data)
        seal(storage, transfer, data)
        assert download(storage, http, transfer.name).body == data

    @pytest.mark.parametrize(
        ("data", "wrong", "indexes"),
        [
            pytest.param(ONE, {0: b"evil one"}, [0], id="one segment of the same size"),
            pytest.param(ONE, {0: b"x" * 100}, [0], id="one segment too long"),
            pytest.param(ONE, {0: b""}, [0], id="one segment without bytes"),
            pytest.param(SEVERAL, {1: b"evil bytes"}, [1], id="one of several, of the same size"),
            pytest.param(SEVERAL, {0: b"short", 2: b"much too long"}, [0, 2], id="several of wrong sizes"),
        ],
    )
    def test_sealing_names_the_segments_that_are_not_what_was_declared_and_changes_nothing(
        self, storage: Storage, http: Http, data: bytes, wrong: Mapping[int, bytes], indexes: list[int]
    ) -> None:
        transfer, urls = begin(storage, data)
        put_all(http, urls, transfer, data)
        statuses = [put(http, urls[index], body) for index, body in wrong.items()]
        if 413 in statuses:  # the local storage knows the size that it signed
            assert any(len(body) > urls[index].segment.size for index, body in wrong.items())
            return
        assert set(statuses) == {201}
        with pytest.raises(SegmentsDiffer) as caught:
            seal(storage, transfer, data)
        assert caught.value.indexes == indexes
        assert storage.status(transfer).state == "open"
        assert download(storage, http, transfer.name).status == 404
        put_all(http, [urls[index] for index in wrong], transfer, data)
        seal(storage, transfer, data)
        assert download(storage, http, transfer.name).body == data

    @pytest.mark.parametrize("data", SIZES)
    def test_a_size_other_than_the_tickets_differs_whatever_etag_is_declared(
        self, storage: Storage, http: Http, data: bytes
    ) -> None:
        transfer, urls = begin(storage, data)
        put_all(http, urls, transfer, data)
        put(http, urls[-1], b"longer than the ticket allows")
        etags = {**etags_of(transfer, data), urls[-1].segment.index: md5(b"longer than the ticket allows")}
        with pytest.raises(SegmentsDiffer) as caught:
            storage.seal(transfer, etags, pending=False)
        assert caught.value.indexes == [urls[-1].segment.index]

    @pytest.mark.parametrize("pending", [pytest.param(False, id="at once"), pytest.param(True, id="pending")])
    @pytest.mark.parametrize("data", SIZES)
    def test_sealing_again_gives_the_same(self, storage: Storage, http: Http, data: bytes, pending: bool) -> None:
        transfer, _ = uploaded(storage, http, data)
        first = storage.seal(transfer, etags_of(transfer, data), pending=pending)
        assert storage.seal(transfer, etags_of(transfer, data), pending=pending) == first
        storage.confirm(transfer, first)
        after = storage.seal(transfer, etags_of(transfer, data), pending=pending)
        assert after == Sealed(first.etag, first.size, first.sealed_at, complete=True)

    @pytest.mark.parametrize("pending", [pytest.param(False, id="at once"), pytest.param(True, id="pending")])
    @pytest.mark.parametrize("data", SIZES)
    def test_sealing_from_many_threads_at_once_gives_one_result(
        self, storage: Storage, http: Http, data: bytes, pending: bool
    ) -> None:
        transfer, _ = uploaded(storage, http, data)
        together = Barrier(8)

        def seal_with_the_others(_: int) -> Sealed:
            together.wait(timeout=30)
            return seal(storage, transfer, data, pending=pending)

        with ThreadPoolExecutor(8) as pool:
            results = set(pool.map(seal_with_the_others, range(8)))
        assert len(results) == 1
        assert download(storage, http, transfer.name).body == data

    @pytest.mark.parametrize("pending", [pytest.param(False, id="complete"), pytest.param(True, id="sealed")])
    def test_temp_urls_of_several_segments_end_with_the_seal(self, storage: Storage, http: Http, pending: bool) -> None:
        transfer, urls = uploaded(storage, http, SEVERAL)
        seal(storage, transfer, SEVERAL, pending=pending)
        for signed in urls:
            assert put(http, signed, b"evil bytes") == 401
            assert http.request("HEAD", signed.url).status == 401
        assert download(storage, http, transfer.name).body == SEVERAL

    @pytest.mark.parametrize("pending", [pytest.param(False, id="complete"), pytest.param(True, id="sealed")])
    @pytest.mark.parametrize("data", SIZES)
    def test_nothing_that_is_written_after_the_seal_changes_what_is_downloaded(
        self, storage: Storage, http: Http, data: bytes, pending: bool
    ) -> None:
        transfer, urls = uploaded(storage, http, data)
        sealed = seal(storage, transfer, data, pending=pending)
        evil = bytes(len(data))
        for signed in urls:
            assert put(http, signed, segment_bytes(transfer, evil)[signed.segment.index]) in (201, 401)
        again = storage.seal(transfer, etags_of(transfer, evil), pending=pending)
        assert (again.etag, again.size, again.sealed_at) == (sealed.etag, sealed.size, sealed.sealed_at)
        storage.confirm(transfer, sealed)
        assert storage.seal(transfer, etags_of(transfer, evil), pending=False).etag == sealed.etag
        assert download(storage, http, transfer.name).body == data
        assert storage.open(stored_object(transfer, sealed)).read() == data

    @pytest.mark.parametrize("pending", [pytest.param(False, id="complete"), pytest.param(True, id="sealed")])
    @pytest.mark.parametrize("data", SIZES)
    def test_nothing_is_signed_after_the_seal(self, storage: Storage, http: Http, data: bytes, pending: bool) -> None:
        transfer, _ = uploaded(storage, http, data)
        seal(storage, transfer, data, pending=pending)
        with pytest.raises(AlreadyComplete):
            storage.sign(transfer, [0], ttl=60)

    @pytest.mark.parametrize("data", SIZES)
    def test_the_uploaders_own_headers_do_not_reach_the_object(self, storage: Storage, http: Http, data: bytes) -> None:
        transfer, urls = begin(storage, data)
        evil = {
            "X-Delete-At": str(int(time.time()) + 3600),
            "X-Object-Meta-Public-Evil": "1",
            "Content-Encoding": "gzip",
            "Content-Disposition": "inline; filename=evil.html",
            "Content-Type": "text/html",
        }
        put_all(http, urls, transfer, data, **evil)
        seal(storage, transfer, data)
        answer = download(storage, http, transfer.name)
        assert (answer.status, answer.body) == (200, data)
        assert answer.headers.get("Content-Type") == "application/pdf"
        assert "a.pdf" in (answer.headers.get("Content-Disposition") or "")
        for header in ("X-Delete-At", "X-Object-Meta-Public-Evil", "Content-Encoding"):
            assert answer.headers.get(header) is None, header

    @pytest.mark.parametrize("sent", [pytest.param(True, id="with segments"), pytest.param(False, id="empty")])
    @pytest.mark.parametrize("data", SIZES)
    def test_an_aborted_upload_is_not_found(self, storage: Storage, http: Http, data: bytes, sent: bool) -> None:
        transfer, urls = begin(storage, data)
        if sent:
            put_all(http, urls, transfer, data)
        storage.abort(transfer)
        storage.abort(transfer)
        self.check_aborted(storage, http, transfer, urls, data)

    @pytest.mark.parametrize("data", SIZES)
    def test_an_upload_that_is_sealed_but_not_confirmed_can_be_aborted(
        self, storage: Storage, http: Http, data: bytes
    ) -> None:
        transfer, urls = uploaded(storage, http, data)
        sealed = seal(storage, transfer, data, pending=True)
        storage.abort(transfer)
        storage.abort(transfer)
        with pytest.raises(StorageError):
            storage.open(stored_object(transfer, sealed)).read()
        self.check_aborted(storage, http, transfer, urls, data)

    @pytest.mark.parametrize("data", SIZES)
    def test_an_upload_that_was_aborted_after_the_seal_cannot_be_confirmed(
        self, storage: Storage, http: Http, data: bytes
    ) -> None:
        transfer, urls = uploaded(storage, http, data)
        sealed = seal(storage, transfer, data, pending=True)
        storage.abort(transfer)
        for _ in range(2):
            with pytest.raises(NotFound):
                storage.confirm(transfer, sealed)
        self.check_aborted(storage, http, transfer, urls, data)

    @pytest.mark.parametrize("data", SIZES)
    def test_a_deleted_upload_is_not_brought_back_while_its_ticket_is_valid(
        self, storage: Storage, http: Http, data: bytes
    ) -> None:
        transfer, urls = uploaded(storage, http, data)
        storage.delete(stored_object(transfer, seal(storage, transfer, data)), until=transfer.expires)
        self.check_aborted(storage, http, transfer, urls, data)

    @pytest.mark.parametrize("data", SIZES)
    def test_an_upload_that_is_refused_after_the_seal_leaves_nothing_to_read(
        self, storage: Storage, http: Http, data: bytes
    ) -> None:
        transfer, _ = uploaded(storage, http, data)
        sealed = seal(storage, transfer, data, pending=True)
        storage.refuse(transfer)
        storage.refuse(transfer)
        assert download(storage, http, transfer.name).status == 404
        with pytest.raises(StorageError):
            storage.open(stored_object(transfer, sealed)).read()
        with pytest.raises((NotFound, SegmentsMissing)):
            seal(storage, transfer, data)

    @pytest.mark.parametrize("data", SIZES)
    def test_a_complete_upload_cannot_be_refused(self, storage: Storage, http: Http, data: bytes) -> None:
        transfer, _ = uploaded(storage, http, data)
        seal(storage, transfer, data)
        with pytest.raises(AlreadyComplete):
            storage.refuse(transfer)
        assert download(storage, http, transfer.name).body == data

    @pytest.mark.parametrize("data", SIZES)
    @pytest.mark.parametrize("give_up", ["abort", "refuse"])
    def test_a_name_that_another_object_has_is_neither_overwritten_nor_removed(
        self, storage: Storage, http: Http, data: bytes, give_up: str
    ) -> None:
        first = finished(storage, http, ONE)
        transfer, _ = uploaded(storage, http, data, name=first.name)
        with pytest.raises(ApplicationError):
            seal(storage, transfer, data)
        getattr(storage, give_up)(transfer)
        assert download(storage, http, first.name).body == ONE
        assert storage.open(first).read() == ONE

    def check_aborted(
        self, storage: Storage, http: Http, transfer: Transfer, urls: list[SignedSegment], data: bytes
    ) -> None:
        """Everything is gone, and what the temp URLs can still write does not bring it back."""
        effective = (401,) if len(urls) > 1 else (201, 401)
        for _ in range(2):
            with pytest.raises(NotFound):
                storage.status(transfer)
            with pytest.raises(NotFound):
                storage.sign(transfer, [0], ttl=60)
            with pytest.raises(NotFound):
                seal(storage, transfer, data)
            assert download(storage, http, transfer.name).body != data
            for signed in urls:
                assert put(http, signed, segment_bytes(transfer, data)[signed.segment.index]) in effective

    @pytest.mark.parametrize("data", SIZES)
    def test_a_complete_upload_cannot_be_aborted(self, storage: Storage, http: Http, data: bytes) -> None:
        transfer, _ = uploaded(storage, http, data)
        seal(storage, transfer, data)
        with pytest.raises(AlreadyComplete):
            storage.abort(transfer)
        assert download(storage, http, transfer.name).body == data

    @pytest.mark.parametrize(("inline", "kind"), [(False, "attachment"), (True, "inline")])
    @pytest.mark.parametrize("filename", ODD_FILENAMES)
    def test_a_download_has_the_filename_that_was_asked_for(
        self, storage: Storage, http: Http, filename: str, inline: bool, kind: str
    ) -> None:
        stored = finished(storage, http, ONE)
        answer = http.request("GET", download_url(storage, stored.name, filename=filename, inline=inline))
        plain, encoded = quote(filename, safe=" /"), quote(filename)
        assert answer.headers.get("Content-Disposition") == f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{encoded}"
        assert answer.body == ONE

    @pytest.mark.parametrize("name", ODD_NAMES)
    def test_an_object_may_have_any_name(self, storage: Storage, http: Http, name: str) -> None:
        stored = finished(storage, http, ONE, name=name)
        assert download(storage, http, name).body == ONE
        assert storage.open(stored).read() == ONE
        storage.delete(stored)
        assert download(storage, http, name).status == 404

    def test_objects_of_several_segments_may_have_any_name(self, storage: Storage, http: Http) -> None:
        stored = finished(storage, http, SEVERAL, name="users/Ü 7%/a?b#c/..d")
        assert download(storage, http, stored.name).body == SEVERAL
        storage.delete(stored)
        assert download(storage, http, stored.name).status == 404

    @pytest.mark.parametrize("data", SIZES)
    @pytest.mark.parametrize(
        ("asked", "start", "stop"),
        [
            pytest.param("bytes=0-3", 0, 4, id="first bytes"),
            pytest.param("bytes=2-", 2, None, id="from a byte on"),
            pytest.param("bytes=-3", -3, None, id="last bytes"),
            pytest.param("bytes=0-0", 0, 1, id="one byte"),
            pytest.param("bytes=1-99999999", 1, None, id="beyond the end"),
            pytest.param("bytes=-99999999", 0, None, id="more last bytes than there are"),
        ],
    )
    def test_a_range_is_given(
        self, storage: Storage, http: Http, data: bytes, asked: str, start: int, stop: int | None
    ) -> None:
        stored = finished(storage, http, data)
        answer = download(storage, http, stored.name, Range=asked)
        assert (answer.status, answer.body) == (206, data[start:stop])
        first = range(len(data))[start:stop].start
        last = first + len(answer.body) - 1
        assert answer.headers.get("Content-Range") == f"bytes {first}-{last}/{len(data)}"

    def test_a_range_goes_across_segments(self, storage: Storage, http: Http) -> None:
        stored = finished(storage, http, SEVERAL)
        assert (
            download(storage, http, stored.name, Range=f"bytes={SEGMENT - 2}-{SEGMENT + 10}").body
            == SEVERAL[SEGMENT - 2 : SEGMENT + 11]
        )
        assert (
            download(storage, http, stored.name, Range=f"bytes={SEGMENT}-{SEGMENT + 9}").body
            == SEVERAL[SEGMENT : SEGMENT + 10]
        )

    @pytest.mark.parametrize("data", SIZES)
    def test_a_range_beyond_the_end_is_not_satisfiable(self, storage: Storage, http: Http, data: bytes) -> None:
        stored = finished(storage, http, data)
        answer = download(storage, http, stored.name, Range="bytes=100000000-200000000")
        assert answer.status == 416
        assert answer.headers.get("Content-Range") == f"bytes */{len(data)}"

    @pytest.mark.parametrize("data", SIZES)
    def test_a_download_that_the_browser_has_is_not_sent_again(self, storage: Storage, http: Http, data: bytes) -> None:
        stored = finished(storage, http, data)
        etag = download(storage, http, stored.name).headers.get("ETag") or ""
        answer = download(storage, http, stored.name, If_None_Match=etag)
        assert (answer.status, answer.body) == (304, b"")
        assert download(storage, http, stored.name, If_None_Match='"another"').body == data
        assert download(storage, http, stored.name, If_Match='"another"').status == 412
        assert download(storage, http, stored.name, If_Match=etag).body == data

    @pytest.mark.parametrize("data", SIZES)
    def test_a_signature_for_get_allows_head_and_nothing_else(self, storage: Storage, http: Http, data: bytes) -> None:
        stored = finished(storage, http, data)
        url = download_url(storage, stored.name)
        answer = http.request("HEAD", url)
        assert (answer.status, answer.body) == (200, b"")
        assert answer.headers.get("Content-Length") == str(len(data))
        for method in ("PUT", "POST", "DELETE"):
            assert http.request(method, url, b"evil").status == 401, method
        assert download(storage, http, stored.name).body == data

    @pytest.mark.parametrize("forge", FORGED)
    def test_a_forged_url_reads_nothing(self, storage: Storage, http: Http, forge: Callable[[str], str]) -> None:
        stored = finished(storage, http, ONE)
        assert http.request("GET", forge(download_url(storage, stored.name))).status == 401

    def test_an_expired_url_reads_nothing(self, storage: Storage, http: Http) -> None:
        stored = finished(storage, http, ONE)
        assert http.request("GET", download_url(storage, stored.name, ttl=-30)).status == 401

    def test_a_signature_is_good_for_one_object_only(self, storage: Storage, http: Http) -> None:
        mine, other = finished(storage, http, ONE), finished(storage, http, ONE)
        other_path = urlsplit(download_url(storage, other.name)).path
        url = with_path(download_url(storage, mine.name), lambda _: other_path)
        assert http.request("GET", url).status == 401

    def test_an_object_that_never_was_is_not_found(self, storage: Storage, http: Http) -> None:
        finished(storage, http, ONE)
        assert download(storage, http, "never was").status == 404

    @pytest.mark.parametrize("data", [*SIZES, pytest.param(b"", id="no bytes")])
    def test_an_object_is_read_like_any_file(self, storage: Storage, http: Http, data: bytes) -> None:
        with storage.open(finished(storage, http, data)) as file:
            assert file.readable()
            assert file.seekable()
            assert not file.writable()
            assert file.tell() == 0
            assert file.read(5) == data[:5]
            assert file.tell() == min(5, len(data))
            assert file.read() == data[5:]
            assert file.read() == file.read(5) == b""
            assert file.seek(0, io.SEEK_END) == len(data)
            assert file.seek(2) == 2
            assert file.read(3) == data[2:5]
            assert file.seek(len(data) + 1000) == len(data) + 1000
            assert file.read() == b""
            assert file.seek(0) == 0
            assert b"".join(iter(lambda: file.read(4), b"")) == data
        assert file.closed
        with pytest.raises(ValueError, match="closed"):
            file.read()

    @pytest.mark.parametrize("data", SIZES)
    def test_reading_continues_from_any_offset(self, storage: Storage, http: Http, data: bytes) -> None:
        with storage.open(finished(storage, http, data)) as file:
            for start in range(len(data), -1, -max(1, len(data) // 23)):
                file.seek(start)
                assert file.read() == data[start:]
            file.seek(-3, io.SEEK_END)
            assert file.read() == data[-3:]
            file.seek(1)
            file.seek(2, io.SEEK_CUR)
            assert file.read(4) == data[3:7]
            with pytest.raises((ValueError, OSError)):
                file.seek(-1)

    def test_lines_and_text_are_read(self, storage: Storage, http: Http) -> None:
        with storage.open(finished(storage, http, b"first line\nsecond\nthe third")) as file:
            assert list(io.TextIOWrapper(file, "ascii")) == ["first line\n", "second\n", "the third"]

    def test_a_zip_file_is_read_without_being_downloaded(self, storage: Storage, http: Http) -> None:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writing:
            writing.writestr("a/hello.txt", b"hello " * 1000)
            writing.writestr("empty", b"")
        data = archive.getvalue()
        stored = finished(storage, http, data, segment_size=10 * SEGMENT)
        with storage.open(stored) as file, zipfile.ZipFile(file) as reading:
            assert reading.testzip() is None
            assert reading.read("a/hello.txt") == b"hello " * 1000

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"etag": "0" * 32}, id="of another ETag"),
            pytest.param({"name": "never was"}, id="of another name"),
        ],
    )
    def test_reading_another_object_than_was_sealed_fails(
        self, storage: Storage, http: Http, changes: dict[str, str]
    ) -> None:
        stored = finished(storage, http, ONE)
        fields = {"name": stored.name, "id": stored.id, "etag": stored.etag, **changes}
        with pytest.raises(StorageError):
            storage.open(StoredObject(size=stored.size, **fields)).read()

    @pytest.mark.parametrize("data", [*SIZES, pytest.param(b"", id="no bytes")])
    def test_a_deleted_object_is_gone(self, storage: Storage, http: Http, data: bytes) -> None:
        stored, other = finished(storage, http, data), finished(storage, http, data)
        storage.delete(stored)
        storage.delete(stored)
        assert download(storage, http, stored.name).status == 404
        if data:  # there is nothing to read of no bytes, so a storage need not ask
            with pytest.raises(StorageError):
                storage.open(stored).read(1)
        assert download(storage, http, other.name).body == data

    def test_the_limits_are_swifts(self, storage: Storage) -> None:
        limits = storage.limits()
        assert (limits.max_segments, limits.max_segment_size) == (1000, 5 * GiB)

    def test_the_container_has_a_name(self, storage: Storage) -> None:
        assert storage.container
        assert "/" not in storage.container

    def test_uploads_of_a_batch_are_begun_and_completed_together(self, storage: Storage, http: Http) -> None:
        """Of one segment and of several, through the HTTP API; one of them is not there."""
        files = [ONE, SEVERAL, b"", ONE + b"!", SEVERAL + b"!", SEVERAL]
        batch = Batch(storage)
        begun = batch.post("begin", [{"filename": f"{i}", "size": len(d), "type": ""} for i, d in enumerate(files)])
        assert [each["status"] for each in begun] == [201] * len(files)
        items = [batch.send(http, each, data) for each, data in zip(begun[:-1], files, strict=False)]
        missing = batch.declared(begun[-1], SEVERAL)
        done = batch.complete([*items, missing])
        assert [each["status"] for each in done] == [200] * len(items) + [409]
        assert done[-1]["code"] == "segments-missing"
        assert [batch.fetch(http, each["download_url"]) for each in done[:-1]] == files[:-1]
        assert batch.send(http, begun[-1], SEVERAL) == missing
        [again] = batch.complete([missing])
        assert batch.fetch(http, again["download_url"]) == SEVERAL


class SealingMarksContract:
    """What a storage that marks the uploads that are being sealed must do besides."""

    def test_a_mark_of_an_upload_that_is_being_sealed_ends_by_itself(self, storage: Storage, http: Http) -> None:
        assert isinstance(storage, HasSealingMarks)
        marks = storage.sealing_marks
        transfer, _ = uploaded(storage, http, SEVERAL)
        assert not marks.exists(transfer.id)
        marks.put(transfer.id, 2)
        marks.put(transfer.id, 2)
        assert marks.exists(transfer.id)
        assert [segment.index for segment in storage.status(transfer).stored] == [0, 1, 2]
        wait_until(lambda: not marks.exists(transfer.id), interval=0.2)
        marks.put(transfer.id, 600)
        marks.remove(transfer.id)
        marks.remove(transfer.id)
        assert not marks.exists(transfer.id)
        assert seal(storage, transfer, SEVERAL).complete


class Batch:
    """A page that uploads several files together: a middleware in front of ``storage``, and a cookie."""

    def __init__(self, storage: Storage) -> None:
        self._app = DirectUploadMiddleware(
            lambda *_: [], storage, secret="s" * 32, identify=lambda environ: "ann", segment_size=SEGMENT
        )
        self._cookie = ""

    def post(self, call: str, uploads: list[Any]) -> list[Any]:
        request = Request.blank(f"/_upload/batch/{call}", method="POST", content_type="application/json")
        request.headers["Cookie"] = self._cookie
        request.json = {"uploads": uploads}
        response = request.get_response(self._app)
        assert response.status_int == 200, response.text
        self._cookie = response.headers.get("Set-Cookie", self._cookie).partition(";")[0]
        answers: list[Any] = response.json["uploads"]
        return answers

    def declared(self, begun: Any, data: bytes) -> dict[str, Any]:
        """An item of ``batch/complete``."""
        pieces = [data[s["offset"] : s["offset"] + s["size"]] for s in begun["segments"]]
        segments = [{"index": index, "etag": md5(piece)} for index, piece in enumerate(pieces)]
        return {"id": begun["id"], "ticket": begun["ticket"], "segments": segments}

    def send(self, http: Http, begun: Any, data: bytes) -> dict[str, Any]:
        for segment in begun["segments"]:
            piece = data[segment["offset"] : segment["offset"] + segment["size"]]
            checksum = segment.get("checksum", {"header": "ETag", "encoding": "hex"})
            etag = md5(piece)
            value = etag if checksum["encoding"] == "hex" else b64encode(bytes.fromhex(etag)).decode()
            url = segment["url"].removeprefix("/_upload")
            assert http.request("PUT", url, piece, {**segment["headers"], checksum["header"]: value}).status < 300
        return self.declared(begun, data)

    def complete(self, items: list[Any]) -> list[Any]:
        done: dict[str, Any] = {}
        while left := [item for item in items if item["id"] not in done]:
            answers = zip(left, self.post("complete", left), strict=True)
            done |= {item["id"]: answer for item, answer in answers if answer["status"] != 202}
        return [done[item["id"]] for item in items]

    def fetch(self, http: Http, url: str) -> bytes:
        return http.request("GET", url.removeprefix("/_upload")).body
