"""Tickets in the wrong hands: replayed, shared, raced, outlived."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from helpers.uploads import CALLS, ONE, SECRET, SEVERAL, BegunUpload, Site, assert_problem
from security.conftest import MakeSite
from webtest import TestApp, TestResponse

from direct_upload_middleware.keys import Keys
from direct_upload_middleware.tokens.signed import Scope, Tokens

NEW_SECRET = "the new secret of the tests"
BOTH = [pytest.param(ONE, id="one segment"), pytest.param(SEVERAL, id="several segments")]


def thief(site: Site, who: str) -> TestApp:
    """Another browser, which has stolen what ``who`` names."""
    browser = site.new_browser({"another user": "bob", "nobody": None}.get(who, "ann"))
    if who in ("another user", "nobody"):  # with the victim's cookie
        browser.cookiejar = site.browser.cookiejar
    if who == "the user with another cookie":
        browser.extra_environ["HTTP_COOKIE"] = "direct_upload=" + "0" * 32
    return browser


@pytest.mark.parametrize("who", ["another user", "nobody", "the user without cookie", "the user with another cookie"])
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("data", BOTH)
def test_a_stolen_ticket_does_nothing_and_reveals_nothing(site: Site, data: bytes, call: str, who: str) -> None:
    """S1. Notices when ``Requester.check_ticket`` does not raise, or leaves identity or cookie out of the binding."""
    begun = site.begin(data)
    begun.send()
    answer = site.call(call, begun, browser=thief(site, who))
    if who == "nobody":
        assert_problem(answer, 401, "not-authenticated")
    else:
        assert_problem(answer, 403, "not-yours")
    for told in (begun.id, "temp_url", site.storage.container):
        assert told not in answer.text
    assert begun.complete().status_int == 200, "the victim's upload goes on"


@pytest.mark.parametrize("call", CALLS)
def test_a_ticket_is_invalid_for_another_upload_of_its_owner(site: Site, call: str) -> None:
    """Notices when ``Tickets.read`` does not compare the upload's id."""
    victim, own = site.begin(SEVERAL), site.begin(SEVERAL)
    assert_problem(site.call(call, victim, ticket=own.ticket), 403, "invalid-ticket")


@pytest.mark.parametrize("data", BOTH)
def test_one_ticket_used_many_times_at_once_makes_one_upload_or_none(site: Site, data: bytes) -> None:
    """R2 under attack: completes and signs of one ticket, all at once, make one upload with one receipt.

    Notices when the final name is written without ``If-None-Match``, or when sealing opens an upload that is complete.
    """
    begun = site.begin(data)
    begun.send()
    answers = at_once(begun, ["complete", "sign", "complete", "sign", "complete"])
    assert {answer.status_int for answer in answers} <= {200, 409, 503}
    receipts = {answer.json["receipt"] for answer in answers if "receipt" in answer.json}
    done = begun.complete()
    assert receipts | {done.json["receipt"]} == {done.json["receipt"]}
    urls = [s["url"] for answer in answers for s in answer.json.get("segments", [])] + list(begun.urls.values())
    statuses = {site.fetch("PUT", url, b"!" * len(begun.pieces()[0])).status for url in urls}
    assert len(begun.pieces()) == 1 or statuses == {401}
    assert site.download(done.json["download_url"]) == data


@pytest.mark.parametrize("data", BOTH)
def test_complete_and_abort_at_once_leave_the_right_bytes_or_none(site: Site, data: bytes) -> None:
    """S4. Either may win, or both give way to each other, but never both win. Notices when the loser leaves something
    in between; ``tests/unit/storage/swift/test_abort.py`` has every order of their requests.
    """
    begun = site.begin(data)
    begun.send()
    statuses = {answer.status_int for answer in at_once(begun, ["complete", "abort", "complete"])}
    assert statuses <= {200, 204, 404, 409, 503}
    assert not {200, 204} <= statuses
    last = begun.complete()
    if last.status_int == 200:
        for index, piece in enumerate(begun.pieces()):
            site.fetch("PUT", begun.urls[index], b"!" * len(piece))
        assert site.download(last.json["download_url"]) == data
    else:
        assert last.status_int in (404, 409)


@pytest.mark.parametrize("seal", ["revoke", "pin"])
@pytest.mark.parametrize("data", BOTH)
def test_an_abort_during_on_complete_wins(new_site: MakeSite, data: bytes, seal: str) -> None:
    """R2. Notices when complete does not look, after it has asked, whether the upload is still there."""
    answers: list[TestResponse] = []
    site = new_site(seal=seal, on_complete=lambda *_: answers.append(begun.abort()))
    begun = site.begin(data)
    begun.send()
    assert_problem(begun.complete(), 404, "not-found")
    assert [answer.status_int for answer in answers] == [204]
    assert_problem(site.call("status", begun), 404, "not-found")


