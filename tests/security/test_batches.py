"""Batches as a way around the checks of single calls."""

from __future__ import annotations

import pytest
from helpers.uploads import ONE, SEVERAL, Site, assert_problem
from security.conftest import MakeSite
from security.test_tickets import thief

WANTED = {"filename": "report.pdf", "size": 8, "type": ""}


@pytest.mark.parametrize("who", ["another user", "the user without cookie", "the user with another cookie"])
@pytest.mark.parametrize("data", [ONE, SEVERAL], ids=["one segment", "several segments"])
def test_a_stolen_ticket_among_own_ones_does_nothing_and_tells_nothing(site: Site, data: bytes, who: str) -> None:
    """S1. Notices when the owner of each item's ticket is not checked."""
    victims = site.begin(data)
    victims.send()
    browser = thief(site, who)
    own = site.batch("begin", [WANTED], browser=browser)
    [begun] = own.json["uploads"]
    items = [{"id": begun["id"], "ticket": begun["ticket"], "segments": []}, victims.batch_item]
    if who == "the user with another cookie":  # their ticket is not valid without the cookie that they got
        items[0] = victims.batch_item | {"id": "0" * 32}
    answer = site.batch("complete", items, browser=browser)
    first, second = answer.json["uploads"]
    assert first["code"] in ("segments-missing", "invalid-ticket")
    assert (second["status"], second["code"]) == (403, "not-yours")
    for told in (victims.id, "temp_url", site.storage.container):
        assert told not in str(second)
    assert victims.status()["state"] == "open"
    assert victims.complete().status_int == 200, "the victim's upload goes on"


def test_a_batch_has_a_hundred_items_at_most(new_site: MakeSite) -> None:
    """Notices when one call may begin any number of uploads."""
    asked: list[str] = []
    site = new_site(authorize=lambda environ, request: asked.append(request.filename))
    assert_problem(site.batch("begin", [WANTED] * 101), 422, "invalid-request", field="uploads")
    assert_problem(site.batch("complete", [{}] * 101), 422, "invalid-request", field="uploads")
    assert asked == []
    answer = site.batch("begin", [WANTED] * 100)
    assert [each["status"] for each in answer.json["uploads"]] == [201] * 100


def test_one_upload_many_times_in_a_batch_calls_the_application_once(new_site: MakeSite) -> None:
    """Notices when an upload counts several times."""
    called: list[str] = []
    site = new_site(on_complete=lambda environ, upload: called.append(upload.id))
    begun = site.begin(ONE)
    begun.send()
    first, *others = site.complete_all([begun.batch_item] * 50)
    assert first["status"] == 200
    assert {each["code"] for each in others} == {"invalid-request"}
    assert called == [begun.id]
