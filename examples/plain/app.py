"""The application: log in, upload files to the shelf, download them under their original names.

No byte of a file passes through this code. Only three parts deal with uploads: the last line of :func:`make_app`, the
two callables for the middleware, and the calls of ``environ["direct_upload.uploads"]``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from webob import Request, Response

from direct_upload_middleware import DirectUploadError, DirectUploadMiddleware, StorageError, StorageUnavailable

from . import pages
from .database import Database, Item
from .sessions import Sessions, is_password
from .web import NoForm, fields, is_same_site, not_found, page, see, values

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from direct_upload_middleware import Upload
    from direct_upload_middleware.request_uploads import RequestUploads

STYLE = Path(__file__).parents[1] / "style.css"
FILE_PATH = re.compile(r"/files/(?P<id>[0-9a-f]{32})(?P<verb>/delete)?")
MAX_TITLE = 200


def make_app(data: Path, storage: str, secret: str) -> WSGIApplication:
    """Return the application with the middleware.

    :param data: the directory of the database.
    :param storage: a storage URL, such as ``swift://shelf``.
    :param secret: a long random string.
    """
    shelf = Shelf(Database(data / "shelf.sqlite3"), Sessions(secret))
    return DirectUploadMiddleware(shelf, storage, secret=secret, identify=shelf.identify, on_complete=shelf.record)


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
        """Record a completed upload. It can be called twice, so the ID of the upload is the primary key."""
        self._database.add(upload)

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
            return self._shelf(user) if user else page(pages.log_in())
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
        item = self._item(request.path_info, user, verb="/delete")
        return self._delete(request, item) if item else not_found()

    def _item(self, path: str, user: str, *, verb: str | None) -> Item | None:
        """Return an item of this user. The application decides who may have a file, not the receipt."""
        match = FILE_PATH.fullmatch(path)
        return self._database.find(match["id"], owner=user) if match and match["verb"] == verb else None

    # -- responses -----------------------------------------------------------------------------------------

    def _shelf(self, user: str, notice: str = "", status: int = 200) -> Response:
        return page(pages.shelf(user, self._database.items(user), notice), status)

    def _log_in(self, request: Request) -> Response:
        form = fields(request)
        user, password = form.get("username", "").strip().lower(), form.get("password", "")
        if not is_password(user, password):
            return page(pages.log_in(user, "Wrong username or password."), 403)
        return self._sessions.begin(see("/"), user, secure=request.scheme == "https")

    def _file(self, request: Request, user: str) -> Response:
        """Handle the form: a title and the files. ``record`` has stored their rows; this sets the title."""
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
        for upload in uploads:
            self._database.set_title(upload.id, title)
        return see("/")

    def _download(self, request: Request, item: Item) -> Response:
        """Redirect to a new presigned URL, which is valid for minutes and contains the original filename."""
        return see(uploads_of(request).download_url(item.upload))

    def _delete(self, request: Request, item: Item) -> Response:
        """Delete the object before its row, so that a failed delete can be repeated."""
        uploads_of(request).delete(item.upload)
        self._database.remove(item.upload.id)
        return see("/")


def uploads_of(request: Request) -> RequestUploads:
    """Return the object that the middleware provides for each request."""
    uploads: RequestUploads = request.environ["direct_upload.uploads"]
    return uploads
