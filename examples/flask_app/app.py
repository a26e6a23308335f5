"""The application: log in, upload documents, download them under their original names.

These parts deal with uploads: :func:`record`, :func:`forget` and :func:`clean_up`, ``current_uploads`` in the views,
``<direct-upload>`` in the template, and the last line of :func:`make_app`.
"""

from __future__ import annotations

import hmac
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, abort, current_app, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user, login_required, login_user, logout_user
from werkzeug.exceptions import HTTPException

from direct_upload_middleware import Refused, Upload
from direct_upload_middleware.integrations.flask import DirectUpload, current_uploads

from ..sizes import readable_size
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
    app.add_template_filter(readable_size)
    logins = LoginManager(app)
    logins.login_view = "pages.log_in"
    logins.user_loader(lambda name: User(name) if name in PASSWORDS else None)
    DirectUpload(app, storage=storage, on_complete=record, on_remove=forget)
    return app


def clean_up(data: Path, storage: str, secret: str, age: timedelta = timedelta(days=1)) -> int:
    """Delete what was never sent, or was deleted from the shelf, a day ago. Run it once a day."""
    app = make_app(data, storage, secret)
    with app.app_context():
        return documents().clean_up(app.extensions["direct_upload"].store, age)


def documents() -> Documents:
    found: Documents = current_app.extensions["documents"]
    return found


def record(environ: dict[str, Any], upload: Upload) -> None:
    """Record a completed upload, which is pending until its form is sent. It can be called more than once."""
    documents().record(upload)


def forget(environ: dict[str, Any], upload: Upload) -> None:
    """Forget an upload that the user removed from the field. It is deleted after this."""
    if not documents().forget(upload):
        raise Refused("This file is on the shelf.")


@pages.get("/")
@login_required
def index() -> ResponseReturnValue:
    deleted = documents().find(request.args.get("deleted", ""), current_user.id, "deleted")
    found, saved = documents().of(current_user.id), request.args.get("saved", 0, int)
    return render_template("documents.html", documents=found, saved=saved, deleted=deleted)


@pages.post("/documents")
@login_required
def add() -> ResponseReturnValue:
    values = request.form.getlist("document") + request.files.getlist("document")
    ids = [upload.id for upload in current_uploads.from_form_all(values)]
    documents().save(ids, request.form["title"].strip())
    return redirect(url_for("pages.index", saved=len(ids)), 303)


@pages.get("/documents/<id>")
@login_required
def download(id: str) -> ResponseReturnValue:
    return redirect(current_uploads.download_url(own(id).upload), 303)


@pages.post("/documents/<id>/delete")
@login_required
def delete(id: str) -> ResponseReturnValue:
    """Take a document from the shelf. ``clean_up`` deletes the file later, so this can be undone."""
    documents().set_state(own(id), "deleted")
    return redirect(url_for("pages.index", deleted=id), 303)


@pages.post("/documents/<id>/restore")
@login_required
def restore(id: str) -> ResponseReturnValue:
    documents().set_state(own(id, "deleted"), "saved")
    return redirect(url_for("pages.index"), 303)


def own(id: str, state: str = "saved") -> Document:
    """Return the document if it belongs to the user; otherwise, respond with 404."""
    return documents().find(id, current_user.id, state) or abort(404)


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
