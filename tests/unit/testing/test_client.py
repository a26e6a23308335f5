"""What applications get for their own tests."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from helpers.uploads import SEGMENT, Site
from webtest import AppError

from direct_upload_middleware.storage.local import LocalStorage
from direct_upload_middleware.testing import FAILURES, upload_file, upload_files

pytest_plugins = ["pytester"]

CONTENTS = [
    pytest.param(b"", id="no bytes"),
    pytest.param(b"short", id="one segment"),
    pytest.param(b"x" * (SEGMENT * 130 + 3), id="more segments than are signed at once"),
]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(LocalStorage(tmp_path / "uploads"))


def contents(site: Site, receipt: str) -> bytes:
    def read(uploads: Any) -> bytes:
        with uploads.open(uploads.verify(receipt)) as file:
            return bytes(file.read())

    stored: bytes = site.uploads(read)
    return stored


@pytest.mark.parametrize("data", CONTENTS)
def test_a_file_of_any_size_is_uploaded(site: Site, data: bytes) -> None:
    assert contents(site, upload_file(site.browser, "report.pdf", data)) == data


def test_data_may_be_an_open_file(site: Site) -> None:
    file = io.BytesIO(b"0123456789 and more")
    file.seek(5)
    assert contents(site, upload_file(site.browser, "report.pdf", file)) == b"0123456789 and more"


def test_upload_files_returns_one_receipt_per_file(site: Site) -> None:
    receipts = upload_files(site.browser, [("1.png", b"1"), ("2.png", b"2")], content_type="image/png")
    uploads = site.uploads(lambda uploads: uploads.verify_all(receipts))
    assert [(upload.filename, upload.type) for upload in uploads] == [("1.png", "image/png"), ("2.png", "image/png")]


@pytest.mark.parametrize("script_name", ["", "/sub dir"])
def test_the_application_may_have_a_script_name(tmp_path: Path, script_name: str) -> None:
    site = Site(LocalStorage(tmp_path), script_name=script_name)
    assert contents(site, upload_file(site.browser, "report.pdf", b"data")) == b"data"


@pytest.mark.parametrize("data", CONTENTS)
@pytest.mark.parametrize("code", FAILURES)
def test_fail_with_makes_an_upload_fail(site: Site, code: str, data: bytes) -> None:
    with pytest.raises(AppError, match=f'"code":"{code}"'):
        upload_file(site.browser, "report.pdf", data, fail_with=code)


def test_after_a_failure_the_next_upload_succeeds(site: Site) -> None:
    for code in FAILURES:
        with pytest.raises(AppError):
            upload_file(site.browser, "report.pdf", b"data", fail_with=code)
    assert upload_file(site.browser, "report.pdf", b"data")


def test_an_unknown_failure_is_refused(site: Site) -> None:
    with pytest.raises(ValueError, match="segments-missing, segments-differ"):
        upload_file(site.browser, "report.pdf", b"data", fail_with="segments-lost")


# -- the plugin ------------------------------------------------------------------------------------------------

APPLICATIONS_TEST = """
from webtest import TestApp
from direct_upload_middleware import DirectUploadMiddleware

def page(environ, start_response):
    upload = environ["direct_upload.uploads"].verify(environ["QUERY_STRING"])
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{upload.filename} in {upload.container}".encode()]

def test_upload(direct_uploads):
    app = DirectUploadMiddleware(page, direct_uploads.storage, secret=direct_uploads.secret)
    app = TestApp(app, extra_environ={"REMOTE_USER": "ann"})
    receipt = direct_uploads.upload(app, "report.pdf", b"data")
    print(app.get("/?" + receipt).text)
    assert direct_uploads.secret not in repr(direct_uploads)
"""
CONFTEST = 'pytest_plugins = ["direct_upload_middleware.testing.pytest_plugin"]'


@pytest.mark.parametrize(
    ("options", "container"),
    [
        pytest.param([], "report.pdf in uploads", id="local by default"),
        pytest.param(["--direct-uploads-swift"], "report.pdf in test-*", id="real Swift by the flag"),
    ],
)
def test_the_fixture_gives_a_storage(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, options: list[str], container: str
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(APPLICATIONS_TEST)
    outcome = pytester.runpytest_subprocess("-s", *options, timeout=120)
    outcome.assert_outcomes(passed=1)
    outcome.stdout.fnmatch_lines([f"*{container}*"])
