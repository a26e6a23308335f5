"""The application: log in, upload documents, download them under their original names.

These parts deal with uploads: ``record`` and ``forget``, the views with a parameter ``uploads``, ``<direct-upload>`` in
the template, :func:`clean_up`, and the last line of :func:`make_app`.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from bottle import Bottle, HTTPError, abort, redirect, request, response, static_file, template

from direct_upload_middleware import DirectUploadMiddleware, Refused, Upload, UploadStore
from direct_upload_middleware.integrations.bottle import DirectUploadPlugin, cookie_user

from ..sizes import readable_size
from .documents import Document, Documents

STYLE = Path(__file__).parents[1] / "style.css"
VIEWS = [str(Path(__file__).parent / "views")]
COOKIE = "bottle_shelf"

#: Shown on the login page. A real application stores slow hashes of passwords and limits login attempts.
PASSWORDS = {"alice": "wonderland", "bob": "builder"}


def make_app(data: Path, storage: str, secret: str) -> DirectUploadMiddleware:
    """Return the application with the middleware.

    :param data: the directory of the database.
    :param storage: a storage URL.
    :param secret: a long random string.
    """
    documents = Documents(data / "documents.sqlite3")
    shelf = Shelf(documents, secret)
    app = Bottle()
    app.install(DirectUploadPlugin())
    for method, path, view in shelf.routes():
        app.route(path, method, view)
    app.default_error_handler = show_problem

    def record(environ: dict[str, Any], upload: Upload) -> None:
        documents.record(upload)  # it is pending until its form is sent; this can be called more than once

    def forget(environ: dict[str, Any], upload: Upload) -> None:
        if not documents.forget(upload):  # the user removed it from the field; it is deleted after this
            raise Refused("This file is on the shelf.")

    callbacks: dict[str, Any] = {"identify": shelf.identify, "on_complete": record, "on_remove": forget}
    return DirectUploadMiddleware(app, storage, secret=secret, **callbacks)


def clean_up(data: Path, storage: str, secret: str, age: timedelta = timedelta(days=1)) -> int:
    """Delete what was never sent, or was deleted from the shelf, a day ago. Run it once a day."""
    return Documents(data / "documents.sqlite3").clean_up(UploadStore(storage, secret=secret), age)


class Shelf:
    """The views."""

    def __init__(self, documents: Documents, secret: str) -> None:
        self._documents = documents
        self._secret = secret
        self.identify = cookie_user(COOKIE, secret)

    def routes(self) -> list[tuple[str, str, Callable[..., Any]]]:
        return [
            ("GET", "/", self.index),
            ("POST", "/login", self.log_in),
            ("POST", "/logout", self.log_out),
            ("POST", "/documents", self.add),
            ("GET", "/documents/<id>", self.download),
            ("POST", "/documents/<id>/delete", self.delete),
            ("POST", "/documents/<id>/restore", self.restore),
            ("GET", "/style.css", self.style),
        ]

    def index(self) -> str:
        user = self.identify(request.environ)
        if user is None:
            return page("log_in", notice="", passwords=PASSWORDS)
        deleted = self._documents.find(request.query.deleted, user, "deleted")
        saved = request.query.get("saved", default=0, type=int)
        return page("documents", user=user, documents=self._documents.of(user), saved=saved, deleted=deleted)

    def add(self, uploads: Any) -> None:
        self._user()
        values = request.forms.getall("document") + request.files.getall("document")
        ids = [upload.id for upload in uploads.from_form_all(values)]
        self._documents.save(ids, request.forms.getunicode("title", "").strip())
        redirect(f"/?saved={len(ids)}", 303)

    def download(self, id: str, uploads: Any) -> None:
        redirect(uploads.download_url(self._own(id).upload), 303)

    def delete(self, id: str) -> None:
        """Take a document from the shelf. ``clean_up`` deletes the file later, so this can be undone."""
        self._own(id)
        self._documents.set_state(id, "deleted")
        redirect(f"/?deleted={id}", 303)

    def restore(self, id: str) -> None:
        self._own(id, "deleted")
        self._documents.set_state(id, "saved")
        redirect("/", 303)

    def log_in(self) -> str:
        name, password = request.forms.getunicode("username", ""), request.forms.getunicode("password", "")
        if not password or not hmac.compare_digest(PASSWORDS.get(name, "").encode(), password.encode()):
            response.status = 403
            notice = "Wrong username or password."
            return page("log_in", notice=notice, passwords=PASSWORDS)
        response.set_cookie(COOKIE, name, secret=self._secret, httponly=True, samesite="lax")
        return redirect("/", 303)  # type: ignore[no-any-return]  # it raises

    def log_out(self) -> None:
        response.delete_cookie(COOKIE)
        redirect("/", 303)

    def style(self) -> Any:
        return static_file(STYLE.name, root=str(STYLE.parent))

    def _user(self) -> str:
        return self.identify(request.environ) or abort(403, "Log in first.")

    def _own(self, id: str, state: str = "saved") -> Document:
        """Return the document if it belongs to the user; otherwise, respond with 404."""
        return self._documents.find(id, self._user(), state) or abort(404, "There is nothing here.")


def page(name: str, **values: Any) -> str:
    text: str = template(name, template_lookup=VIEWS, readable_size=readable_size, **values)
    return text


def show_problem(error: HTTPError) -> str:
    return page("problem", title=error.status_line.partition(" ")[2], detail=error.body)
