"""By way of Uppy's protocol: keys that are seen in a log, sizes that nobody told, parts that nobody counted."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import Any

import pytest
from helpers.companion import CALLS, FILE, PART, Multipart
from helpers.uploads import SEVERAL, Site, assert_problem
from security.conftest import MakeSite

from direct_upload_middleware import Refused, UploadRequest


@pytest.mark.parametrize("call", CALLS)
def test_a_stolen_key_does_nothing_and_reveals_nothing(site: Site, call: str) -> None:
    """S1. A key is a ticket, and stands in addresses, which servers log. Notices when it is not compared with identity
    and cookie.
    """
    upload = Multipart(site, SEVERAL)
    upload.send()
    another_user, without_cookie = site.new_browser("bob"), site.new_browser("ann")
    another_user.cookiejar = site.browser.cookiejar
    another_cookie = site.new_browser("ann")
    another_cookie.extra_environ["HTTP_COOKIE"] = f"direct_upload={'0' * 32}; direct_upload_own={'1' * 32}"
    for browser in (another_user, without_cookie, another_cookie):
        answer = upload.call(call, browser=browser)
        assert_problem(answer, 403, "not-yours")
        assert "temp_url" not in answer.text
    nobody = site.new_browser(None)
    nobody.cookiejar = site.browser.cookiejar
    assert_problem(upload.call(call, browser=nobody), 401, "not-authenticated")
    assert upload.complete().status_int == 200, "the upload goes on"


@pytest.mark.parametrize("call", CALLS)
def test_the_cookie_of_one_upload_opens_no_other(site: Site, call: str) -> None:
    """Of several that a browser begins at once each has a cookie of its own. Notices when a ticket is bound to less."""
    uploads = [Multipart(site, SEVERAL, site.new_browser()) for _ in range(2)]
    headers = [upload.answer.headers.getall("Set-Cookie")[1] for upload in uploads]
    first, second = (SimpleCookie(header)["direct_upload_own"].value for header in headers)
    browser = site.new_browser()
    for upload, cookie, status in ((uploads[0], first, 200), (uploads[1], first, 403), (uploads[0], second, 403)):
        browser.extra_environ["HTTP_COOKIE"] = f"direct_upload_own={cookie}"
        answer = upload.call("list" if status == 200 else call, browser=browser)
        assert answer.status_int == status


@pytest.mark.parametrize("call", CALLS)
def test_a_ticket_is_no_key_and_a_key_no_ticket(site: Site, call: str) -> None:
    """What one promised about its size the other does not. Notices when both have the same salt."""
    begun, upload = site.begin(SEVERAL), Multipart(site, SEVERAL)
    assert_problem(upload.call(call, id=begun.id, key=begun.ticket), 403, "invalid-ticket")
    path = f"/uploads/{upload.id}"
    assert_problem(site.request("GET", path, ticket=upload.key), 403, "invalid-ticket")
    assert_problem(site.request("DELETE", path, ticket=upload.key), 403, "invalid-ticket")


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}], ids=str)
@pytest.mark.parametrize("call", CALLS)
def test_a_page_of_another_site_asks_for_nothing(site: Site, call: str, headers: dict[str, str]) -> None:
    """A signature is asked for by GET here. Notices when only what changes something is looked at."""
    upload = Multipart(site, SEVERAL)
    assert_problem(upload.call(call, headers=headers), 403, "cross-site")
    answer = site.request("POST", "/s3/multipart", json=FILE, headers=headers)
    assert_problem(answer, 403, "cross-site")
    assert "Set-Cookie" not in answer.headers


def _no_room(environ: Any, request: UploadRequest) -> None:
    if request.size > 2 * PART:
        raise Refused("There is no room left.")


@pytest.mark.parametrize("options", [{"max_size": 2 * PART}, {"authorize": _no_room}], ids=["max_size", "authorize"])
def test_an_unknown_size_is_measured(new_site: MakeSite, options: Any) -> None:
    """Notices when policy or application are not asked again before the seal."""
    upload = Multipart(new_site(**options), SEVERAL)
    upload.send()
    assert upload.complete().status_int == (413 if "max_size" in options else 403)
    assert "receipt" not in upload.complete().json


def test_parts_that_were_not_declared_are_not_left_behind(site: Site) -> None:
    """Nobody would count or find them. Notices when what is stored is not compared with what is declared."""
    upload = Multipart(site, SEVERAL)
    upload.send()
    assert_problem(upload.complete(upload.parts[:1]), 409, "segments-differ", indexes=[1, 2])


@pytest.mark.parametrize("data", [pytest.param(b"1", id="one part"), pytest.param(SEVERAL, id="several parts")])
def test_after_complete_no_temp_url_changes_a_part_or_adds_one(site: Site, data: bytes) -> None:
    """S3. Notices when the key is not taken away, also where there is one part alone."""
    upload = Multipart(site, data)
    upload.send()
    urls = [upload.request("GET", f"/{number}").json["url"] for number in range(1, len(upload.pieces) + 2)]
    done = upload.complete()
    assert {site.fetch("PUT", url, b"!" * PART).status for url in urls} == {401}
    assert site.download(done.json["download_url"]) == data
    assert_problem(upload.call("sign"), 409, "already-complete")
    assert_problem(upload.call("abort"), 409, "already-complete")
