"""An upload may take longer than a ticket lives: one that is in use is renewed."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from helpers.uploads import ONE, SEVERAL, BegunUpload, Site, assert_problem

pytest_plugins = ["helpers.fixtures"]

TTL = 1000
RENEWING = ["sign", "status"]

PassTime = Callable[[int], None]


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> PassTime:
    """Lets seconds go by."""
    real = time.time
    passed = 0

    def go(seconds: int) -> None:
        nonlocal passed
        passed += seconds

    monkeypatch.setattr(time, "time", lambda: real() + passed)
    return go


@pytest.fixture
def begun(storage: object) -> BegunUpload:
    return Site(storage, ticket_ttl=TTL).begin(SEVERAL)  # type: ignore[arg-type]


@pytest.mark.parametrize("call", RENEWING)
def test_a_ticket_in_the_first_half_of_its_lifetime_is_not_renewed(
    begun: BegunUpload, call: str, pass_time: PassTime
) -> None:
    pass_time(TTL // 2 - 100)
    answer = begun.site.call(call, begun)
    assert not {"ticket", "expires"} & set(answer.json)
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("call", RENEWING)
def test_a_ticket_in_the_second_half_of_its_lifetime_is_renewed_with_its_cookie(
    begun: BegunUpload, call: str, pass_time: PassTime
) -> None:
    begun.send()
    first, cookie = begun.ticket, begun.answer.headers["Set-Cookie"].partition(";")[0]
    pass_time(TTL // 2 + 1)
    answer = begun.site.call(call, begun)
    assert answer.json["ticket"] != first
    assert abs(answer.json["expires"] - time.time() - TTL) < 60
    assert answer.headers["Set-Cookie"].startswith(f"{cookie}; Max-Age={TTL};")

    pass_time(TTL // 2 + 1)
    assert_problem(begun.site.call("status", begun), 410, "ticket-expired")
    begun.ticket = answer.json["ticket"]
    assert len(begun.status()["stored"]) == 3
    assert begun.complete().json["upload"]["id"] == begun.id


def test_it_is_renewed_as_often_as_needed_and_temp_urls_live_as_long_as_ever(
    local_site: Site, pass_time: PassTime
) -> None:
    begun = Site(local_site.storage, ticket_ttl=TTL).begin(SEVERAL)
    for index, piece in enumerate(begun.pieces()):
        pass_time(TTL - 100)
        answer = begun.site.request(
            "POST", f"/uploads/{begun.id}/segments", json={"indexes": [index]}, ticket=begun.ticket
        )
        [segment] = answer.json["segments"]
        assert segment["expires"] - time.time() > 800
        begun.ticket, begun.urls[index] = answer.json["ticket"], segment["url"]
        assert begun.put(index, piece).status == 201
    assert begun.complete().status_int == 200


def test_only_its_owner_has_it_renewed(local_site: Site, pass_time: PassTime) -> None:
    site = Site(local_site.storage, ticket_ttl=TTL)
    begun = site.begin(ONE)
    pass_time(TTL // 2 + 1)
    for stranger in (site.new_browser("ann"), site.new_browser("bob")):
        answer = site.call("status", begun, browser=stranger)
        assert_problem(answer, 403, "not-yours")
    renewed = site.call("status", begun).json["ticket"]
    for call in ("sign", "status", "complete", "abort"):
        assert_problem(site.call(call, begun, ticket=renewed, browser=site.new_browser("bob")), 403, "not-yours")


def test_an_aborted_upload_stays_aborted_for_every_ticket(begun: BegunUpload, pass_time: PassTime) -> None:
    first = begun.ticket
    pass_time(TTL // 2 + 1)
    begun.ticket = begun.site.call("status", begun).json["ticket"]
    assert begun.site.call("abort", begun, ticket=first).status_int == 204
    for ticket in (first, begun.ticket):
        assert_problem(begun.site.call("status", begun, ticket=ticket), 404, "not-found")


def test_a_finished_upload_needs_no_ticket(begun: BegunUpload, pass_time: PassTime) -> None:
    begun.send()
    begun.complete()
    pass_time(TTL // 2 + 1)
    assert set(begun.status()) == {"id", "state", "stored", "receipt"}
