"""A malicious page on another site: it makes the victim's browser ask, frames the API, loads it as a script."""

from __future__ import annotations

import itertools

import pytest
import requests
from helpers.uploads import ONE, SEVERAL, Site, assert_problem
from security.conftest import MakeSite

OWN = "http://localhost"
ORIGINS = {
    "none": None,
    "own": OWN,
    "own, other port": OWN + ":8443",
    "other": "https://evil.example",
    "null": "null",
    "own as a prefix": "http://localhost.evil.example",
    "own as a user": "http://localhost@evil.example",
    "empty": "",
}
SITES = [None, "same-origin", "none", "same-site", "cross-site", "", "SAME-ORIGIN"]
PASS = {("none", None), ("own", None), *itertools.product(ORIGINS, ("same-origin", "none"))}


@pytest.mark.parametrize("site_header", SITES)
@pytest.mark.parametrize("origin", ORIGINS)
def test_no_combination_of_headers_lets_another_origins_page_change_anything(
    site: Site, origin: str, site_header: str | None
) -> None:
    """Every changing call, with each combination of Origin and Sec-Fetch-Site; what a browser says of itself a page
    cannot change. Notices when ``check_same_site`` is left out of a call, or believes one header too much.
    """
    begun = site.begin(SEVERAL)
    given = {"Origin": ORIGINS[origin], "Sec-Fetch-Site": site_header}
    headers = {name: value for name, value in given.items() if value is not None}
    passes = (origin, site_header) in PASS
    base = f"/uploads/{begun.id}"
    for method, path, json in (
        ("POST", "/uploads", {"filename": "a", "size": 1, "type": ""}),
        ("POST", base + "/segments", {"indexes": [0]}),
        ("POST", base + "/complete", {"segments": begun.declared}),
        ("DELETE", base, None),
    ):
        answer = site.request(method, path, json=json, ticket=begun.ticket, headers=headers)
        if passes:
            assert answer.status_int in (200, 201, 204, 409)
        else:
            assert_problem(answer, 403, "cross-site")
            assert "Set-Cookie" not in answer.headers
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_form_of_another_site_cannot_send_json(site: Site, content_type: str) -> None:
    """What a page can send without a preflight is no JSON to us. Notices when the type of the body is not looked at."""
    app = site.browser
    body = b'{"filename": "a", "size": 1, "type": ""}'
    answer = app.post("/_upload/uploads", body, content_type=content_type, status="*")
    assert_problem(answer, 415, "unsupported-media-type")


def test_another_site_gets_no_leave_for_the_ticket_header(site: Site) -> None:
    """Without CORS a page of another origin can neither send a ticket nor read an answer."""
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    asked["Access-Control-Request-Headers"] = "upload-ticket"
    answer = site.request("OPTIONS", "/uploads/x", headers=asked)
    assert_problem(answer, 403, "cross-site")
    assert not any(name.lower().startswith("access-control") for name in answer.headers)


def test_answers_cannot_be_framed_or_loaded_as_a_script(site: Site) -> None:
    """Notices when an answer of the API lacks the headers that keep other sites from embedding it."""
    begun = site.begin(ONE)
    begun.send()
    done = begun.complete()
    for answer in (
        begun.answer,
        done,
        site.call("status", begun),
        site.request("GET", f"/files/{done.json['receipt']}"),
    ):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-site"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"


def test_the_cookie_does_not_go_along_from_another_site(site: Site) -> None:
    """Notices when the binding cookie is not ``SameSite=Strict``, or can be read by a script."""
    [cookie] = [value for value in site.begin(ONE).answer.headers.getall("Set-Cookie") if "direct_upload=" in value]
    attributes = {attribute.strip().lower() for attribute in cookie.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/"} <= attributes


@pytest.mark.parametrize("data", [pytest.param(ONE, id="one segment"), pytest.param(SEVERAL, id="several segments")])
def test_a_page_of_another_site_cannot_send_to_a_temp_url(new_site: MakeSite, data: bytes) -> None:
    """Swift answers a preflight for the pages that asked for an upload. Notices when CORS is opened to everybody."""
    url = new_site().begin(data).urls[0]  # no other origin has asked in its containers
    asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "etag"}
    assert requests.options(url, headers={"Origin": OWN, **asked}, timeout=30).status_code == 200
    refused = requests.options(url, headers={"Origin": "https://evil.example", **asked}, timeout=30)
    assert refused.status_code == 401
    assert "Access-Control-Allow-Origin" not in refused.headers
