"""Completes and aborts of one upload at the same moment, in processes of their own: never do both succeed."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
import requests
from helpers.racing import Application, Race, TokenAccess, racing
from helpers.uploads import SEGMENT, BegunUpload, Site

from direct_upload_middleware.testing.private_swift.server import SwiftServer

CALLS = [
    (["complete", "abort"], 12),
    (["complete", "abort", "complete"], 8),
    (["abort", "complete", "abort"], 6),
    (["complete", "complete"], 4),
    (["abort", "abort"], 4),
]
"""The calls of a round, and the number of rounds for each kind of upload. An old Swift has a quarter of them."""

KINDS = {
    "one segment": ("revoke", SEGMENT - 1, False),
    "one segment, confirmed": ("revoke", SEGMENT - 1, True),
    "two segments": ("revoke", SEGMENT + 1, False),
    "two segments, confirmed": ("revoke", SEGMENT + 1, True),
    "pinned segments, confirmed": ("pin", SEGMENT + 1, True),
}
"""Seal, size, and whether the application confirms uploads."""

NEWEST = "newest"
WON = {200, 204}
LOST = {404, 409, 503, 202}
TRIES = 20


@pytest.fixture(scope="session")
def race() -> Iterator[Race]:
    with racing() as race:
        yield race


@pytest.fixture(scope="session")
def access(server: SwiftServer) -> TokenAccess:
    return TokenAccess(server.auth_url, server.username, server.key)


@pytest.mark.parametrize("kind", KINDS)
def test_a_complete_and_an_abort_never_both_succeed(access: TokenAccess, race: Race, kind: str, version: str) -> None:
    seal, size, confirms = KINDS[kind]
    application = Application(access, "raced", seal, confirms)
    site = application.site()
    for calls, rounds in CALLS:
        for _ in range(rounds if version == NEWEST else rounds // 4):
            name = secrets.token_hex(16)
            begun = site.begin(secrets.token_bytes(size), filename=name)
            begun.send()
            statuses = race.run(application, calls, begun)
            assert set(statuses) <= WON | LOST, (calls, statuses)
            assert not set(statuses) >= WON, (calls, statuses)
            check(site, begun, name, statuses)


def check(site: Site, begun: BegunUpload, name: str, statuses: list[int]) -> None:
    """Check that the outcome lasts. Where no call has won, retries decide."""
    if not WON & set(statuses):
        statuses = [*statuses, decide(site, begun)]
    if 200 in statuses:
        complete = begun.complete()
        assert complete.status_int == 200, (statuses, complete.text)
        assert site.download(complete.json["download_url"]) == begun.data
        assert begun.abort().status_int == 409
        assert final_status(site, name) == 200
        assert site.download(complete.json["download_url"]) == begun.data
    else:
        assert begun.complete().status_int == 404, statuses
        assert begun.abort().status_int == 204
        assert site.call("status", begun).status_int == 404
        assert final_status(site, name) == 404


def decide(site: Site, begun: BegunUpload) -> int:
    """Return the status of the first call that wins."""
    for _ in range(TRIES):
        for call in (begun.complete, begun.abort):
            status = call().status_int
            if status in WON:
                return status
    raise AssertionError("retries do not decide")


def final_status(site: Site, name: str) -> int:
    """Return the status of the final object for an operator."""
    login = site.storage._client.login()
    url = f"{login.storage_url}/{site.storage.container}/{name}"
    return requests.get(url, headers={"X-Auth-Token": login.token}, timeout=60).status_code
