"""Receipts in the wrong hands, and such as nobody ever gave."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.uploads import ONE, SEVERAL, Site, assert_problem, spoilt
from itsdangerous import BadData
from security.conftest import MakeSite
from webtest import TestApp

from direct_upload_middleware import DirectUploadError, InvalidReceipt, NotYours


def submit(site: Site, receipt: str, browser: TestApp | None = None, **verify: Any) -> Any:
    """A form with the receipt reaches the application; the upload, or what ``verify`` raised."""

    def handle(uploads: Any) -> Any:
        try:
            return uploads.verify(receipt, **verify)
        except DirectUploadError as error:
            return error

    return site.uploads(handle, browser=browser)


@pytest.mark.parametrize("user", ["bob", None])
def test_anothers_receipt_in_a_form_is_not_yours(site: Site, user: str | None) -> None:
    """Notices when ``verify`` does not compare the owner."""
    receipt = site.upload(ONE).json["receipt"]
    other = site.new_browser(user)
    other.cookiejar = site.browser.cookiejar
    assert isinstance(submit(site, receipt, other), NotYours)
    assert submit(site, receipt, other, any_owner=True).owner == "ann"
    assert submit(site, receipt).filename == "report.pdf"


@pytest.mark.parametrize("user", ["bob", None])
def test_anothers_receipt_downloads_nothing(site: Site, user: str | None) -> None:
    """Notices when ``GET files/{receipt}`` answers other users."""
    receipt = site.upload(ONE).json["receipt"]
    answer = site.request("GET", f"/files/{receipt}", browser=site.new_browser(user))
    assert answer.status_int in (401, 403)
    assert "Location" not in answer.headers


@pytest.mark.parametrize("user", ["bob", None])
def test_anothers_receipt_removes_nothing(new_site: MakeSite, user: str | None) -> None:
    """Notices when ``DELETE files/{receipt}`` obeys other users."""
    removed: list[Any] = []
    site = new_site(on_remove=lambda environ, upload: removed.append(upload))
    done = site.upload(ONE).json
    other = site.new_browser(user)
    other.cookiejar = site.browser.cookiejar
    answer = site.request("DELETE", f"/files/{done['receipt']}", browser=other)
    assert answer.status_int in (401, 403)
    assert removed == []
    assert site.download(done["download_url"]) == ONE


def test_a_page_of_another_site_removes_nothing(new_site: MakeSite) -> None:
    """Notices when ``DELETE files/{receipt}`` believes every page."""
    site = new_site(on_remove=lambda environ, upload: None)
    done = site.upload(ONE).json
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        assert_problem(site.request("DELETE", f"/files/{done['receipt']}", headers=headers), 403, "cross-site")
    assert site.download(done["download_url"]) == ONE


def test_without_on_remove_a_receipt_removes_nothing(site: Site) -> None:
    """Notices when a script in a page can delete what the application relies on."""
    done = site.upload(ONE).json
    assert_problem(site.request("DELETE", f"/files/{done['receipt']}"), 403, "refused")
    assert site.download(done["download_url"]) == ONE


def test_an_anonymous_receipt_is_for_its_browser(new_site: MakeSite) -> None:
    """Notices when an upload without an owner is everybody's."""
    site = new_site(anonymous=True, user=None)
    receipt = site.upload(ONE).json["receipt"]
    assert submit(site, receipt).owner is None
    assert isinstance(submit(site, receipt, site.new_browser(None)), NotYours)
    assert isinstance(submit(site, receipt, site.new_browser("bob")), NotYours)


def test_no_character_of_a_receipt_can_be_changed(site: Site) -> None:
    """S2. Notices when the signature is not verified, or another spelling of it passes."""
    receipt = site.upload(SEVERAL).json["receipt"]
    for changed in spoilt(receipt):
        assert isinstance(submit(site, changed, any_owner=True), InvalidReceipt), changed


def test_a_ticket_is_no_receipt_and_a_receipt_is_no_ticket(site: Site) -> None:
    """Notices when both are signed with one salt."""
    begun = site.begin(ONE)
    begun.send()
    receipt = begun.complete().json["receipt"]
    assert isinstance(submit(site, begun.ticket, any_owner=True), InvalidReceipt)
    assert_problem(site.call("status", begun, ticket=receipt), 403, "invalid-ticket")
    with pytest.raises(BadData):  # not for its form alone
        site.middleware._uploads.receipts._tokens.loads(begun.ticket)


def test_a_receipt_of_another_secret_is_invalid(new_site: MakeSite) -> None:
    """Two applications may share a container, not a secret."""
    other = new_site(secret="another application's")
    receipt = other.upload(ONE).json["receipt"]
    assert isinstance(submit(new_site(container=other.storage.container), receipt), InvalidReceipt)
