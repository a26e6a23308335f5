"""A tenant of the same Swift, with an account, tokens and temp URL keys of its own."""

from __future__ import annotations

import secrets
import time
from urllib.parse import urlsplit

import pytest
import requests
from helpers.uploads import ONE, SEVERAL, BegunUpload, Site

from direct_upload_middleware.storage import temp_urls
from direct_upload_middleware.testing.private_swift.server import SwiftServer

KEY_HEADER = "X-Account-Meta-Temp-Url-Key"


@pytest.fixture
def begun(site: Site) -> BegunUpload:
    begun = site.begin(SEVERAL)
    begun.send()
    return begun


@pytest.fixture
def neighbours_token(swift_server: SwiftServer) -> str:
    return swift_server.token(swift_server.other_username, swift_server.other_key)


def places(begun: BegunUpload) -> list[str]:
    container = begun.site.storage.container
    return [container, f"{container}_staging", f"{container}_segments_{begun.id}"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "POST", "DELETE"])
def test_a_neighbours_token_opens_none_of_the_containers(
    swift_server: SwiftServer, begun: BegunUpload, neighbours_token: str, method: str
) -> None:
    """No container is ever given an ACL. Notices when one is made readable so that temp URLs "work"."""
    for place in places(begun):
        for path in (place, f"{place}/00000000"):
            url = f"{swift_server.storage_url}/{path}"
            assert (
                requests.request(method, url, headers={"X-Auth-Token": neighbours_token}, timeout=30).status_code == 403
            )
            assert requests.request(method, url, timeout=30).status_code == 401


def test_a_key_of_the_neighbours_signs_nothing_for_us(
    swift_server: SwiftServer, begun: BegunUpload, neighbours_token: str
) -> None:
    key = secrets.token_hex(16)
    headers = {"X-Auth-Token": neighbours_token, KEY_HEADER: key}
    assert requests.post(swift_server.other_storage_url, headers=headers, timeout=30).status_code == 204
    for place in places(begun):
        path = f"{urlsplit(swift_server.storage_url).path}/{place}/00000000"
        url = swift_server.url + temp_urls.url(key, "GET", path, int(time.time()) + 60)
        assert requests.get(url, timeout=30).status_code == 401


def test_another_account_that_knows_names_copies_nothing(
    swift_server: SwiftServer, site: Site, neighbours_token: str
) -> None:
    name = site.upload(ONE).json["upload"]["name"]
    mine = f"{swift_server.other_storage_url}/stolen"
    headers = {"X-Auth-Token": neighbours_token}
    requests.put(mine, headers=headers, timeout=30)
    source = {"X-Copy-From": f"/{site.storage.container}/{name}", "X-Copy-From-Account": "AUTH_test"}
    assert requests.put(f"{mine}/x", headers=headers | source, timeout=30).status_code == 403
