"""A name in storage that is given twice: what an old receipt still does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from helpers.uploads import ONE, SEVERAL, Site, assert_problem
from security.conftest import MakeSite

BOTH = [
    pytest.param(ONE, id="one segment"),
    pytest.param(SEVERAL, id="several segments"),
    pytest.param(b"", id="empty"),
]


@pytest.fixture(params=["swift", "local"])
def site(request: pytest.FixtureRequest, new_site: MakeSite, tmp_path: Path) -> Site:
    options: dict[str, Any] = {"object_name": lambda environ, wanted: "avatars/current"}
    return new_site(**options) if request.param == "swift" else Site(f"local:{tmp_path}", **options)


def give_name_again(site: Site, data: bytes, other: bytes) -> tuple[str, str]:
    """The receipts of ann's deleted upload and of bob's, which has its name now."""
    old = site.upload(data).json["receipt"]
    site.uploads(lambda uploads: uploads.delete(uploads.verify(old)))
    site.log_in("bob")
    new = site.upload(other).json["receipt"]
    site.log_in("ann")
    return old, new


@pytest.mark.parametrize("data", BOTH)
def test_an_old_receipt_does_not_download_the_file_that_has_its_name_now(site: Site, data: bytes) -> None:
    """Notices when ``GET files/{receipt}`` signs without a look at the object's id."""
    old, new = give_name_again(site, data, b"bob's secret")
    assert_problem(site.request("GET", f"/files/{old}"), 404, "not-found")
    site.log_in("bob")
    assert site.download(site.request("GET", f"/files/{new}").headers["Location"]) == b"bob's secret"


@pytest.mark.parametrize("data", BOTH)
def test_deleting_by_an_old_receipt_removes_nothing_else(site: Site, data: bytes) -> None:
    """Notices when ``delete`` does not compare the object's id; also where the content is the same."""
    for other in (b"bob's secret", data):
        old, new = give_name_again(site, data, other)
        site.uploads(lambda uploads, old=old: uploads.delete(uploads.verify(old)))
        site.log_in("bob")
        assert site.download(site.request("GET", f"/files/{new}").headers["Location"]) == other
        site.uploads(lambda uploads, new=new: uploads.delete(uploads.verify(new)))
        site.log_in("ann")
