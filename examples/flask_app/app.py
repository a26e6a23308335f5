"""The application: log in, upload documents, download them under their original names.

These parts deal with uploads: :func:`record`, ``current_uploads`` in the views, ``data-direct-upload`` in the
template, and the last lines of :func:`make_app`.
"""

from __future__ import annotations

import hmac
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, abort, current_app, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user, login_required, login_user, logout_user
from werkzeug.exceptions import HTTPException

from direct_upload_middleware import Upload
from direct_upload_middleware.integrations.flask import DirectUpload, current_uploads

from .models import PASSWORDS, Document, Documents, User

STYLE = Path(__file__).parents[1] / "style.css"

pages = Blueprint("pages", __name__)


def make_app(data: Path, storage: str, secret: str) -> Flask:
    """Return the application.

    :param data: the directory of the database.
    :param storage: a storage URL.
    :param secret: a long random string.
    """
    app = Flask(__name__)
    app.config.update(SECRET_KEY=secret, SESSION_COOKIE_NAME="flask_shelf", SESSION_COOKIE_SAMESITE="Lax")
    app.extensions["documents"] = Documents(data / "documents.sqlite3")
    app.register_blueprint(pages)
    app.register_error_handler(HTTPException, show_problem)
    logins = LoginManager(app)
    logins.login_view = "pages.log_in"
    logins.user_loader(lambda name: User(name) if name in PASSWORDS else None)
    DirectUpload(app, storage=storage, on_complete=record)
    return app


def documents() -> Documents:
    found: Documents = current_app.extensions["documents"]
    return found


def record(environ: dict[str, Any], upload: Upload) -> None:
    """Record a completed upload. It can be called more than once."""
    documents().record(upload)


@pages.get("/")
@login_required
def index() -> ResponseReturnValue:
    return render_template("documents.html", documents=documents().of(current_user.id))


@pages.post("/documents")
@login_required
def add() -> ResponseReturnValue:
    values = request.form.getlist("document") + request.files.getlist("document")
    for upload in current_uploads.from_form_all(values):
        documents().set_title(upload.id, request.form["title"].strip())
    return redirect(url_for("pages.index"), 303)


@pages.get("/documents/<id>")
@login_required
def download(id: str) -> ResponseReturnValue:
    return redirect(current_uploads.download_url(own(id).upload), 303)


@pages.post("/documents/<id>/delete")
@login_required
def delete(id: str) -> ResponseReturnValue:
    document = own(id)
    current_uploads.delete(document.upload)
    documents().remove(document)
    return redirect(url_for("pages.index"), 303)


def own(id: str) -> Document:
    """Return the document if it belongs to the user; otherwise, respond with 404."""
    return documents().find(id, current_user.id) or abort(404)


@pages.route("/login", methods=["GET", "POST"])
def log_in() -> ResponseReturnValue:
    notice = ""
    if request.method == "POST":
        name, password = request.form["username"], request.form["password"]
        if hmac.compare_digest(PASSWORDS.get(name, "").encode(), password.encode()) and password:
            login_user(User(name))
            return redirect(url_for("pages.index"), 303)
        notice = "Wrong username or password."
    return render_template("log_in.html", notice=notice, passwords=PASSWORDS), 403 if notice else 200


@pages.post("/logout")
def log_out() -> ResponseReturnValue:
    logout_user()
    return redirect(url_for("pages.log_in"), 303)


@pages.get("/style.css")
def style() -> ResponseReturnValue:
    return send_file(STYLE)


def show_problem(error: HTTPException) -> ResponseReturnValue:
    return render_template("problem.html", error=error), error.code or 500
