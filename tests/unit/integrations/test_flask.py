"""Uploads in a Flask application."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from wsgiref.validate import validator

import pytest
from flask import Flask, Response, render_template_string, request, session
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from helpers.invalid_receipts import INVALID_RECEIPTS
from webtest import TestApp

from direct_upload_middleware import ConfigurationError, Refused, StorageUnavailable, Upload
from direct_upload_middleware.integrations.flask import DirectUpload, current_uploads
from direct_upload_middleware.testing import upload_file

BODY = {"filename": "report.pdf", "size": 4, "type": "application/pdf"}


@pytest.fixture
def flask_app(tmp_path: Path) -> Flask:
    """An application that keeps its user in the session."""
    app = Flask(__name__)
    app.config.update(SECRET_KEY="a secret of the tests", DIRECT_UPLOAD_STORAGE=f"local:{tmp_path}", TESTING=True)

    @app.get("/log_in/<user>")
    def log_in(user: str) -> str:
        session["user_id"] = user
        return "in"

    @app.get("/log_out")
    def log_out() -> str:
        session.clear()
        return "out"

    @app.get("/form")
    def form() -> str:
        return '<form><input type="file" name="document" data-direct-upload></form>'

    @app.post("/submit")
    def submit() -> dict[str, Any]:
        upload = current_uploads.verify(request.form["document"])
        with current_uploads.open(upload) as file:
            return {"filename": upload.filename, "owner": upload.owner, "content": file.read().decode()}

    @app.errorhandler(403)
    def forbidden(error: Any) -> tuple[str, int]:
        return f"Our own page: {error.description}", 403

    return app


def browser(app: Flask, **options: Any) -> TestApp:
    DirectUpload(**options).init_app(app)
    return TestApp(validator(app))


def test_the_user_of_the_session_uploads_and_a_view_verifies(flask_app: Flask) -> None:
    app = browser(flask_app)
    app.get("/log_in/ann")
    receipt = upload_file(app, "report.pdf", b"data")
    answer = app.post("/submit", {"document": receipt})
    assert answer.json == {"filename": "report.pdf", "owner": "ann", "content": "data"}


def test_the_script_is_inserted_into_the_page(flask_app: Flask) -> None:
    app = browser(flask_app)
    assert app.get("/form").html.find("script")["src"] == "/_upload/static/direct-upload.js"


def test_uploads_require_a_login(flask_app: Flask) -> None:
    app = browser(flask_app)
    assert app.post_json("/_upload/uploads", BODY, status=401).json["code"] == "not-authenticated"
    app.get("/log_in/ann")
    app.post_json("/_upload/uploads", BODY, status=201)
    app.get("/log_out")
    assert app.post_json("/_upload/uploads", BODY, status=401).json["code"] == "not-authenticated"


def test_an_unreadable_session_is_not_logged_in(flask_app: Flask) -> None:
    app = browser(flask_app)
    forged = {"Cookie": "session=eyJ1c2VyX2lkIjoiYW5uIn0.a.b"}
    answer = app.post_json("/_upload/uploads", BODY, headers=forged, status=401)
    assert answer.json["code"] == "not-authenticated"


def test_without_a_secret_key_there_is_no_user(flask_app: Flask) -> None:
    flask_app.secret_key = None
    app = browser(flask_app)
    assert app.post_json("/_upload/uploads", BODY, status=401).json["code"] == "not-authenticated"


def test_the_session_key_can_be_configured(flask_app: Flask) -> None:
    flask_app.config["DIRECT_UPLOAD_SESSION_KEY"] = "account"
    flask_app.add_url_rule("/account", view_func=lambda: session.update(account=7) or "in", endpoint="account")
    app = browser(flask_app)
    app.get("/account")
    receipt = upload_file(app, "report.pdf", b"data")
    assert app.post("/submit", {"document": receipt}).json["owner"] == "7"


# -- Flask-Login -----------------------------------------------------------------------------------------------


class User(UserMixin):
    def __init__(self, id: str) -> None:
        self.id = id


@pytest.fixture
def with_flask_login(flask_app: Flask) -> Flask:
    manager = LoginManager(flask_app)
    flask_app.config["users"] = {"ann", "bob"}

    @manager.user_loader
    def load(id: str) -> User | None:
        return User(id) if id in flask_app.config["users"] else None

    @flask_app.get("/enter/<user>")
    def enter(user: str) -> str:
        login_user(User(user), remember="remember" in request.args)
        return "in"

    @flask_app.get("/leave")
    def leave() -> str:
        logout_user()
        return "out"

    return flask_app


def test_the_user_of_flask_login_uploads(with_flask_login: Flask) -> None:
    app = browser(with_flask_login)
    app.get("/enter/ann")
    receipt = upload_file(app, "report.pdf", b"data")
    assert app.post("/submit", {"document": receipt}).json["owner"] == "ann"
    app.get("/leave")
    assert app.post_json("/_upload/uploads", BODY, status=401).json["code"] == "not-authenticated"


def test_a_user_remembered_by_flask_login_can_upload(with_flask_login: Flask) -> None:
    app = browser(with_flask_login)
    app.get("/enter/ann?remember")
    app.cookiejar.clear("localhost.local", "/", "session")
    app.post_json("/_upload/uploads", BODY, status=201)


def test_a_deleted_user_is_not_logged_in(with_flask_login: Flask) -> None:
    app = browser(with_flask_login)
    app.get("/enter/ann")
    with_flask_login.config["users"].clear()
    assert app.post_json("/_upload/uploads", BODY, status=401).json["code"] == "not-authenticated"


# -- the application's callables -------------------------------------------------------------------------------


def test_callables_run_in_a_request_context_that_is_torn_down(with_flask_login: Flask) -> None:
    seen: list[Any] = []

    def on_complete(environ: Any, upload: Upload) -> None:
        seen.append(("complete", current_user.id, upload.filename, request.path))

    @with_flask_login.teardown_request
    def teardown(error: BaseException | None) -> None:
        seen.append("torn down")

    app = browser(with_flask_login, on_complete=on_complete)
    app.get("/enter/ann")
    upload_file(app, "report.pdf", b"data")
    [complete] = [item for item in seen if item[0] == "complete"]
    assert complete[:3] == ("complete", "ann", "report.pdf")
    assert complete[3].endswith("/complete")
    assert seen[seen.index(complete) + 1] == "torn down"


def test_on_remove_runs_in_a_request_context(with_flask_login: Flask) -> None:
    removed = []

    def on_remove(environ: Any, upload: Upload) -> None:
        removed.append((current_user.id, upload.filename))

    app = browser(with_flask_login, on_remove=on_remove)
    app.get("/enter/ann")
    app.delete(f"/_upload/files/{upload_file(app, 'report.pdf', b'data')}", status=204)
    assert removed == [("ann", "report.pdf")]


def test_a_refusal_reaches_the_client(flask_app: Flask) -> None:
    def authorize(environ: Any, wanted: Any) -> None:
        raise Refused(f"No, {session['user_id']}.")

    app = browser(flask_app, authorize=authorize)
    app.get("/log_in/ann")
    assert app.post_json("/_upload/uploads", BODY, status=403).json["detail"] == "No, ann."


# -- bad input -------------------------------------------------------------------------------------------------


@INVALID_RECEIPTS
def test_an_invalid_receipt_shows_the_applications_403_page(
    flask_app: Flask, spoil: Callable[[TestApp, str], str], says: str
) -> None:
    app = browser(flask_app)
    app.get("/log_in/ann")
    receipt = spoil(app, upload_file(app, "report.pdf", b"data"))
    assert app.post("/submit", {"document": receipt}, status=403).text.startswith(says)


def test_an_unavailable_storage_is_503_with_retry_after(flask_app: Flask) -> None:
    def away() -> Response:
        raise StorageUnavailable(retry_after=7)

    flask_app.add_url_rule("/away", view_func=away)
    answer = browser(flask_app).get("/away", status=503)
    assert answer.headers["Retry-After"] == "7"
    assert "Storage cannot be reached" in answer.text


@pytest.mark.parametrize(
    ("config", "message"),
    [
        pytest.param({"DIRECT_UPLOAD_MAXSIZE": 5}, "did you mean 'DIRECT_UPLOAD_MAX_SIZE'", id="misspelled"),
        pytest.param({"DIRECT_UPLOAD_PARALLEL": 0}, "parallel", id="a wrong value"),
    ],
)
def test_a_wrong_configuration_is_refused_at_once(flask_app: Flask, config: dict[str, Any], message: str) -> None:
    flask_app.config.update(config)
    with pytest.raises(ConfigurationError, match=message):
        DirectUpload(flask_app)


def test_arguments_override_the_configuration(flask_app: Flask) -> None:
    flask_app.config["DIRECT_UPLOAD_MAX_SIZE"] = 1
    app = browser(flask_app, max_size=3)
    app.get("/log_in/ann")
    app.post_json("/_upload/uploads", BODY | {"size": 3}, status=201)
    assert app.post_json("/_upload/uploads", BODY, status=413).json["code"] == "too-large"


def test_init_app_twice_is_an_error(flask_app: Flask) -> None:
    uploads = DirectUpload(flask_app)
    with pytest.raises(ConfigurationError, match="already"):
        uploads.init_app(flask_app)


def test_receipts_stay_valid_after_the_secret_key_changes(flask_app: Flask, tmp_path: Path) -> None:
    app = browser(flask_app)
    app.get("/log_in/ann")
    receipt = upload_file(app, "report.pdf", b"data")
    new = Flask("new")
    new.config.update(
        SECRET_KEY="a new secret",
        SECRET_KEY_FALLBACKS=["a secret of the tests"],
        DIRECT_UPLOAD_STORAGE=f"local:{tmp_path}",
    )
    new.add_url_rule("/", view_func=lambda: current_uploads.verify(receipt, any_owner=True).filename)
    assert browser(new).get("/").text == "report.pdf"


def test_outside_the_middleware_the_error_names_the_remedy(flask_app: Flask) -> None:
    with flask_app.test_request_context("/"), pytest.raises(ConfigurationError, match="Wrap the application"):
        current_uploads.verify("x")


# -- templates and commands ------------------------------------------------------------------------------------


def test_templates_have_the_field_and_the_script(flask_app: Flask) -> None:
    app = browser(flask_app)

    @flask_app.get("/templates")
    def templates() -> str:
        field = (
            "direct_upload_field('document', multiple=True, required=True, accept='.pdf', id='d', receipts=receipts)"
        )
        source = f"{{{{ {field} }}}}{{{{ direct_upload_script(nonce='n') }}}}"
        return render_template_string(source, receipts=request.args.getlist("receipt"))

    app.get("/log_in/ann")
    page = app.get("/templates").html
    assert len(page.select('script[src="/_upload/static/direct-upload.js"][nonce=n]')) == 1
    [field] = page.select("direct-upload#d[name=document][multiple][required][accept='.pdf']")
    assert {"multiple", "required"} <= set(field.input.attrs)
    receipt = upload_file(app, "<a>.pdf", b"data")
    [field] = app.get("/templates", {"receipt": receipt}).html.select("direct-upload")
    assert field["data-receipts"] == f'["{receipt}"]'
    assert field.text.strip() == "<a>.pdf"
    assert "required" not in field.select_one("[type=file]").attrs


def test_the_command_runs_with_the_applications_storage(flask_app: Flask, tmp_path: Path) -> None:
    browser(flask_app)
    ran = flask_app.test_cli_runner().invoke(args=["direct-upload", "sweep", "--older-than", "2d", "--dry-run"])
    assert (ran.exit_code, "Would remove nothing" in ran.output) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["sweep"], "--older-than", id="an option is missing"),
        pytest.param(["doctor", "--origin", "https://example.com"], "Swift storages only", id="not for this storage"),
        pytest.param(["demo"], "demo", id="no such command"),
    ],
)
def test_a_command_that_fails_says_why(flask_app: Flask, arguments: list[str], message: str) -> None:
    browser(flask_app)
    ran = flask_app.test_cli_runner().invoke(args=["direct-upload", *arguments])
    assert ran.exit_code != 0
    assert message in ran.output
    assert "Traceback" not in ran.output
