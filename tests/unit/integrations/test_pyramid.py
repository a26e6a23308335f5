"""Uploads in a Pyramid application."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from wsgiref.validate import validator

import pytest
import requests
from pyramid.authentication import AuthTktCookieHelper
from pyramid.authorization import ACLHelper, Allow, Authenticated, Everyone
from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPForbidden
from pyramid.interfaces import ITweens
from pyramid.response import FileResponse, Response
from pyramid.security import forget, remember
from requests.adapters import HTTPAdapter
from urllib3.util import Retry
from webob import Request
from webtest import AppError, TestApp

from direct_upload_middleware import ConfigurationError, Refused, StorageUnavailable
from direct_upload_middleware.integrations.pyramid import UploadCompleted, UploadRemoved
from direct_upload_middleware.testing import upload_file

INCLUDED = "direct_upload_middleware.integrations.pyramid"
BODY = {"filename": "report.pdf", "size": 4, "type": "application/pdf"}


class Root:
    __acl__ = ((Allow, "ann", "upload"), (Allow, Everyone, "view"))

    def __init__(self, request: Any) -> None:
        """Pyramid makes one for each request."""


class CookiePolicy:
    """The security policy of Pyramid's own tutorial, in short."""

    def __init__(self) -> None:
        self.ticket = AuthTktCookieHelper("a secret of the tests", hashalg="sha512")

    def authenticated_userid(self, request: Any) -> str | None:
        identity = self.ticket.identify(request)
        return identity and identity["userid"]

    def permits(self, request: Any, context: Any, permission: str) -> Any:
        userid = self.authenticated_userid(request)
        principals = [Everyone, *([Authenticated, userid] if userid else [])]
        return ACLHelper().permits(context, principals, permission)

    def remember(self, request: Any, userid: str, **kw: Any) -> Any:
        return self.ticket.remember(request, userid, **kw)

    def forget(self, request: Any, **kw: Any) -> Any:
        return self.ticket.forget(request, **kw)


def log_in(request: Any) -> Response:
    request.response.headerlist.extend(remember(request, request.params["user"]))
    return request.response


def log_out(request: Any) -> Response:
    request.response.headerlist.extend(forget(request))
    return request.response


def form(request: Any) -> Response:
    return Response('<form><input type="file" name="document" data-direct-upload></form>')


def submit(request: Any) -> dict[str, Any]:
    upload = request.direct_upload.verify(request.params["document"])
    with request.direct_upload.open(upload) as file:
        return {"filename": upload.filename, "owner": upload.owner, "content": file.read().decode()}


Adjust = Callable[[Configurator], None]
MakeApp = Callable[..., TestApp]


@pytest.fixture
def make_app(tmp_path: Path) -> MakeApp:
    def make(adjust: Adjust = lambda config: None, **settings: Any) -> TestApp:
        direct_upload = {"direct_upload.storage": f"local:{tmp_path}/uploads", "direct_upload.secret": "of the tests"}
        config = Configurator(settings=direct_upload | settings, root_factory=Root)
        config.include(INCLUDED)
        config.set_security_policy(CookiePolicy())
        for name, view in {"log_in": log_in, "log_out": log_out, "form": form}.items():
            config.add_view(view, name=name)
        config.add_view(submit, name="submit", renderer="json")
        adjust(config)
        return TestApp(validator(config.make_wsgi_app()))

    return make


@pytest.fixture
def app(make_app: MakeApp) -> TestApp:
    app = make_app()
    app.get("/log_in?user=ann")
    return app


def test_a_user_of_the_security_policy_uploads_and_a_view_verifies(app: TestApp) -> None:
    receipt = upload_file(app, "report.pdf", b"data")
    answer = app.post("/submit", {"document": receipt})
    assert answer.json == {"filename": "report.pdf", "owner": "ann", "content": "data"}


def test_the_script_is_inserted_into_the_page(app: TestApp) -> None:
    assert app.get("/form").html.find("script")["src"] == "/_upload/static/direct-upload.js"


def test_uploads_require_a_login(make_app: MakeApp) -> None:
    app = make_app()
    assert app.post_json("/_upload/uploads", BODY, status=401).json["code"] == "not-authenticated"
    app.get("/log_in?user=ann")
    app.post_json("/_upload/uploads", BODY, status=201)
    app.get("/log_out")
    assert app.post_json("/_upload/uploads", BODY, status=401).json["code"] == "not-authenticated"


