"""Completes and aborts of one upload at the same moment, in processes of their own: never do both succeed."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
import requests
from clouds.conftest import NEWEST, OLD_VERSIONS
from helpers.storage.racing import Application, Race, TokenAccess, racing
from helpers.uploads import SEGMENT, BegunUpload, Site

from direct_upload_middleware.testing.private_swift.server import SwiftServer

CALLS = [
    (["complete", "abort"], 3),
    (["complete", "abort", "complete"], 2),
    (["abort", "complete", "abort"], 1),
    (["complete", "complete"], 1),
    (["abort", "abort"], 1),
]
"""The calls for each upload, and the number of rounds for each kind of upload."""

UPLOADS = 4
"""At the same time in a round."""

KINDS = {
    "one segment": ("revoke", SEGMENT - 1, False),
    "one segment, confirmed": ("revoke", SEGMENT - 1, True),
    "two segments": ("revoke", SEGMENT + 1, False),
    "two segments, confirmed": ("revoke", SEGMENT + 1, True),
    "pinned segments, confirmed": ("pin", SEGMENT + 1, True),
}
"""Seal, size, and whether the application confirms uploads."""

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


@pytest.mark.parametrize(
    ("version", "kind"),
    [*((NEWEST, kind) for kind in KINDS), *((version, "two segments, confirmed") for version in OLD_VERSIONS)],
    indirect=["version"],
)
def test_complete_and_abort_never_both_succeed(access: TokenAccess, race: Race, kind: str) -> None:
    """Without a shared container, as on old Swifts, all kinds take the same way: there one of them is enough."""
    seal, size, confirms = KINDS[kind]
    application = Application(access, "raced", seal, confirms)
    site = application.site()
    for calls, rounds in CALLS:
        for _ in range(rounds):
            uploads = [begin(site, size) for _ in range(UPLOADS)]
            for begun, statuses in zip(uploads, race.run(application, calls, uploads), strict=True):
                assert set(statuses) <= WON | LOST, (calls, statuses)
                assert not set(statuses) >= WON, (calls, statuses)
                check(site, begun, statuses)


def begin(site: Site, size: int) -> BegunUpload:
    begun = site.begin(secrets.token_bytes(size), filename=secrets.token_hex(16))
    begun.send()
    return begun


def check(site: Site, begun: BegunUpload, statuses: list[int]) -> None:
    """Check that the outcome lasts. Where no call has won, retries decide."""
    if not WON & set(statuses):
        statuses = [*statuses, decide(site, begun)]
    if 200 in statuses:
        complete = begun.complete()
        assert complete.status_int == 200, (statuses, complete.text)
        assert site.download(complete.json["download_url"]) == begun.data
        assert begun.abort().status_int == 409
        assert final_status(site, begun) == 200
        assert site.download(complete.json["download_url"]) == begun.data
    else:
        assert begun.complete().status_int == 404, statuses
        assert begun.abort().status_int == 204
        assert site.call("status", begun).status_int == 404
        assert final_status(site, begun) == 404


def decide(site: Site, begun: BegunUpload) -> int:
    """Return the status of the first call that wins."""
    for _ in range(TRIES):
        for call in (begun.complete, begun.abort):
            status = call().status_int
            if status in WON:
                return status
    raise AssertionError("retries do not decide")


def final_status(site: Site, begun: BegunUpload) -> int:
    """Return the status of the final object for an operator."""
    name = begun.filename
    login = site.storage._client.login()
    url = f"{login.storage_url}/{site.storage.container}/{name}"
    return requests.get(url, headers={"X-Auth-Token": login.token}, timeout=60).status_code
