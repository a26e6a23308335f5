"""The application: log in, upload documents, download them under their original names.

These parts deal with uploads: ``record``, the views with a parameter ``uploads``, ``data-direct-upload`` in the
template, and the last line of :func:`make_app`.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bottle import Bottle, HTTPError, abort, redirect, request, response, static_file, template

from direct_upload_middleware import DirectUploadMiddleware, Upload
from direct_upload_middleware.integrations.bottle import DirectUploadPlugin, cookie_user

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
        documents.record(upload)  # can be called more than once

    return DirectUploadMiddleware(app, storage, secret=secret, identify=shelf.identify, on_complete=record)


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
            ("GET", "/style.css", self.style),
        ]

    def index(self) -> str:
        user = self.identify(request.environ)
        if user is None:
            return page("log_in", notice="", passwords=PASSWORDS)
        return page("documents", user=user, documents=self._documents.of(user))

    def add(self, uploads: Any) -> None:
        self._user()
        values = request.forms.getall("document") + request.files.getall("document")
        for upload in uploads.from_form_all(values):
            self._documents.set_title(upload.id, request.forms.getunicode("title", "").strip())
        redirect("/", 303)

    def download(self, id: str, uploads: Any) -> None:
        redirect(uploads.download_url(self._own(id).upload), 303)

    def delete(self, id: str, uploads: Any) -> None:
        uploads.delete(self._own(id).upload)
        self._documents.remove(id)
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

    def _own(self, id: str) -> Document:
        """Return the document if it belongs to the user; otherwise, respond with 404."""
        return self._documents.find(id, self._user()) or abort(404, "There is nothing here.")


def page(name: str, **values: Any) -> str:
    text: str = template(name, template_lookup=VIEWS, **values)
    return text


def show_problem(error: HTTPError) -> str:
    return page("problem", title=error.status_line.partition(" ")[2], detail=error.body)
