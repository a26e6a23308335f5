"""Whose key signs uploads: the container's, and the account's only with seal="pin" where containers have none."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import requests
from helpers.faults.changed_answers import Exchange
from helpers.faults.no_container_keys import drop_keys, ignore_keys, storage_behind
from helpers.uploads import ONE, SECRET, SEGMENT, SEVERAL, Site, assert_problem, new_container, swift_storage

from direct_upload_middleware import StorageError
from direct_upload_middleware.keys import Keys
from direct_upload_middleware.storage import temp_urls
from direct_upload_middleware.storage.base import Transfer
from direct_upload_middleware.storage.swift import SwiftStorage
from direct_upload_middleware.storage.swift.headers import ACCOUNT_KEYS, CONTAINER_KEYS
from direct_upload_middleware.testing.private_swift.server import SwiftServer


def keys_of(server: SwiftServer, *container: str) -> list[str]:
    url = "/".join((server.storage_url, *container))
    headers = requests.head(url, headers={"X-Auth-Token": server.token()}, timeout=30).headers
    return [headers[name] for name in (CONTAINER_KEYS if container else ACCOUNT_KEYS) if headers.get(name)]


def is_signed_by(keys: list[str], url: str) -> bool:
    query = {name: value for name, [value] in parse_qs(urlsplit(url).query).items()}
    path, expires = unquote(urlsplit(url).path), int(query["temp_url_expires"])
    return query["temp_url_sig"] in [temp_urls.sign(key, "PUT", path, expires) for key in keys]


def names(server: SwiftServer) -> list[str]:
    headers = {"X-Auth-Token": server.token()}
    return requests.get(server.storage_url, headers=headers, timeout=30).text.split()


@pytest.fixture(params=[drop_keys, ignore_keys])
def without_keys(request: pytest.FixtureRequest, swift_server: SwiftServer) -> Iterator[SwiftStorage]:
    """A storage whose containers cannot have keys."""
    with storage_behind(swift_server, request.param, new_container()) as storage:
        yield storage


@pytest.mark.parametrize("data", [ONE, SEVERAL])
class TestWithoutContainerKeys:
    def test_revoke_takes_no_uploads_and_says_why(self, without_keys: SwiftStorage, data: bytes) -> None:
        site = Site(without_keys, seal="revoke")
        answer = site.request("POST", "/uploads", json={"filename": "a", "size": len(data), "type": ""})
        assert_problem(answer, 502, "storage-error")
        assert "seal='revoke'" in answer.json["detail"]

    def test_revoke_also_signs_nothing_for_uploads_that_have_begun(
        self, without_keys: SwiftStorage, data: bytes
    ) -> None:
        without_keys.bind(Keys([SECRET]))
        begun = Transfer(
            "a" * 32, "b" * 32, "text/plain", len(data), SEGMENT, -(-len(data) // SEGMENT), "revoke", 2**31
        )
        with pytest.raises(StorageError, match="seal='revoke'"):
            without_keys.sign(begun, [0], ttl=60)

    def test_pin_signs_with_the_accounts_key(
        self, without_keys: SwiftStorage, swift_server: SwiftServer, data: bytes
    ) -> None:
        site = Site(without_keys, seal="pin")
        begun = site.begin(data)
        again = site.call("sign", begun).json["segments"]
        for segment in [*begun.answer.json["segments"], *again]:
            assert is_signed_by(keys_of(swift_server), segment["url"])
        begun.send()
        done = begun.complete()
        assert site.download(done.json["download_url"]) == data

    def test_an_aborted_upload_stays_so(self, without_keys: SwiftStorage, data: bytes) -> None:
        site = Site(without_keys, seal="pin")
        begun = site.begin(data)
        begun.send()
        assert site.call("abort", begun).status_int == 204
        begun.send()
        assert_problem(site.call("complete", begun), 404, "not-found")

    def test_nothing_is_left_of_the_trial(
        self, without_keys: SwiftStorage, swift_server: SwiftServer, data: bytes
    ) -> None:
        Site(without_keys, seal="pin").begin(data)
        # A container that is gone may be in the account's listing for a moment.
        listed = [name for name in names(swift_server) if name.startswith(f"{without_keys.container}_trial_")]
        client = without_keys._client
        assert all(client.request("HEAD", name, expect=(204, 404)).status_code == 404 for name in listed)


def test_an_upload_signed_with_the_accounts_key_may_break_and_never_differs(without_keys: SwiftStorage) -> None:
    """S3 and S4, as far as they hold without container keys: what one segment was copied from is never read again, and
    of several a segment that is overwritten spoils the download."""
    site = Site(without_keys, seal="pin")
    small, large = site.begin(ONE), site.begin(SEVERAL)
    urls = {}
    for begun in (small, large):
        begun.send()
        urls[begun.id] = begun.complete().json["download_url"]
        assert begun.put(0, b"x" * len(begun.pieces()[0])).status == 201
    assert site.download(urls[small.id]) == ONE
    assert requests.get(urls[large.id], timeout=30).status_code == 409


def test_a_missing_capability_is_logged_once(swift_server: SwiftServer, caplog: pytest.LogCaptureFixture) -> None:
    with storage_behind(swift_server, drop_keys, new_container()) as storage:
        for _ in range(2):
            site = Site(SwiftStorage(new_container(), access=storage._client._access), seal="pin")
            site.upload(ONE)
    told = [record for record in caplog.records if "capability container-keys" in record.getMessage()]
    assert [record.levelno for record in told] == [logging.WARNING]


@pytest.mark.parametrize("seal", ["revoke", "pin"])
@pytest.mark.parametrize("data", [ONE, SEVERAL])
def test_where_containers_have_keys_the_account_signs_no_upload(
    swift_server: SwiftServer, seal: str, data: bytes
) -> None:
    site = Site(swift_storage(swift_server), seal=seal)
    begun = site.begin(data)
    for segment in [*begun.answer.json["segments"], *site.call("sign", begun).json["segments"]]:
        container = urlsplit(segment["url"]).path.split("/")[3]
        assert is_signed_by(keys_of(swift_server, container), segment["url"])
        assert not is_signed_by(keys_of(swift_server), segment["url"])


class Remembering:
    """Proxies that know a container for a while as it was before it had this key."""

    def __init__(self, container: str) -> None:
        self._container = container

    def __call__(self, exchange: Exchange) -> None:
        parts = exchange.path.split("/")
        if exchange.status == 404 and "no-such-object" in exchange.path and parts[3] == f"{self._container}_staging":
            exchange.status = 401


def test_a_key_that_is_not_known_everywhere_yet_is_no_reason_to_take_the_accounts(swift_server: SwiftServer) -> None:
    container = new_container()
    with storage_behind(swift_server, Remembering(container), container) as storage:
        begun = Site(storage, seal="pin").begin(ONE)
        assert not is_signed_by(keys_of(swift_server), begun.answer.json["segments"][0]["url"])
        begun.send()
        assert begun.complete().status_int == 200


def no_temp_urls(exchange: Exchange) -> None:
    if "temp_url_sig" in exchange.url and not exchange.status:
        exchange.status, exchange.headers, exchange.body = 401, {}, b""


def test_where_no_temp_url_is_accepted_the_refusal_does_not_blame_the_keys(swift_server: SwiftServer) -> None:
    with storage_behind(swift_server, no_temp_urls, new_container()) as storage:
        answer = Site(storage, seal="pin").request(
            "POST", "/uploads", json={"filename": "a", "size": len(ONE), "type": ""}
        )
        assert_problem(answer, 502, "storage-error")
        assert "capability temp-urls" in answer.json["detail"]
