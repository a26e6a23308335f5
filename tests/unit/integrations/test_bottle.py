"""Uploads in a Bottle application."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from wsgiref.validate import validator

import bottle
import pytest
from helpers.invalid_receipts import INVALID_RECEIPTS
from webtest import TestApp

from direct_upload_middleware import ConfigurationError, DirectUploadMiddleware, StorageUnavailable
from direct_upload_middleware.integrations.bottle import DirectUploadPlugin, cookie_user
from direct_upload_middleware.testing import upload_file

SECRET = "a secret of the tests"
BODY = {"filename": "report.pdf", "size": 4, "type": "application/pdf"}


@pytest.fixture
def site() -> bottle.Bottle:
    site = bottle.Bottle()
    site.catchall = False
    site.install(DirectUploadPlugin())

    @site.get("/log_in/<user>")
    def log_in(user: str) -> str:
        bottle.response.set_cookie("user", user, secret=SECRET, path="/")
        return "in"

    @site.get("/log_out")
    def log_out() -> str:
        bottle.response.delete_cookie("user", path="/")
        return "out"

    @site.get("/form")
    def form() -> str:
        return '<form><input type="file" name="document" data-direct-upload></form>'

    @site.post("/submit/<kind>")
    def submit(kind: str, uploads: Any) -> dict[str, Any]:
        upload = uploads.verify(bottle.request.forms.document)
        with uploads.open(upload) as file:
            return {kind: upload.filename, "owner": upload.owner, "content": file.read().decode()}

    @site.error(403)
    def forbidden(error: bottle.HTTPError) -> str:
        return f"Our own page: {error.body}"

    return site


@pytest.fixture
def app(site: bottle.Bottle, tmp_path: Path) -> TestApp:
    identify = cookie_user("user", SECRET)
    return TestApp(validator(DirectUploadMiddleware(validator(site), f"local:{tmp_path}", identify=identify)))


def test_a_callback_with_the_parameter_gets_the_uploads(app: TestApp) -> None:
    app.get("/log_in/ann")
    receipt = upload_file(app, "report.pdf", b"data")
    answer = app.post("/submit/file", {"document": receipt})
    assert answer.json == {"file": "report.pdf", "owner": "ann", "content": "data"}


def test_the_script_is_inserted_into_the_page(app: TestApp) -> None:
    assert app.get("/form").html.find("script")["src"] == "/_upload/static/direct-upload.js"


def test_uploads_require_a_login(app: TestApp) -> None:
    assert app.post_json("/_upload/uploads", BODY, status=401).json["code"] == "not-authenticated"
    app.get("/log_in/ann")
    app.post_json("/_upload/uploads", BODY, status=201)
    app.get("/log_out")
    assert app.post_json("/_upload/uploads", BODY, status=401).json["code"] == "not-authenticated"


@pytest.mark.parametrize("cookie", ["ann", '"!x?y"', "!"])
def test_a_forged_cookie_is_not_logged_in(app: TestApp, cookie: str) -> None:
    answer = app.post_json("/_upload/uploads", BODY, headers={"Cookie": f"user={cookie}"}, status=401)
    assert answer.json["code"] == "not-authenticated"


@INVALID_RECEIPTS
def test_an_invalid_receipt_shows_the_applications_403_page(
    app: TestApp, spoil: Callable[[TestApp, str], str], says: str
) -> None:
    app.get("/log_in/ann")
    receipt = spoil(app, upload_file(app, "report.pdf", b"data"))
    assert app.post("/submit/file", {"document": receipt}, status=403).text.startswith(says)


def test_an_unavailable_storage_is_503_with_retry_after(site: bottle.Bottle, app: TestApp) -> None:
    @site.get("/away")
    def away(uploads: Any) -> None:
        raise StorageUnavailable(retry_after=7)

    answer = app.get("/away", status=503)
    assert answer.headers["Retry-After"] == "7"
    assert "Storage cannot be reached" in answer.text


def test_without_the_middleware_the_error_names_the_remedy(site: bottle.Bottle) -> None:
    with pytest.raises(ConfigurationError, match="Wrap the application"):
        TestApp(site).post("/submit/file", {"document": "x"})


def test_the_parameters_name_can_be_changed_but_must_be_unique() -> None:
    site = bottle.Bottle()
    site.install(DirectUploadPlugin())
    site.install(DirectUploadPlugin(keyword="files"))
    with pytest.raises(bottle.PluginError, match="'files'"):
        site.install(DirectUploadPlugin(keyword="files"))


# -- beaker ----------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Beaker
@pytest.mark.parametrize("is_outside", [True, False])
def test_the_middleware_of_a_session_is_outside(site: bottle.Bottle, tmp_path: Path, is_outside: bool) -> None:
    from beaker.middleware import SessionMiddleware

    @site.get("/enter/<user>")
    def enter(user: str) -> str:
        session = bottle.request.environ["beaker.session"]
        session["user"] = user
        session.save()
        return "in"

    def current_user(environ: dict[str, Any]) -> str | None:
        return environ["beaker.session"].get("user")

    def with_uploads(app: Any) -> Any:
        return DirectUploadMiddleware(app, f"local:{tmp_path}", identify=current_user)

    def with_sessions(app: Any) -> Any:
        return SessionMiddleware(app, {"session.type": "memory"})

    wrapped = with_sessions(with_uploads(site)) if is_outside else with_uploads(with_sessions(site))
    app = TestApp(wrapped)
    app.get("/enter/ann")
    if is_outside:
        receipt = upload_file(app, "report.pdf", b"data")
        assert app.post("/submit/file", {"document": receipt}).json["owner"] == "ann"
    else:
        assert app.post_json("/_upload/uploads", BODY, status=500).json["code"] == "application-error"
