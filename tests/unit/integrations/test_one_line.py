"""Frameworks that need no more than the one line: Falcon, CherryPy, and none at all."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from wsgiref.validate import validator

import bottle
import cherrypy
import falcon
import flask
import pytest
from helpers.uploads import SECRET, new_container
from webtest import TestApp

from direct_upload_middleware import DirectUploadMiddleware, InvalidReceipt, NotYours
from direct_upload_middleware.testing import upload_file

PAGE = '<form><input type="file" name="document" data-direct-upload></form>'


def plain_app() -> Any:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        status, page = "200 OK", PAGE
        if environ["REQUEST_METHOD"] == "POST":
            body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode()
            try:
                page = environ["direct_upload.uploads"].verify(parse_qs(body)["document"][0]).filename
            except (InvalidReceipt, NotYours) as error:
                status, page = "403 Forbidden", error.detail
        start_response(status, [("Content-Type", "text/html; charset=utf-8")])
        return [page.encode()]

    return app


class FalconPage:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.content_type, resp.text = falcon.MEDIA_HTML, PAGE

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.text = req.env["direct_upload.uploads"].verify(req.get_media()["document"]).filename


def falcon_app() -> Any:
    def forbidden(req: Any, resp: Any, error: Any, params: Any) -> None:
        raise falcon.HTTPForbidden(description=error.detail)

    app = falcon.App()
    app.add_route("/", FalconPage())
    app.add_error_handler((InvalidReceipt, NotYours), forbidden)
    return app


class CherryPyPage:
    @cherrypy.expose
    def index(self, document: str | None = None) -> str:
        if document is None:
            return PAGE
        try:
            filename: str = cherrypy.request.wsgi_environ["direct_upload.uploads"].verify(document).filename
        except (InvalidReceipt, NotYours) as error:
            raise cherrypy.HTTPError(403, error.detail) from error
        return filename


def cherrypy_app() -> Any:
    return cherrypy.Application(CherryPyPage(), "", {"/": {"log.screen": False}})


@pytest.fixture(params=["local", "swift"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Its URL."""
    if request.param == "local":
        return f"local:{tmp_path}"
    request.getfixturevalue("swift_environ")
    return f"swift://{new_container()}"


@pytest.fixture(params=[plain_app, falcon_app, cherrypy_app])
def app(request: pytest.FixtureRequest, storage: str) -> TestApp:
    wrapped = DirectUploadMiddleware(request.param(), storage, secret=SECRET)  # the one line
    return TestApp(validator(wrapped), extra_environ={"REMOTE_USER": "ann"})


def test_the_one_line_is_enough(app: TestApp) -> None:
    assert app.get("/").html.find("script")["src"] == "/_upload/static/direct-upload.js"
    receipt = upload_file(app, "report.pdf", b"data")
    assert app.post("/", {"document": receipt}).text == "report.pdf"


def test_a_changed_receipt_is_403(app: TestApp) -> None:
    receipt = upload_file(app, "report.pdf", b"data")
    assert "malformed or was changed" in app.post("/", {"document": receipt[:-1]}, status=403).text


# -- a path that says who is there, in frameworks that keep their request in thread-locals ------------------------


class KnowsInside:
    """CherryPy."""

    @cherrypy.expose
    def whoami(self) -> str:
        cherrypy.response.headers["Remote-User"] = cherrypy.request.headers["X-User"]
        return ""

    @cherrypy.expose
    def submit(self, document: str, title: str) -> str:
        owner = cherrypy.request.wsgi_environ["direct_upload.uploads"].verify(document).owner
        return f"{owner} sent {cherrypy.request.params['title']} to {cherrypy.request.path_info}"


def cherrypy_that_knows_inside() -> Any:
    return cherrypy.Application(KnowsInside(), "", {"/": {"log.screen": False}})


def bottle_that_knows_inside() -> Any:
    app = bottle.Bottle()

    @app.get("/whoami")
    def whoami() -> str:
        bottle.response.set_header("Remote-User", bottle.request.get_header("X-User"))
        return ""

    @app.post("/submit")
    def submit() -> str:
        owner = bottle.request.environ["direct_upload.uploads"].verify(bottle.request.forms.document).owner
        return f"{owner} sent {bottle.request.forms.title} to {bottle.request.path}"

    return app


def flask_that_knows_inside() -> Any:
    app = flask.Flask(__name__)

    @app.get("/whoami")
    def whoami() -> Any:
        return "", 204, {"Remote-User": flask.request.headers["X-User"]}

    @app.post("/submit")
    def submit() -> str:
        owner = flask.request.environ["direct_upload.uploads"].verify(flask.request.form["document"]).owner
        return f"{owner} sent {flask.request.form['title']} to {flask.request.path}"

    return app


@pytest.mark.parametrize("make", [cherrypy_that_knows_inside, bottle_that_knows_inside, flask_that_knows_inside])
def test_identify_by_subrequest_does_not_change_the_request(make: Callable[[], Any], tmp_path: Path) -> None:
    app = TestApp(validator(DirectUploadMiddleware(make(), f"local:{tmp_path}", identify="/whoami")))
    environ = {"HTTP_X_USER": "ann"}
    receipt = upload_file(app, "report.pdf", b"data", extra_environ=environ)
    answer = app.post("/submit", {"document": receipt, "title": "Report"}, extra_environ=environ)
    assert answer.text == "ann sent Report to /submit"


# -- nothing installed ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "package", "name"),
    [
        ("pyramid", "pyramid", "Pyramid"),
        ("bottle", "bottle", "Bottle"),
        ("flask", "flask", "Flask"),
        ("django", "django", "Django"),
        ("django_forms", "django", "Django"),
    ],
)
def test_a_missing_framework_is_named(module: str, package: str, name: str) -> None:
    program = f"import sys; sys.modules[{package!r}] = None; import direct_upload_middleware.integrations.{module}"
    outcome = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert outcome.stderr.splitlines()[-1] == f"ModuleNotFoundError: {name} is not installed: pip install {package}"
