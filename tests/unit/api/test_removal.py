"""``DELETE files/{receipt}``: a visitor removes a finished upload, if the application has ``on_remove``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from helpers.uploads import EMPTY, ONE, SEVERAL, Site, assert_problem

from direct_upload_middleware import Refused, StorageUnavailable
from direct_upload_middleware.storage.local import LocalStorage

pytest_plugins = ["helpers.fixtures"]

DATA = [
    pytest.param(EMPTY, id="no bytes"),
    pytest.param(ONE, id="one segment"),
    pytest.param(SEVERAL, id="several segments"),
]


class Application:
    """Notes what is removed, and refuses or fails when a test says so."""

    def __init__(self) -> None:
        self.removed: list[tuple[str, str]] = []
        self.error: Exception | None = None

    def on_remove(self, environ: dict[str, Any], upload: Any) -> None:
        if self.error:
            raise self.error
        self.removed.append((environ["REMOTE_USER"], upload.filename))


@pytest.fixture
def application() -> Application:
    return Application()


@pytest.fixture
def local_site(tmp_path: Path, application: Application) -> Site:
    return Site(LocalStorage(tmp_path), on_remove=application.on_remove)


def remove(site: Site, receipt: str, **request: Any) -> Any:
    return site.request("DELETE", f"/files/{receipt}", **request)


def is_there(site: Site, receipt: str) -> bool:
    return site.request("GET", f"/files/{receipt}").status_int == 302


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("storage", ["local", "swift"])
def test_a_removed_upload_is_deleted_after_on_remove_returns(
    request: pytest.FixtureRequest, application: Application, storage: str, data: bytes, tmp_path: Path
) -> None:
    from helpers.uploads import swift_storage

    where = LocalStorage(tmp_path) if storage == "local" else swift_storage(request.getfixturevalue("swift_server"))
    site = Site(where, on_remove=application.on_remove)
    done = site.upload(data, filename="report.pdf").json
    answer = remove(site, done["receipt"])
    assert (answer.status_int, answer.body, answer.headers["Cache-Control"]) == (204, b"", "no-store")
    assert application.removed == [("ann", "report.pdf")]
    assert site.fetch("GET", done["download_url"]).status == 404
    assert remove(site, done["receipt"]).status_int == 204  # a retry


def test_without_on_remove_nothing_changes(tmp_path: Path) -> None:
    site = Site(LocalStorage(tmp_path))
    receipt = site.upload().json["receipt"]
    assert_problem(remove(site, receipt), 403, "refused")
    assert is_there(site, receipt)


def test_the_application_can_keep_it(local_site: Site, application: Application) -> None:
    receipt = local_site.upload().json["receipt"]
    application.error = Refused("Its form was sent.", 409)
    answer = remove(local_site, receipt)
    assert_problem(answer, 409, "refused")
    assert answer.json["detail"] == "Its form was sent."
    assert is_there(local_site, receipt)


def test_a_failing_callback_is_500_and_can_be_repeated(local_site: Site, application: Application) -> None:
    receipt = local_site.upload().json["receipt"]
    application.error = ZeroDivisionError()
    assert_problem(remove(local_site, receipt), 500, "application-error")
    assert is_there(local_site, receipt)
    application.error = None
    assert remove(local_site, receipt).status_int == 204
    assert not is_there(local_site, receipt)


def test_a_storage_that_is_away_is_503_and_a_retry_removes(
    local_site: Site, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = local_site.upload().json["receipt"]

    def away(*_: Any, **__: Any) -> None:
        raise StorageUnavailable(retry_after=7)

    with monkeypatch.context() as patched:
        patched.setattr(LocalStorage, "delete", away)
        assert_problem(remove(local_site, receipt), 503, "storage-unavailable")
    assert remove(local_site, receipt).status_int == 204
    assert len(application.removed) == 2


def test_a_removed_upload_cannot_come_back(local_site: Site) -> None:
    begun = local_site.begin()
    begun.send()
    remove(local_site, begun.complete().json["receipt"])
    assert begun.complete().status_int in (403, 404, 409, 410)
