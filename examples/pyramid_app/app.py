"""The application: log in, upload documents, download them under their original names.

These parts deal with uploads: :func:`record_upload`, :func:`forget_upload` and :func:`clean_up`,
``request.direct_upload`` in the views, ``<direct-upload>`` in the template, and the settings in :func:`make_app`.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyramid.config import Configurator
from pyramid.events import subscriber
from pyramid.httpexceptions import HTTPError, HTTPForbidden, HTTPNotFound, HTTPSeeOther
from pyramid.request import Request
from pyramid.response import FileResponse, Response
from pyramid.security import forget, remember
from pyramid.session import SignedCookieSessionFactory
from pyramid.view import exception_view_config, forbidden_view_config, view_config, view_defaults

from direct_upload_middleware import Refused, UploadStore
from direct_upload_middleware.integrations.pyramid import UploadCompleted, UploadRemoved

from ..sizes import readable_size
from .models import Document, Documents
from .security import PASSWORDS, Root, SessionPolicy, is_password

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

STYLE = Path(__file__).parents[1] / "style.css"


def make_app(data: Path, storage: str, secret: str) -> WSGIApplication:
    """Return the application.

    :param data: the directory of the database.
    :param storage: a storage URL.
    :param secret: a long random string.
    """
    settings = {
        "direct_upload.storage": storage,
        "direct_upload.secret": secret,
        "direct_upload.permission": "upload",
    }
    config = Configurator(settings=settings, root_factory=Root)
    config.include("pyramid_jinja2")
    config.commit()
    config.get_jinja2_environment().filters["readable_size"] = readable_size
    config.include("direct_upload_middleware.integrations.pyramid")
    config.set_security_policy(SessionPolicy())
    config.set_session_factory(SignedCookieSessionFactory(secret, cookie_name="pyramid_shelf", httponly=True))
    config.set_default_csrf_options(require_csrf=True)
    config.registry.documents = Documents(data / "documents.sqlite3")
    for name, path in ROUTES.items():
        config.add_route(name, path)
    config.scan(__name__)
    app: WSGIApplication = config.make_wsgi_app()
    return app


def clean_up(data: Path, storage: str, secret: str, age: timedelta = timedelta(days=1)) -> int:
    """Delete what was never sent, or was deleted from the shelf, a day ago. Run it once a day."""
    return Documents(data / "documents.sqlite3").clean_up(UploadStore(storage, secret=secret), age)


ROUTES = {
    "index": "/",
    "log_in": "/login",
    "log_out": "/logout",
    "add": "/documents",
    "download": "/documents/{id}",
    "delete": "/documents/{id}/delete",
    "restore": "/documents/{id}/restore",
    "style": "/style.css",
}


@subscriber(UploadCompleted)
def record_upload(event: UploadCompleted) -> None:
    """Record a completed upload, which is pending until its form is sent. It can be called more than once."""
    event.request.registry.documents.record(event.upload)


@subscriber(UploadRemoved)
def forget_upload(event: UploadRemoved) -> None:
    """Forget an upload that the user removed from the field. It is deleted after this."""
    if not event.request.registry.documents.forget(event.upload):
        raise Refused("This file is on the shelf.")


@view_defaults(permission="use")
class Shelf:
    """The pages for users who are logged in."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.user: str = request.authenticated_userid
        self.documents: Documents = request.registry.documents

    @view_config(route_name="index", renderer="templates/documents.jinja2")
    def index(self) -> dict[str, Any]:
        deleted = self.documents.find(self.request.GET.get("deleted", ""), self.user, "deleted")
        saved = self.request.GET.get("saved", "")
        found = self.documents.of(self.user)
        return {"documents": found, "saved": int(saved) if saved.isdecimal() else 0, "deleted": deleted}

    @view_config(route_name="add", request_method="POST")
    def add(self) -> Response:
        uploads = self.request.direct_upload.from_form_all(self.request.POST.getall("document"))
        self.documents.save([upload.id for upload in uploads], self.request.POST["title"].strip())
        return HTTPSeeOther(self.request.route_path("index", _query={"saved": len(uploads)}))

    @view_config(route_name="download")
    def download(self) -> Response:
        return HTTPSeeOther(self.request.direct_upload.download_url(self.own().upload))

    @view_config(route_name="delete", request_method="POST")
    def delete(self) -> Response:
        """Take a document from the shelf. ``clean_up`` deletes the file later, so this can be undone."""
        document = self.own()
        self.documents.set_state(document, "deleted")
        return HTTPSeeOther(self.request.route_path("index", _query={"deleted": document.id}))

    @view_config(route_name="restore", request_method="POST")
    def restore(self) -> Response:
        self.documents.set_state(self.own("deleted"), "saved")
        return HTTPSeeOther(self.request.route_path("index"))

    def own(self, state: str = "saved") -> Document:
        """Return the document if it belongs to the user; otherwise, raise HTTPNotFound."""
        document = self.documents.find(self.request.matchdict["id"], self.user, state)
        if document is None:
            raise HTTPNotFound("There is nothing here.")
        return document


@view_config(route_name="log_in", renderer="templates/log_in.jinja2")
def log_in(request: Request) -> Any:
    notice = ""
    if request.method == "POST":
        user = request.POST.get("username", "")
        if is_password(user, request.POST.get("password", "")):
            return HTTPSeeOther(request.route_path("index"), headers=remember(request, user))
        notice = "Wrong username or password."
        request.response.status = 403
    return {"notice": notice, "passwords": PASSWORDS}


@view_config(route_name="log_out", request_method="POST")
def log_out(request: Request) -> Response:
    return HTTPSeeOther(request.route_path("log_in"), headers=forget(request))


@view_config(route_name="style")
def style(request: Request) -> Response:
    return FileResponse(str(STYLE), request)


@forbidden_view_config(renderer="templates/problem.jinja2")
def forbidden(error: HTTPForbidden, request: Request) -> Any:
    if request.authenticated_userid is None:
        return HTTPSeeOther(request.route_path("log_in"))
    return problem(error, request)


@exception_view_config(HTTPError, renderer="templates/problem.jinja2")
def problem(error: HTTPError, request: Request) -> dict[str, Any]:
    request.response.status = error.status
    is_path = error.detail == request.path_info  # Pyramid's detail for an unknown path
    return {"title": error.title, "detail": error.explanation if is_path or not error.detail else error.detail}