def test_a_forged_session_is_not_logged_in(make_app: MakeApp) -> None:
    app = make_app()
    app.set_cookie("auth_tkt", "0" * 128 + "65a00000ann!")
    assert app.post_json("/_upload/uploads", BODY, status=401).json["code"] == "not-authenticated"


@pytest.mark.parametrize(("user", "status"), [("ann", 201), ("bob", 403)])
def test_begin_requires_the_permission(make_app: MakeApp, user: str, status: int) -> None:
    app = make_app(**{"direct_upload.permission": "upload"})
    app.get(f"/log_in?user={user}")
    answer = app.post_json("/_upload/uploads", BODY, status=status).json
    assert answer.get("code") == (None if status == 201 else "refused")


def test_authorize_is_called_in_addition_to_the_permission(make_app: MakeApp) -> None:
    def authorize(environ: Any, wanted: Any) -> None:
        raise Refused("Not today.", 429)

    app = make_app(**{"direct_upload.permission": "upload", "direct_upload.authorize": authorize})
    app.get("/log_in?user=ann")
    assert app.post_json("/_upload/uploads", BODY, status=429).json["detail"] == "Not today."


# -- errors, as pages ------------------------------------------------------------------------------------------


def test_a_changed_receipt_shows_the_applications_403_page(make_app: MakeApp) -> None:
    def forbidden(error: HTTPForbidden, request: Any) -> Response:
        return Response(f"Our own page: {error.detail}", status=403)

    app = make_app(lambda config: config.add_forbidden_view(forbidden))
    app.get("/log_in?user=ann")
    receipt = upload_file(app, "report.pdf", b"data")
    answer = app.post("/submit", {"document": receipt[:-1]}, status=403)
    assert answer.text == "Our own page: The receipt is malformed or was changed."


def test_another_users_receipt_is_403(app: TestApp) -> None:
    receipt = upload_file(app, "report.pdf", b"data")
    app.get("/log_in?user=bob")
    answer = app.post("/submit", {"document": receipt}, status=403)
    assert "another user" in answer.text


def test_an_unavailable_storage_is_503_with_retry_after(make_app: MakeApp) -> None:
    def away(request: Any) -> Response:
        raise StorageUnavailable(retry_after=7)

    answer = make_app(lambda config: config.add_view(away, name="away")).get("/away", status=503)
    assert answer.headers["Retry-After"] == "7"
    assert "Storage cannot be reached" in answer.text