def at_once(begun: BegunUpload, calls: list[str]) -> list[TestResponse]:
    """What the calls answer that the same browser makes at the same moment."""
    started = Barrier(len(calls))

    def run(call: str) -> TestResponse:
        browser = begun.site.new_browser()
        browser.cookiejar = begun.site.browser.cookiejar
        started.wait(timeout=30)
        return begun.site.call(call, begun, browser=browser)

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_logging_out_in_the_middle_ends_the_upload_until_the_same_user_is_back(site: Site) -> None:
    """Notices when the identity is asked for at the begin only."""
    begun = site.begin(SEVERAL)
    site.log_in(None)
    assert_problem(site.call("sign", begun), 401, "not-authenticated")
    site.log_in("bob")  # the next user at the same computer
    for call in CALLS:
        assert_problem(site.call(call, begun), 403, "not-yours")
    site.log_in("ann")
    begun.send()
    assert begun.complete().status_int == 200


def test_the_next_user_of_the_browser_gets_another_record_owner(site: Site) -> None:
    """What a page remembers of an upload, its name and ticket too, is locked with what only its owner is told. Notices
    when identity or cookie is left out of it, or when it can be read in a ticket.
    """
    begun = site.begin(ONE)
    of_ann = begun.answer.headers["Upload-Owner"]
    assert site.request("GET", "/owner").json == {"owner": of_ann}
    for browser in (thief(site, "another user"), thief(site, "the user with another cookie")):
        told = site.request("GET", "/owner", browser=browser).json["owner"]
        assert told[:32] != of_ann[:32]
        assert told[32:] != of_ann[32:]
    assert site.request("GET", "/owner", browser=thief(site, "the user without cookie")).json == {"owner": None}
    assert_problem(site.request("GET", "/owner", browser=thief(site, "nobody")), 401, "not-authenticated")
    assert of_ann[32:] not in str(
        Tokens(Keys([SECRET]), "ticket", Scope(str(site.storage.container), "/_upload")).loads(begun.ticket)
    )


def test_an_anonymous_ticket_is_the_browsers_alone(new_site: MakeSite) -> None:
    """Notices when a requester without identity is bound to nothing."""
    site = new_site(anonymous=True, user=None)
    begun = site.begin(ONE)
    begun.send()
    for call in CALLS:
        assert_problem(site.call(call, begun, browser=site.new_browser(None)), 403, "not-yours")
    assert begun.complete().status_int == 200


@pytest.mark.parametrize("data", BOTH)
def test_rotating_the_secret_in_the_middle_lets_uploads_finish(new_site: MakeSite, data: bytes) -> None:
    """Notices when only the newest secret verifies, or when the containers' keys do not follow it."""
    old = new_site(secret="the old secret of the tests")
    begun = old.begin(data)
    begun.put(0, begun.pieces()[0])
    new = new_site(
        container=old.storage.container, secret=["the old secret of the tests", "the new secret of the tests"]
    )
    new.browser.cookiejar = old.browser.cookiejar
    begun.site = new
    begun.sign(list(range(len(begun.pieces()))))
    begun.send()
    assert begun.complete().status_int == 200
    last = new_site(container=old.storage.container, secret=[NEW_SECRET])
    last.browser.cookiejar = old.browser.cookiejar
    assert_problem(last.call("status", begun), 403, "invalid-ticket")


@pytest.mark.parametrize("hours", [-1, 1])
@pytest.mark.parametrize("data", BOTH)
def test_a_clock_that_is_an_hour_wrong_neither_stops_uploads_nor_lengthens_temp_urls(
    new_site: MakeSite, monkeypatch: pytest.MonkeyPatch, data: bytes, hours: int
) -> None:
    """Temp URLs end by Swift's clock. Notices when ``SwiftClient.now`` is the application server's own."""
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 3600 * hours)
    site = new_site(url_ttl=60)
    begun = site.begin(data)
    assert all(now() < segment["expires"] < now() + 120 for segment in begun.segments)
    begun.send()
    done = begun.complete()
    assert done.status_int == 200
    assert site.download(done.json["download_url"]) == data


def test_an_expired_ticket_is_refused(new_site: MakeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Notices when ``check_fresh`` does not raise; and that a temp URL would outlive the ticket."""
    site = new_site(ticket_ttl=100, url_ttl=900)
    begun = site.begin(SEVERAL)
    assert all(segment["expires"] <= time.time() + 101 for segment in begun.segments)
    begun.send()
    for cookie in site.browser.cookiejar:
        cookie.expires = None  # this browser keeps it
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 101)
    for call in CALLS:
        assert_problem(site.call(call, begun), 410, "ticket-expired")
