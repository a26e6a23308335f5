"""Swift: the contract against a real one, what it costs in requests, and what happens when calls race."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import requests
from contract.storage_contract import (
    ONE,
    ORIGIN,
    SEVERAL,
    SIZES,
    SealingMarksContract,
    StorageContract,
    begin,
    begun,
    download,
    etags_of,
    finished,
    md5,
    new_transfer,
    put,
    put_all,
    seal,
    segment_bytes,
    stored_object,
    uploaded,
)
from helpers.storage.browser import Browser

from direct_upload_middleware.errors import (
    AlreadyComplete,
    ApplicationError,
    ConfigurationError,
    SegmentsDiffer,
    SegmentsMissing,
)
from direct_upload_middleware.keys import Keys
from direct_upload_middleware.storage.base import GROUP_DIGITS
from direct_upload_middleware.storage.swift import SwiftStorage
from direct_upload_middleware.storage.swift.client import Login
from direct_upload_middleware.storage.swift.cluster.metadata import free_slot, with_origin
from direct_upload_middleware.testing.private_swift.server import SwiftServer


class Access:
    """A log-in at the private Swift, which is quicker than openstacksdk's."""

    def __init__(self, server: SwiftServer) -> None:
        self._server = server

    def login(self) -> Login:
        return Login(self._server.token(), self._server.storage_url)

    def forget(self, token: str) -> None:
        """Every log-in gets a token that is good."""


def new_storage(server: SwiftServer, container: str) -> SwiftStorage:
    storage = SwiftStorage(container, access=Access(server))
    storage.bind(Keys(("a secret",)))
    return storage


@pytest.fixture
def storage(swift_server: SwiftServer) -> SwiftStorage:
    return new_storage(swift_server, f"uploads-{secrets.token_hex(4)}")


@pytest.fixture
def http() -> Browser:
    return Browser()


class Account:
    """What an operator sees of the account."""

    def __init__(self, server: SwiftServer) -> None:
        self._server = server

    def request(self, method: str, path: str, **kwargs: object) -> requests.Response:
        headers = {"X-Auth-Token": self._server.token()}
        return requests.request(method, f"{self._server.storage_url}/{path}", headers=headers, timeout=30, **kwargs)

    def names(self, container: str) -> list[str]:
        return self.request("GET", container).text.splitlines()


@pytest.fixture
def account(swift_server: SwiftServer) -> Account:
    return Account(swift_server)


class TestSwiftStorage(SealingMarksContract, StorageContract):
    """The contract."""


# -- requests ----------------------------------------------------------------------------------------------------


