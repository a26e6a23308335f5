"""A WTForms field in a Flask application with CSRF protection."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, jsonify, render_template_string, session
from flask_wtf import FlaskForm
from webtest import TestApp
from webtest import Upload as SentFile
from wtforms import StringField
from wtforms.validators import InputRequired, Length, ValidationError

from direct_upload_middleware.integrations.flask import DirectUpload
from direct_upload_middleware.integrations.wtforms import UploadField
from direct_upload_middleware.testing import UploadFailed, download_file, upload_file

PAGE = """<form method="post" enctype="multipart/form-data">{{ form.hidden_tag() }}
{% for field in form if field.name != "csrf_token" %}{{ field }} {{ field.errors|join }}{% endfor %}</form>"""


class DocumentForm(FlaskForm):
    title = StringField(validators=[Length(max=6)])
    document = UploadField(validators=[InputRequired()], accept=[".txt"])
    pictures = UploadField(multiple=True)

    def validate_document(self, field: UploadField) -> None:
        if field.data is not None and field.data.size == 13:
            raise ValidationError("Thirteen bytes bring bad luck.")


@pytest.fixture
def flask_app(tmp_path: Path) -> Flask:
    app = Flask(__name__)
    app.config.update(SECRET_KEY="a secret of the tests", DIRECT_UPLOAD_STORAGE=f"local:{tmp_path}")
    DirectUpload(app, max_size=100)

    @app.get("/log_in/<user>")
    def log_in(user: str) -> str:
        session["user_id"] = user
        return ""

    @app.route("/", methods=["GET", "POST"])
    def document() -> Any:
        form = DocumentForm()
        if not form.validate_on_submit():
            return render_template_string(PAGE, form=form)
        pictures = [picture.filename for picture in form.pictures.data]
        return jsonify(document=form.document.data.to_dict(), pictures=pictures)

    return app


@pytest.fixture
def app(flask_app: Flask) -> TestApp:
    app = TestApp(flask_app)
    app.get("/log_in/ann")
    return app


def test_the_form_has_uploads(app: TestApp) -> None:
    form = app.get("/").form
    assert {"data-direct-upload": "", "accept": ".txt", "required": ""}.items() <= form["document"].attrs.items()
    form["document"] = upload_file(app, "a.txt", b"data")
    form["pictures"] = [upload_file(app, name, b"data") for name in ("1.png", "2.png")]
    answer = form.submit().json
    assert (answer["document"]["filename"], answer["pictures"]) == ("a.txt", ["1.png", "2.png"])


def test_without_javascript_the_files_are_stored(app: TestApp) -> None:
    form = app.get("/").form
    form["document"] = SentFile("a.txt", b"data")
    form["pictures"] = [SentFile("1.png", b"data")]
    answer = form.submit().json
    assert (answer["document"]["size"], answer["pictures"]) == (4, ["1.png"])


def test_an_uploaded_file_stays_chosen_when_another_field_is_invalid(app: TestApp) -> None:
    form = app.get("/").form
    form["title"] = "too long"
    form["document"] = upload_file(app, "<b>.txt", b"data")
    page = form.submit()
    [kept] = page.html.select("label.direct-upload-kept")
    assert kept.text.strip() == "<b>.txt"
    page.form["title"] = "good"
    assert page.form.submit().json["document"]["filename"] == "<b>.txt"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        pytest.param("", "This field is required", id="nothing"),
        pytest.param("x" * 100, "no longer valid", id="no receipt"),
        pytest.param(SentFile("a.txt", b"x" * 101), "limit", id="too large"),
    ],
)
def test_an_error_is_an_error_of_the_field(app: TestApp, value: Any, message: str) -> None:
    form = app.get("/").form
    form["document"] = value
    page = form.submit()
    assert page.html is not None
    assert message in page.text or (message == "limit" and "101" not in page.text and "larger" in page.text)


def test_validators_see_the_upload(app: TestApp) -> None:
    form = app.get("/").form
    form["document"] = upload_file(app, "a.txt", b"thirteenbytes")
    assert "bad luck" in form.submit().text


def test_another_users_receipt_is_an_error(app: TestApp) -> None:
    receipt = upload_file(app, "a.txt", b"data")
    app.get("/log_in/bob")
    form = app.get("/").form
    form["document"] = receipt
    assert "another user" in form.submit().text


class ElementForm(FlaskForm):
    title = StringField(validators=[Length(max=6)])
    document = UploadField(validators=[InputRequired()], accept=[".txt"], multiple=True, element=True)


def test_the_field_can_be_an_element(flask_app: Flask) -> None:
    @flask_app.route("/element", methods=["GET", "POST"])
    def element() -> Any:
        form = ElementForm()
        if not form.validate_on_submit():
            return render_template_string(PAGE, form=form)
        return jsonify([upload.filename for upload in form.document.data])

    app = TestApp(flask_app)
    app.get("/log_in/ann")
    page = app.get("/element")
    [field] = page.html.select("direct-upload#document[name=document][multiple][required]")
    assert field["accept"] == ".txt"
    form = page.form
    form["title"] = "too long"
    form["document"] = [SentFile("a.txt", b"data")]
    [field] = form.submit().html.select("direct-upload")  # the file itself is not shown again, only receipts are
    assert "data-receipts" not in field.attrs
    receipt = upload_file(app, "b.txt", b"data")
    token = form["csrf_token"].value
    page = app.post("/element", {"csrf_token": token, "title": "too long", "document": receipt})
    assert json.loads(page.html.select_one("direct-upload")["data-receipts"]) == [receipt]
    assert app.post("/element", {"csrf_token": token, "title": "good", "document": receipt}).json == ["b.txt"]


# -- Flask's own client ----------------------------------------------------------------------------------------


def test_flasks_client_uploads_and_downloads(flask_app: Flask) -> None:
    from direct_upload_middleware.integrations.flask import current_uploads

    @flask_app.get("/download/<receipt>")
    def download(receipt: str) -> Any:
        from flask import redirect

        return redirect(current_uploads.download_url(current_uploads.verify(receipt)))

    client = flask_app.test_client()
    client.get("/log_in/ann")
    receipt = upload_file(client, "笑い話.txt", io.BytesIO(b"data"))
    file = download_file(client, f"/download/{receipt}")
    assert (file.filename, file.data) == ("笑い話.txt", b"data")


@pytest.mark.parametrize("code", ["cross-site", "segments-missing", "segments-differ", "invalid-ticket", "not-yours"])
def test_fail_with_works_with_flasks_client(flask_app: Flask, code: str) -> None:
    client = flask_app.test_client()
    client.get("/log_in/ann")
    with pytest.raises(UploadFailed, match=code):
        upload_file(client, "a.txt", b"data", fail_with=code)
    assert upload_file(client, "a.txt", b"data")


def test_flasks_client_works_below_a_prefix(flask_app: Flask) -> None:
    flask_app.config["APPLICATION_ROOT"] = "/app"
    client = flask_app.test_client()
    client.get("/log_in/ann")
    assert upload_file(client, "a.txt", b"data")


def test_another_client_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="WebTest, Flask, Werkzeug or Django"):
        upload_file(object(), "a.txt", b"data")
