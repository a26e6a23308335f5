"""How permission ends: by a generation in the identity, by ``url_ttl``, by abort."""

from __future__ import annotations

import time
from typing import Any

import pytest
from helpers.uploads import CALLS, ONE, SEVERAL, BegunUpload, assert_problem, md5
from security.conftest import MakeSite

from direct_upload_middleware.storage.swift import SwiftStorage

BOTH = [pytest.param(ONE, id="one segment"), pytest.param(SEVERAL, id="several segments")]


class Users:
    """An application's users, each with a number that counts how often everything of theirs was ended."""

    def __init__(self) -> None:
        self.sessions = {"ann": 1, "bob": 1}

    def identify(self, environ: dict[str, Any]) -> str | None:
        user = environ.get("REMOTE_USER")
        return f"{user}:{self.sessions[user]}" if user in self.sessions else None


@pytest.fixture
def users() -> Users:
    return Users()


@pytest.mark.parametrize("data", BOTH)
def test_raising_the_generation_ends_every_ticket_of_the_user(new_site: MakeSite, users: Users, data: bytes) -> None:
    """At log-out everywhere, or when an account is locked. Notices when a ticket is bound to less than the whole
    identity.

    Other users' tickets go on; and so do receipts, where the application asks for the user behind them.
    """
    site = new_site(identify=users.identify)
    receipt = site.upload(ONE).json["receipt"]
    begun = site.begin(data)
    begun.send()
    users.sessions["ann"] += 1
    for call in CALLS:
        assert_problem(site.call(call, begun), 403, "not-yours")
    assert_problem(site.request("GET", f"/files/{receipt}"), 403, "not-yours")
    upload = site.uploads(lambda uploads: uploads.verify(receipt, any_owner=True))
    assert upload.owner == "ann:1"
    assert site.upload(data).status_int == 200, "a new upload is one of the new generation"
    site.log_in("bob")
    assert site.upload(data).status_int == 200


@pytest.mark.parametrize("data", BOTH)
def test_a_signed_temp_url_expires_after_url_ttl(new_site: MakeSite, users: Users, data: bytes) -> None:
    """What is left after the permission is taken back: it writes, until its end, what nobody can complete. Notices
    when temp URLs are signed for longer than ``url_ttl``.
    """
    site = new_site(identify=users.identify, url_ttl=60)
    began = time.time()
    begun = site.begin(data)
    users.sessions["ann"] += 1
    assert begun.put(0, begun.pieces()[0]).status == 201
    assert_problem(begun.complete(), 403, "not-yours")
    assert all(segment["expires"] <= began + 60 + 2 for segment in begun.segments)
    assert expired(begun, site.storage) == 401


def expired(begun: BegunUpload, storage: SwiftStorage) -> int:
    """What the first temp URL answers when its time is over: the same one, as it was signed two minutes ago."""
    ticket = begun.site.middleware._uploads.tickets.read(begun.ticket, upload_id=begun.id)
    [signed] = storage.sign(ticket.transfer, [0], ttl=60 - 120)
    return begun.site.fetch("PUT", signed.url, begun.pieces()[0]).status


def test_after_abort_a_temp_url_of_several_segments_has_no_time_left(new_site: MakeSite) -> None:
    """Who wants it sooner than ``url_ttl`` aborts: the key goes, and with it every temp URL."""
    site = new_site(url_ttl=3600)
    begun = site.begin(SEVERAL)
    begun.send()
    assert begun.abort().status_int == 204
    assert {
        site.fetch("PUT", url, SEVERAL[:10], {"ETag": md5(SEVERAL[:10])}).status for url in begun.urls.values()
    } == {401}