@pytest.fixture
def requests_made(storage: SwiftStorage, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    made: list[str] = []
    client = storage._client
    request = client.request

    def counting(method: str, *path: str, **kwargs: object) -> requests.Response:
        made.append(method)
        return request(method, *path, **kwargs)

    monkeypatch.setattr(client, "request", counting)
    return made


def test_a_begin_of_one_segment_asks_swift_nothing_after_the_first(
    storage: SwiftStorage, requests_made: list[str]
) -> None:
    begin(storage, ONE)
    requests_made.clear()
    begin(storage, ONE)
    assert requests_made == []


@pytest.mark.parametrize("pending", [False, True])
def test_completing_one_segment_takes_five_requests(
    storage: SwiftStorage, http: Browser, requests_made: list[str], pending: bool
) -> None:
    transfer, _ = uploaded(storage, http, ONE)
    requests_made.clear()
    storage.confirm(transfer, seal(storage, transfer, ONE, pending=pending))
    assert requests_made == ["GET", "PUT", "PUT", *(["DELETE", "HEAD"] if pending else ["HEAD", "DELETE"])]


def test_uploads_that_began_together_are_listed_together(
    storage: SwiftStorage, http: Browser, requests_made: list[str]
) -> None:
    group = secrets.token_hex(GROUP_DIGITS // 2)
    transfers = []
    for number in range(12):
        transfer = begun(storage, replace(new_transfer(ONE), id=f"{group}{number:016x}"))
        put_all(http, storage.sign(transfer, [0], ttl=300, fresh=True), transfer, ONE)
        transfers.append(transfer)
    requests_made.clear()
    with ThreadPoolExecutor(len(transfers)) as pool:
        sealed = list(pool.map(lambda transfer: seal(storage, transfer, ONE), transfers))
    assert [each.complete for each in sealed] == [True] * len(transfers)
    assert (requests_made.count("PUT"), requests_made.count("HEAD")) == (2 * len(transfers), len(transfers))
    assert requests_made.count("GET") < len(transfers)


@pytest.mark.parametrize("count", [3, 30])
def test_completing_several_segments_adds_one_request_for_each(
    storage: SwiftStorage, http: Browser, requests_made: list[str], count: int
) -> None:
    data = secrets.token_bytes(10 * count)
    transfer, _ = uploaded(storage, http, data)
    requests_made.clear()
    seal(storage, transfer, data)
    assert len(requests_made) == 5 + count


# -- what the uploader cannot do -----------------------------------------------------------------------------------


def metadata_of(account: Account, path: str) -> dict[str, str]:
    headers = account.request("HEAD", path).headers
    return {name.lower(): value for name, value in headers.items()}


@pytest.mark.parametrize("data", SIZES)
def test_the_uploaders_headers_are_on_nothing_that_stays(
    storage: SwiftStorage, http: Browser, account: Account, data: bytes
) -> None:
    transfer, urls = begin(storage, data)
    evil = {
        "X_Delete_After": "1000",
        "X_Object_Meta_Evil": "1",
        "Content_Disposition": "inline",
        "Content_Type": "text/html",
    }
    put_all(http, urls, transfer, data, **evil)
    seal(storage, transfer, data)
    segments = f"{storage.container}_segments_{transfer.id}"
    there = [f"{segments}/{name}" for name in account.names(segments)] if len(urls) > 1 else []
    for path in (f"{storage.container}/{transfer.name}", *there):
        headers = metadata_of(account, path)
        assert not {"x-delete-at", "x-object-meta-evil", "content-disposition"} & set(headers), path


def test_a_segment_changed_between_the_look_and_the_revocation_is_found_and_sent_again(
    storage: SwiftStorage, http: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfer, urls = uploaded(storage, http, SEVERAL)
    segments = storage._segments
    revoke = segments._revoke

    def attacked(of: object) -> bool:
        monkeypatch.undo()
        assert put(http, urls[1], b"evil bytes") == 201
        return revoke(of)

    monkeypatch.setattr(segments, "_revoke", attacked)
    with pytest.raises(SegmentsDiffer) as caught:
        seal(storage, transfer, SEVERAL)
    assert caught.value.indexes == [1]
    assert put(http, urls[1], b"evil again") == 401, "what was revoked stays revoked"
    [again] = storage.sign(transfer, [1], ttl=60)
    assert put(http, again, segment_bytes(transfer, SEVERAL)[1]) == 201
    sealed = seal(storage, transfer, SEVERAL)
    assert put(http, again, b"evil bytes") == 401
    assert download(storage, http, transfer.name).body == SEVERAL
    assert sealed.etag == stored_object(transfer, sealed).etag


def test_a_call_that_opens_the_upload_again_while_another_seals_it_gains_nothing(
    storage: SwiftStorage, http: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfer, _urls = uploaded(storage, http, SEVERAL)
    segments = storage._segments
    write_manifest = storage._finals.write_manifest
    stolen = []

    def raced(*args: object) -> object:
        monkeypatch.undo()
        wrong = {**etags_of(transfer, SEVERAL), 0: md5(b"else")}
        with pytest.raises(SegmentsDiffer):
            storage.seal(transfer, wrong, pending=False)
        stolen.extend(storage.sign(transfer, [0], ttl=60))
        assert put(http, stolen[0], segment_bytes(transfer, SEVERAL)[0], X_Delete_After="1000") == 201
        return write_manifest(*args)

    monkeypatch.setattr(storage._finals, "write_manifest", raced)
    seal(storage, transfer, SEVERAL)
    assert put(http, stolen[0], b"evil bytes") == 401
    container, name = segments.containers.of(transfer, 0)
    response = storage._client.request("HEAD", container, name, expect=(200,))
    assert "X-Delete-At" not in response.headers
    with pytest.raises(AlreadyComplete):
        storage.sign(transfer, [0], ttl=60)


def test_of_two_completes_with_different_bytes_one_wins(
    storage: SwiftStorage, http: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfer, urls = uploaded(storage, http, ONE)
    copy = storage._finals.copy

    def overtaken(*args: object) -> object:
        monkeypatch.undo()
        assert put(http, urls[0], b"EVILfile") == 201
        with pytest.raises(SegmentsDiffer):
            seal(storage, transfer, b"EVILfile")
        assert put(http, urls[0], ONE) == 201
        return copy(*args)

    monkeypatch.setattr(storage._finals, "copy", overtaken)
    seal(storage, transfer, ONE)
    assert download(storage, http, transfer.name).body == ONE


def test_a_crash_between_claim_and_copy_leaves_what_a_retry_finishes(
    storage: SwiftStorage, http: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfer, _ = uploaded(storage, http, ONE)

    def crash(*args: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(storage._finals, "copy", crash)
    with pytest.raises(KeyboardInterrupt):
        seal(storage, transfer, ONE)
    monkeypatch.undo()
    assert storage.status(transfer).state == "open"
    seal(storage, transfer, ONE)
    assert download(storage, http, transfer.name).body == ONE


@pytest.mark.parametrize("step", ["_revoke", "_revoke_and_examine"])
def test_a_crash_after_the_revocation_leaves_what_a_retry_finishes(
    storage: SwiftStorage, http: Browser, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    transfer, _ = uploaded(storage, http, SEVERAL)
    carry_out = getattr(storage._segments, step)

    def crash(*args: object) -> object:
        carry_out(*args)
        raise KeyboardInterrupt

    monkeypatch.setattr(storage._segments, step, crash)
    with pytest.raises(KeyboardInterrupt):
        seal(storage, transfer, SEVERAL)
    monkeypatch.undo()
    storage._client.request("DELETE", *storage._segments.containers.of(transfer, 0), expect=(204,))
    with pytest.raises(SegmentsMissing):
        seal(storage, transfer, SEVERAL)
    [again] = storage.sign(transfer, [0], ttl=60)
    assert put(http, again, segment_bytes(transfer, SEVERAL)[0]) == 201
    seal(storage, transfer, SEVERAL)
    assert download(storage, http, transfer.name).body == SEVERAL


# -- pins ------------------------------------------------------------------------------------------------------------


def test_pinned_segments_share_a_container_and_their_etags_are_pinned(
    storage: SwiftStorage, http: Browser, account: Account
) -> None:
    transfer, urls = uploaded(storage, http, SEVERAL, seal="pin")
    with pytest.raises(SegmentsDiffer) as caught:
        seal(storage, transfer, SEVERAL[::-1])
    assert caught.value.indexes == [0, 1, 2]
    sealed = seal(storage, transfer, SEVERAL)
    assert download(storage, http, transfer.name).body == SEVERAL
    assert put(http, urls[0], b"evil bytes") == 201, "pinning revokes nothing"
    assert download(storage, http, transfer.name).body != SEVERAL, "but the manifest does not give other bytes"
    storage.delete(stored_object(transfer, sealed))
    assert account.names(f"{storage.container}_segments") == []


# -- set-up ----------------------------------------------------------------------------------------------------------


def test_a_name_that_is_taken_by_another_object_is_never_overwritten(storage: SwiftStorage, http: Browser) -> None:
    first, _ = uploaded(storage, http, ONE)
    seal(storage, first, ONE)
    for data in (b"another", SEVERAL):
        second, _ = uploaded(storage, http, data, name=first.name)
        with pytest.raises(ApplicationError):
            seal(storage, second, data)
    assert download(storage, http, first.name).body == ONE


def test_a_new_secret_goes_into_the_free_key_slot_and_both_are_good(swift_server: SwiftServer, http: Browser) -> None:
    container = f"rotated-{secrets.token_hex(4)}"
    old, new = (
        SwiftStorage(container, access=Access(swift_server)),
        SwiftStorage(container, access=Access(swift_server)),
    )
    old.bind(Keys(("old",)))
    new.bind(Keys(("old", "new")))
    _, [before] = begin(old, ONE)
    _, [after] = begin(new, ONE)
    assert put(http, before, ONE) == put(http, after, ONE) == 201


def test_pages_of_several_origins_may_send(swift_server: SwiftServer, http: Browser) -> None:
    container = f"origins-{secrets.token_hex(4)}"
    origins = [ORIGIN, "http://other.example.com:8080", "https://third.example.com"]
    for origin in origins:  # each from a process that knows nothing of the others
        storage = new_storage(swift_server, container)
        transfer = begin(storage, ONE)[0]
        storage.begin(transfer, origin=origin)
    [signed] = storage.sign(transfer, [0], ttl=60)
    asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "etag"}
    for origin in origins:
        answer = http.request("OPTIONS", signed.url, headers={"Origin": origin, **asked})
        assert (answer.status, answer.headers.get("Access-Control-Allow-Origin")) == (200, origin)
    assert http.request("OPTIONS", signed.url, headers={"Origin": "https://evil.example", **asked}).status == 401


@pytest.mark.parametrize(
    ("slots", "slot"),
    [
        pytest.param(["", ""], 0, id="both free"),
        pytest.param(["old", ""], 1, id="the second is free"),
        pytest.param(["new", "old"], None, id="there already"),
        pytest.param(["else", "old"], 0, id="a key that is not ours goes"),
        pytest.param(["old", "older"], 1, id="the oldest goes"),
    ],
)
def test_the_slot_of_a_new_key(slots: list[str], slot: int | None) -> None:
    assert free_slot(slots, ["new", "old", "older"]) == slot


@pytest.mark.parametrize(
    ("origins", "origin", "expected"),
    [
        ("", "https://a.example", "https://a.example"),
        ("https://a.example", "https://a.example", "https://a.example"),
        ("https://a.example", "https://b.example", "https://a.example https://b.example"),
        ("*", "https://b.example", "*"),
        ("https://" + "a" * 240, "https://b.example", "https://" + "a" * 240),
    ],
)
def test_an_origin_joins_the_others(origins: str, origin: str, expected: str) -> None:
    assert with_origin(origins, origin) == expected


@pytest.mark.parametrize("container", ["", "a/b", "x" * 300])
def test_a_name_that_no_container_can_have_is_refused(container: str) -> None:
    with pytest.raises(ConfigurationError, match="container"):
        SwiftStorage(container)


def test_the_clock_of_swift_counts_and_not_ours(
    storage: SwiftStorage, http: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time
    for hours in (-1, 1):
        monkeypatch.setattr(time, "time", lambda hours=hours: now() + 3600 * hours)
        other = new_storage_like(storage)
        _, [signed] = begin(other, ONE)
        assert put(http, signed, ONE) == 201
        assert signed.expires < now() + 600


def new_storage_like(storage: SwiftStorage) -> SwiftStorage:
    other = SwiftStorage(storage.container, access=storage._client._access)
    other.bind(storage._keys)
    return other


def test_a_storage_that_another_middleware_takes_over_is_set_up_for_its_secrets(
    storage: SwiftStorage, http: Browser
) -> None:
    finished(storage, http, ONE)
    storage.bind(Keys(("a secret", "a newer one")))
    assert storage.open(finished(storage, http, ONE)).read() == ONE
