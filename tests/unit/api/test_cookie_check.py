"""A page learns before it sends a file whether the browser sends the cookie back: it signs no segments."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.uploads import CALLS, Site, assert_problem

from direct_upload_middleware.errors import StorageUnavailable

pytest_plugins = ["helpers.fixtures"]


def fail(*_: Any, **__: Any) -> Any:
    raise StorageUnavailable("The storage was called.")


def test_signing_no_segments_checks_the_cookie_without_reading_the_storage(
    local_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = local_site.begin()
    monkeypatch.setattr(local_site.storage, "status", fail)
    path = f"/uploads/{begun.id}/segments"
    answer = local_site.request("POST", path, json={"indexes": []}, ticket=begun.ticket)
    assert (answer.status_int, answer.json["segments"]) == (200, [])
    other = local_site.request(
        "POST", path, json={"indexes": []}, ticket=begun.ticket, browser=local_site.new_browser()
    )
    assert_problem(other, 403, "not-yours")


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("cookie", "is_named"),
    [
        pytest.param(None, True, id="no cookie"),
        pytest.param("session=1; other=2", True, id="other cookies only"),
        pytest.param("direct_upload=" + "0" * 32, False, id="the cookie of another upload"),
    ],
)
def test_a_problem_names_the_cookie_that_the_browser_did_not_send(
    local_site: Site, call: str, cookie: str | None, is_named: bool
) -> None:
    begun = local_site.begin()
    browser = local_site.new_browser()
    if cookie:
        browser.extra_environ["HTTP_COOKIE"] = cookie
    answer = local_site.call(call, begun, browser=browser)
    assert_problem(answer, 403, "not-yours")
    assert ("cookie" in answer.json["detail"]) is is_named
