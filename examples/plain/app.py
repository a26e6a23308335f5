"""The application: log in, upload files to the shelf, download them under their original names.

No byte of a file passes through this code. Only these parts deal with uploads: the last lines of :func:`make_app`, the
three callables for the middleware, :func:`clean_up`, and the calls of ``environ["direct_upload.uploads"]``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from webob import Request, Response

from direct_upload_middleware import (
    DirectUploadError,
    DirectUploadMiddleware,
    Refused,
    StorageError,
    StorageUnavailable,
    UploadStore,
)

from . import pages
from .database import Database, Item
from .sessions import Sessions, is_password
from .web import NoForm, fields, is_same_site, not_found, page, see, values

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from direct_upload_middleware import Upload
    from direct_upload_middleware.request_uploads import RequestUploads

STYLE = Path(__file__).parents[1] / "style.css"
FILE_PATH = re.compile(r"/files/(?P<id>[0-9a-f]{32})(?P<verb>/delete|/restore)?")
MAX_TITLE = 200


def make_app(data: Path, storage: str, secret: str) -> WSGIApplication:
    """Return the application with the middleware.

    :param data: the directory of the database.
    :param storage: a storage URL, such as ``swift://shelf``.
    :param secret: a long random string.
    """
    shelf = Shelf(Database(data / "shelf.sqlite3"), Sessions(secret))
    callbacks: dict[str, Any] = {
        "identify": shelf.identify,
        "on_complete": shelf.record,
        "on_remove": shelf.forget,
    }
    return DirectUploadMiddleware(shelf, storage, secret=secret, **callbacks)


def clean_up(data: Path, storage: str, secret: str, age: timedelta = timedelta(days=1)) -> int:
    """Delete what was never sent, or was deleted from the shelf, a day ago. Run it once a day."""
    return Database(data / "shelf.sqlite3").clean_up(UploadStore(storage, secret=secret), age)


class Shelf:
    """The WSGI application inside the middleware."""

    def __init__(self, database: Database, sessions: Sessions) -> None:
        self._database = database
        self._sessions = sessions

    # -- for the middleware --------------------------------------------------------------------------------

    def identify(self, environ: WSGIEnvironment) -> str | None:
        """Return the user who is logged in, or None."""
        return self._sessions.user(Request(environ))

    def record(self, environ: WSGIEnvironment, upload: Upload) -> None:
        """Record a completed upload, which is pending until its form is sent. It can be called more than once."""
        self._database.record(upload)

    def forget(self, environ: WSGIEnvironment, upload: Upload) -> None:
        """Forget an upload that the user removed from the field. It is deleted after this."""
        if not self._database.forget(upload):
            raise Refused("This file is on the shelf.")

    # -- requests ------------------------------------------------------------------------------------------

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            response = self._respond(Request(environ))
        except (NoForm, UnicodeDecodeError):
            response = page(pages.problem("Invalid form"), 400)
        except StorageUnavailable as error:
            response = page(pages.problem(error.title, error.detail), error.status, Retry_After=str(error.retry_after))
        except StorageError as error:
            response = page(pages.problem(error.title, error.detail), error.status)
        return response(environ, start_response)

    def _respond(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD", "POST"):
            return page(pages.problem("Method not allowed"), 405, Allow="GET, HEAD, POST")
        if request.method == "POST":
            return self._post(request) if is_same_site(request) else page(pages.problem("Cross-site request"), 403)
        return self._get(request)

    def _get(self, request: Request) -> Response:
        if request.path_info == "/style.css":
            return Response(STYLE.read_bytes(), content_type="text/css", charset="utf-8")
        user = uploads_of(request).identity
        if request.path_info == "/":
            return self._shelf(user, message=self._message(request, user)) if user else page(pages.log_in())
        if not user:
            return see("/")
        item = self._item(request.path_info, user, verb=None)
        return self._download(request, item) if item else not_found()

    def _post(self, request: Request) -> Response:
        if request.path_info == "/login":
            return self._log_in(request)
        if request.path_info == "/logout":
            return self._sessions.end(see("/"))
        user = uploads_of(request).identity
        if not user:
            return see("/")
        if request.path_info == "/files":
            return self._file(request, user)
        if item := self._item(request.path_info, user, verb="/delete"):
            return self._delete(item)
        item = self._item(request.path_info, user, verb="/restore", state="deleted")
        return self._restore(item) if item else not_found()

    def _item(self, path: str, user: str, *, verb: str | None, state: str = "saved") -> Item | None:
        """Return an item of this user. The application decides who may have a file, not the receipt."""
        match = FILE_PATH.fullmatch(path)
        return self._database.find(match["id"], user, state) if match and match["verb"] == verb else None

    def _message(self, request: Request, user: str) -> pages.Html:
        """Return what the last form did."""
        saved = request.GET.get("saved", "")
        if saved.isdecimal():
            return pages.saved(int(saved))
        item = self._database.find(request.GET.get("deleted", ""), user, "deleted")
        return pages.deleted(item) if item else pages.NOTHING

    # -- responses -----------------------------------------------------------------------------------------

    def _shelf(
        self, user: str, notice: str = "", status: int = 200, *, message: pages.Html = pages.NOTHING
    ) -> Response:
        return page(pages.shelf(user, self._database.of(user), notice, message), status)

    def _log_in(self, request: Request) -> Response:
        form = fields(request)
        user, password = form.get("username", "").strip().lower(), form.get("password", "")
        if not is_password(user, password):
            return page(pages.log_in(user, "Wrong username or password."), 403)
        return self._sessions.begin(see("/"), user, secure=request.scheme == "https")

    def _file(self, request: Request, user: str) -> Response:
        """Handle the form: a title and the files. ``record`` has stored their rows; now they are the user's."""
        form = fields(request)
        title = form.get("title", "").strip()[:MAX_TITLE]
        try:
            uploads = uploads_of(request).from_form_all(values(request, "file"))
        except (StorageError, StorageUnavailable):
            raise
        except DirectUploadError as error:
            return self._shelf(user, error.detail, error.status)
        if not uploads:
            return self._shelf(user, "Choose a file first.", 422)
        self._database.save([upload.id for upload in uploads], title)
        return see(f"/?saved={len(uploads)}")

    def _download(self, request: Request, item: Item) -> Response:
        """Redirect to a new presigned URL, which is valid for minutes and contains the original filename."""
        return see(uploads_of(request).download_url(item.upload))

    def _delete(self, item: Item) -> Response:
        """Take an item from the shelf. ``clean_up`` deletes the file later, so this can be undone."""
        self._database.set_state(item.upload.id, "deleted")
        return see(f"/?deleted={item.upload.id}")

    def _restore(self, item: Item) -> Response:
        self._database.set_state(item.upload.id, "saved")
        return see("/")


def uploads_of(request: Request) -> RequestUploads:
    """Return the object that the middleware provides for each request."""
    uploads: RequestUploads = request.environ["direct_upload.uploads"]
    return uploads