def test_without_exception_views_pyramids_error_page_is_shown(tmp_path: Path) -> None:
    config = Configurator(settings={"direct_upload.storage": f"local:{tmp_path}"}, exceptionresponse_view=None)
    config.include(INCLUDED)
    config.add_view(submit, renderer="json")
    app = TestApp(config.make_wsgi_app())
    assert "malformed" in app.get("/?document=none", status=403).text


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("maxsize", "5", "did you mean 'max_size'"),
        ("parallel", "many", "an integer"),
        ("identify", "/whoami", "must be a callable"),
    ],
)
def test_a_wrong_setting_is_refused_when_the_application_is_made(
    make_app: MakeApp, name: str, value: str, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        make_app(**{f"direct_upload.{name}": value})


# -- the event -------------------------------------------------------------------------------------------------


def test_a_completed_upload_is_an_event_whose_data_reaches_the_page(make_app: MakeApp) -> None:
    seen = []

    def record(event: UploadCompleted) -> None:
        seen.append((event.request.authenticated_userid, event.upload.filename))
        event.data = {"number": len(seen)}

    app = make_app(lambda config: config.add_subscriber(record, UploadCompleted))
    app.get("/log_in?user=ann")
    begun = app.post_json("/_upload/uploads", BODY).json
    [segment] = begun["segments"]
    etag = "8d777f385d3dfec8815d20f7496026dc"
    app.put(segment["url"], b"data", headers={"ETag": etag}, content_type="")
    done = app.post_json(
        f"/_upload/uploads/{begun['id']}/complete",
        {"segments": [{"index": 0, "etag": etag}]},
        headers={"Upload-Ticket": begun["ticket"]},
    ).json
    assert done["data"] == {"number": 1}
    assert seen == [("ann", "report.pdf")]


def test_on_complete_is_called_after_the_event(make_app: MakeApp) -> None:
    order = []
    app = make_app(
        lambda config: config.add_subscriber(lambda event: order.append("event"), UploadCompleted),
        **{"direct_upload.on_complete": lambda environ, upload: order.append("on_complete")},
    )
    app.get("/log_in?user=ann")
    upload_file(app, "report.pdf", b"data")
    assert order == ["event", "on_complete"]


def refuse(event: UploadRemoved) -> None:
    raise Refused("It was sent.")


@pytest.mark.parametrize(
    ("subscriber", "events", "status"),
    [
        pytest.param(lambda event: None, UploadRemoved, 204, id="a subscriber"),
        pytest.param(refuse, UploadRemoved, 403, id="it refuses"),
        pytest.param(lambda event: None, UploadCompleted, 403, id="none"),
        pytest.param(lambda event: None, None, 403, id="a subscriber to every event"),
    ],
)
def test_a_removed_upload_is_an_event(make_app: MakeApp, subscriber: Any, events: Any, status: int) -> None:
    app = make_app(lambda config: config.add_subscriber(subscriber, events))
    app.get("/log_in?user=ann")
    receipt = upload_file(app, "report.pdf", b"data")
    app.delete(f"/_upload/files/{receipt}", status=status)
    app.get(f"/_upload/files/{receipt}", status=404 if status == 204 else 302)


def test_on_remove_can_be_a_setting(make_app: MakeApp) -> None:
    removed = []
    app = make_app(**{"direct_upload.on_remove": lambda environ, upload: removed.append(upload.filename)})
    app.get("/log_in?user=ann")
    app.delete(f"/_upload/files/{upload_file(app, 'report.pdf', b'data')}", status=204)
    assert removed == ["report.pdf"]


class Work:
    """A data manager: what pyramid_tm commits or aborts."""

    transaction_manager = None

    def __init__(self, done: list[str]) -> None:
        self.done = done

    def abort(self, transaction: Any) -> None:
        self.done.append("aborted")

    def tpc_finish(self, transaction: Any) -> None:
        self.done.append("committed")

    def sortKey(self) -> str:
        return "work"

    def tpc_begin(self, transaction: Any) -> None: ...
    def commit(self, transaction: Any) -> None: ...
    def tpc_vote(self, transaction: Any) -> None: ...
    def tpc_abort(self, transaction: Any) -> None: ...


def test_a_subscribers_changes_are_committed(make_app: MakeApp) -> None:
    done: list[str] = []
    app = make_app(with_transactions(lambda event: event.request.tm.get().join(Work(done))))
    app.get("/log_in?user=ann")
    upload_file(app, "report.pdf", b"data")
    assert done == ["committed"]


@pytest.mark.parametrize("error", [pytest.param(Refused("No."), id="refused"), pytest.param(KeyError("x"), id="a bug")])
def test_a_failing_subscribers_changes_are_rolled_back(make_app: MakeApp, error: Exception) -> None:
    done: list[str] = []

    def record(event: UploadCompleted) -> None:
        event.request.tm.get().join(Work(done))
        raise error

    app = make_app(with_transactions(record))
    app.get("/log_in?user=ann")
    with pytest.raises(AppError, match=r"Bad response: (403|500)"):
        upload_file(app, "report.pdf", b"data")
    assert done == ["aborted"]


def with_transactions(subscriber: Callable[[UploadCompleted], object]) -> Adjust:
    def adjust(config: Configurator) -> None:
        config.include("pyramid_tm")
        config.add_subscriber(subscriber, UploadCompleted)

    return adjust


@pytest.mark.parametrize("order", [["pyramid_tm", INCLUDED], [INCLUDED, "pyramid_tm"]], ids=" then ".join)
def test_the_tween_is_inside_the_transaction_and_around_the_exception_views(order: list[str]) -> None:
    config = Configurator(settings={})
    for included in order:
        config.include(included)
    config.commit()
    names = [name.rpartition(".")[2] for name, _ in config.registry.getUtility(ITweens).implicit()]
    assert names == ["tm_tween_factory", "tween_factory", "excview_tween_factory"]


# -- responses -------------------------------------------------------------------------------------------------


class OwnResponse(Response):
    """A response that outer tweens know."""


def test_a_response_that_is_not_html_stays_the_same_object(make_app: MakeApp) -> None:
    seen = []

    def outer_factory(handler: Any, registry: Any) -> Any:
        def outer(request: Any) -> Any:
            seen.append(handler(request))
            return seen[-1]

        return outer

    def adjust(config: Configurator) -> None:
        config.add_view(lambda request: OwnResponse("plain", content_type="text/plain"), name="plain")
        config.registry.outer = outer_factory
        config.add_tween(f"{__name__}.outer_tween")

    app = make_app(adjust)
    assert app.get("/plain").text == "plain"
    assert isinstance(seen[0], OwnResponse)


def outer_tween(handler: Any, registry: Any) -> Any:
    return registry.outer(handler, registry)


def test_a_streaming_page_keeps_streaming(make_app: MakeApp) -> None:
    given = []

    def pieces() -> Iterator[bytes]:
        for piece in (b"<p>one</p>", b"<input type=file data-direct-upload>", b"<p>three</p>"):
            given.append(piece)
            yield piece

    app = make_app(lambda config: config.add_view(lambda request: Response(app_iter=pieces()), name="stream"))
    with closing(app.app(Request.blank("/stream").environ, lambda *head: print)) as body:
        assert next(iter(body)) == b"<p>one</p>"
        assert len(given) == 1


def test_range_and_head_requests_pass_through(make_app: MakeApp, tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("0123456789")
    app = make_app(lambda config: config.add_view(lambda request: FileResponse(path, request), name="file"))
    assert app.get("/file", headers={"Range": "bytes=2-4"}, status=206).text == "234"
    assert app.head("/file").content_length == 10
    assert app.get("/file").text == "0123456789"


# -- the debug toolbar, and pserve -------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the toolbar
def test_the_debug_toolbar_and_uploads_go_together(make_app: MakeApp) -> None:
    def adjust(config: Configurator) -> None:
        config.include("pyramid_debugtoolbar")
        config.add_view(lambda request: Response(PAGE), name="page")

    app = make_app(adjust, **{"debugtoolbar.hosts": "0.0.0.0/0"})
    app.extra_environ["REMOTE_ADDR"] = "127.0.0.1"
    app.get("/log_in?user=ann")
    scripts = [script.get("src", "") for script in app.get("/page").html.select("script")]
    assert scripts.count("/_upload/static/direct-upload.js") == 1
    assert "pDebug" in app.get("/page").text
    receipt = upload_file(app, "report.pdf", b"data")
    assert app.post("/submit", {"document": receipt}).json["content"] == "data"


PAGE = "<!doctype html><html><head></head><body><direct-upload name=document></direct-upload></body></html>"

INI = """
[app:main]
use = call:pserved:main
direct_upload.storage = local:{directory}/uploads
direct_upload.anonymous = true
direct_upload.accept = .pdf, image/*

[server:main]
use = egg:waitress#main
listen = 127.0.0.1:{port}
"""

PSERVED = """
from pyramid.config import Configurator
from pyramid.response import Response

def main(global_config, **settings):
    config = Configurator(settings=settings)
    config.include("direct_upload_middleware.integrations.pyramid")
    config.add_view(lambda request: Response('<input type="file" name="document" data-direct-upload>'))
    return config.make_wsgi_app()
"""


def test_pserve_serves_an_application_with_settings_of_an_ini_file(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (tmp_path / "pserved.py").write_text(PSERVED)
    (tmp_path / "app.ini").write_text(INI.format(directory=tmp_path, port=port))
    command = [sys.executable, "-W", "ignore", "-m", "pyramid.scripts.pserve", "app.ini"]
    environ = {**os.environ, "PYTHONPATH": str(tmp_path)}
    address = f"http://127.0.0.1:{port}"
    with subprocess.Popen(command, cwd=tmp_path, env=environ) as server:
        try:
            assert "/_upload/static/direct-upload.js" in first_page(server, address)
            begun = requests.post(f"{address}/_upload/uploads", json=BODY, timeout=60)
            assert begun.status_code == 201
            wrong = {**BODY, "filename": "a.exe", "type": ""}
            refused = requests.post(f"{address}/_upload/uploads", json=wrong, timeout=60)
            assert refused.json()["code"] == "type-not-accepted"
        finally:
            server.terminate()


def first_page(server: subprocess.Popen[bytes], address: str) -> str:
    """Return the page once the server answers."""
    session = requests.Session()
    session.mount("http://", HTTPAdapter(max_retries=Retry(connect=10, backoff_factor=0.2, backoff_max=10)))
    text = session.get(address, timeout=60).text
    assert server.poll() is None
    return text
