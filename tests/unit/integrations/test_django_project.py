"""A Django project with INSTALLED_APPS and MIDDLEWARE alone: WSGI, ASGI, the test client, file fields, the admin."""

# ruff: noqa: E402  Django is configured before its models are imported

from __future__ import annotations

import asyncio
import gzip
import io
import json
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

import pytest
from django import forms
from django.test.utils import override_settings
from helpers.django_project.django_settings import configure
from PIL import Image
from webtest import TestApp
from webtest import Upload as SentFile

from direct_upload_middleware import ConfigurationError
from direct_upload_middleware.testing import UploadFailed, download_file, upload_file
from direct_upload_middleware.testing.private_swift.server import SwiftServer

configure()

from django.contrib import admin, auth
from django.contrib.auth.models import User
from django.core.asgi import get_asgi_application
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect
from django.test import AsyncClient, Client
from django.urls import path
from django_webtest import DjangoTestApp
from helpers.django_project.django_documents.models import Document, Page

from direct_upload_middleware.integrations.django import current_uploads, upload_store, with_direct_uploads
from direct_upload_middleware.integrations.django.checks import check_middleware, check_settings
from direct_upload_middleware.integrations.django.forms import UploadField
from direct_upload_middleware.integrations.django.storage import pack, unpack

DIRECT_UPLOADS = "direct_upload_middleware.integrations.django.DirectUploads"
GZIP = "django.middleware.gzip.GZipMiddleware"
MIDDLEWARE = [
    GZIP,
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    DIRECT_UPLOADS,
]
NAME = "笑い話 “1”.txt"
PNG = io.BytesIO()
Image.new("RGB", (3, 2)).save(PNG, "PNG")


class DocumentForm(forms.ModelForm):
    class Meta:
        model = Document
        fields = ("title", "file", "picture")


class UploadForm(forms.Form):
    title = forms.CharField(max_length=5)
    document = UploadField()
    pictures = UploadField(multiple=True, required=False)


def log_in(request: HttpRequest, user: str) -> HttpResponse:
    auth.login(request, User.objects.get_or_create(username=user)[0])
    return HttpResponse()


def page_with(request: HttpRequest, form: forms.Form | forms.ModelForm) -> HttpResponse:
    token = f'<input type="hidden" name="csrfmiddlewaretoken" value="{get_token(request)}">'
    html = f'<form method="post" enctype="multipart/form-data">{token}{form.as_p()}<button>Send</button></form>'
    return HttpResponse(f"{html}<p>{'padding ' * 100}</p>")


def document(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    instance = Document.objects.get(pk=pk) if pk else None
    form = DocumentForm(request.POST or None, request.FILES or None, instance=instance)
    return redirect(f"/download/{form.save().pk}") if form.is_valid() else page_with(request, form)


def download(request: HttpRequest, pk: int) -> HttpResponse:
    return redirect(Document.objects.get(pk=pk).file.url)


def upload(request: HttpRequest) -> HttpResponse:
    form = UploadForm(request.POST or None, request.FILES or None)
    if not form.is_valid():
        return page_with(request, form)
    pictures = [picture.filename for picture in form.cleaned_data["pictures"]]
    return JsonResponse({"document": form.cleaned_data["document"].to_dict(), "pictures": pictures})


def stream(request: HttpRequest) -> HttpResponse:
    def body() -> Iterator[str]:
        yield '<input type="file" data-direct-upload>'
        yield str(current_uploads().identity)

    return StreamingHttpResponse(body())


async def stream_async(request: HttpRequest) -> HttpResponse:
    async def body() -> AsyncIterator[str]:
        yield '<input type="file" data-direct-upload>'
        yield str(current_uploads().__class__.__name__)

    return StreamingHttpResponse(body())


def file(request: HttpRequest) -> FileResponse:
    return FileResponse(open(__file__, "rb"))


urlpatterns = [
    path("log_in/<user>", log_in),
    path("document", document),
    path("document/<int:pk>", document),
    path("download/<int:pk>", download),
    path("upload", upload),
    path("stream", stream),
    path("stream_async", stream_async),
    path("file", file),
    path("admin/", admin.site.urls),
]


@pytest.fixture(autouse=True, scope="module")
def _database() -> Iterator[None]:
    call_command("migrate", verbosity=0, run_syncdb=True)
    yield
    connection.close()


@pytest.fixture(autouse=True)
def project(tmp_path: Path) -> Iterator[None]:
    options = {"storage": f"local:{tmp_path}"}
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=MIDDLEWARE, DIRECT_UPLOAD=options):
        yield
    Document.objects.all().delete()


@pytest.fixture
def client() -> Client:
    client = Client()
    client.get("/log_in/ann")
    return client


@pytest.fixture
def app() -> TestApp:
    app = TestApp(validator(get_wsgi_application()))
    app.get("/log_in/ann")
    return app


# -- the middleware --------------------------------------------------------------------------------------------


def test_the_test_client_uploads_and_the_view_gets_the_upload(client: Client) -> None:
    receipt = upload_file(client, NAME, b"x" * 100, content_type="text/plain")
    answer = client.post("/upload", {"title": "Jokes", "document": receipt}).json()
    assert answer["document"] | {"filename": NAME, "size": 100, "type": "text/plain"} == answer["document"]


def test_webtest_uploads_and_fills_a_form(app: TestApp) -> None:
    form = app.get("/upload").form
    form["title"] = "Jokes"
    form["document"] = upload_file(app, NAME, b"data")
    form["pictures"] = [upload_file(app, name, b"data") for name in ("1.png", "2.png")]
    answer = form.submit().json
    assert (answer["document"]["filename"], answer["pictures"]) == (NAME, ["1.png", "2.png"])


def test_without_javascript_the_form_sends_the_files(app: TestApp) -> None:
    form = app.get("/upload").form
    form["title"] = "Jokes"
    form["document"] = SentFile("a.txt", b"data")
    form["pictures"] = [SentFile("1.png", b"data"), SentFile("2.png", b"data")]
    answer = form.submit().json
    assert (answer["document"]["filename"], answer["pictures"]) == ("a.txt", ["1.png", "2.png"])
    with upload_store().open(unpack_dict(answer["document"])) as stored:
        assert stored.read() == b"data"


def unpack_dict(values: dict[str, Any]) -> Any:
    from direct_upload_middleware import Upload

    return Upload.from_dict(values)


def test_an_empty_required_field_is_an_error_of_the_field(app: TestApp) -> None:
    form = app.get("/upload").form
    form["title"] = "Jokes"
    assert "This field is required" in form.submit().text


def test_a_page_has_the_script_through_gzip(client: Client) -> None:
    page = client.get("/upload", headers={"Accept-Encoding": "gzip"})
    assert page.headers["Content-Encoding"] == "gzip"
    assert b"/_upload/static/direct-upload.js" in gzip.decompress(page.content)
    script = client.get("/_upload/static/direct-upload.js")
    assert script.headers["Content-Type"].startswith("text/javascript")


def test_uploads_require_a_login() -> None:
    with pytest.raises(UploadFailed, match="not-authenticated"):
        upload_file(Client(), NAME, b"data")


@pytest.mark.parametrize("code", ["cross-site", "segments-missing", "segments-differ", "invalid-ticket", "not-yours"])
def test_fail_with_works_with_djangos_client(client: Client, code: str) -> None:
    with pytest.raises(UploadFailed, match=code):
        upload_file(client, NAME, b"data", fail_with=code)
    assert upload_file(client, NAME, b"data")


def test_csrf_protection_does_not_stop_the_upload_api() -> None:
    client = Client(enforce_csrf_checks=True)
    client.get("/log_in/ann")
    assert upload_file(client, NAME, b"data")


def test_the_uploads_are_current_until_a_stream_is_sent(client: Client, app: TestApp) -> None:
    user = User.objects.get(username="ann").pk
    body = b"".join(client.get("/stream"))  # type: ignore[arg-type]
    assert body.endswith(f'direct-upload.js"></script>{user}'.encode()) or str(user).encode() in body
    assert str(user) in app.get("/stream").text
    with override_settings(MIDDLEWARE=MIDDLEWARE[1:-1]):
        wrapped = TestApp(validator(with_direct_uploads(get_wsgi_application())))
        wrapped.get("/log_in/ann")
        assert str(user) in wrapped.get("/stream").text
    with pytest.raises(ConfigurationError):
        current_uploads()


def test_files_keep_their_file_wrapper(app: TestApp) -> None:
    used: list[Any] = []

    def wrapper(file: Any, size: int) -> Any:
        used.append(file)
        return FileWrapper(file, size)

    app.get("/file", extra_environ={"wsgi.file_wrapper": wrapper})
    assert used


# -- ASGI ------------------------------------------------------------------------------------------------------


async def exchange(method: str, url: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Any:
    """Send one request to the ASGI application."""
    path, _, query = url.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(b"host", b"localhost"), *((n.lower().encode(), v.encode()) for n, v in (headers or {}).items())],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
        "scheme": "http",
    }
    sent: list[dict[str, Any]] = []
    received = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if received:
            return received.pop()
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await get_asgi_application()(scope, receive, send)  # type: ignore[arg-type]
    start = next(message for message in sent if message["type"] == "http.response.start")
    return start, b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")


def test_the_asgi_application_uploads_and_downloads() -> None:
    async def go() -> bytes:
        options = {"content-type": "application/json"}
        begin = json.dumps({"filename": NAME, "size": 4, "type": ""}).encode()
        start, body = await exchange("POST", "/_upload/uploads", begin, options)
        assert start["status"] == 201, body
        cookie = next(value for name, value in start["headers"] if name.lower() == b"set-cookie").decode()
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        begun = json.loads(body)
        headers = {"upload-ticket": begun["ticket"], "cookie": cookie.partition(";")[0], **options}
        start, body = await exchange("PUT", begun["segments"][0]["url"], b"data", {"content-length": "4"})
        assert start["status"] == 201, body
        etag = "8d777f385d3dfec8815d20f7496026dc"
        segments = json.dumps({"segments": [{"index": 0, "etag": etag}]}).encode()
        start, body = await exchange("POST", f"/_upload/uploads/{begun['id']}/complete", segments, headers)
        assert start["status"] == 200, body
        start, body = await exchange("GET", json.loads(body)["download_url"])
        assert start["status"] == 200
        return body

    with override_settings(DIRECT_UPLOAD={**settings_options(), "anonymous": True, "identify": nobody}):
        assert asyncio.run(go()) == b"data"


def nobody(environ: dict[str, Any]) -> None:
    """Identify nobody: SQLite's database in memory belongs to one thread."""


def settings_options() -> dict[str, Any]:
    from django.conf import settings

    return dict(settings.DIRECT_UPLOAD)


@pytest.mark.parametrize("path", ["/stream_async", "/upload"])
def test_a_page_under_asgi_has_the_script(path: str) -> None:
    with override_settings(DIRECT_UPLOAD={**settings_options(), "anonymous": True, "identify": nobody}):
        start, body = asyncio.run(exchange("GET", path))
    assert start["status"] == 200
    assert b'src="/_upload/static/direct-upload.js"' in body
    assert path == "/upload" or b"RequestUploads" in body


def test_an_asgi_application_cannot_be_wrapped() -> None:
    with pytest.raises(ConfigurationError, match="MIDDLEWARE"):
        with_direct_uploads(get_asgi_application())  # type: ignore[arg-type]


def test_the_asynchronous_test_client_gets_pages() -> None:
    async def go() -> HttpResponse:
        return await AsyncClient().get("/upload")  # type: ignore[return-value]

    with override_settings(DIRECT_UPLOAD={**settings_options(), "anonymous": True, "identify": nobody}):
        assert "direct-upload.js" in asyncio.run(go()).content.decode()


# -- file fields -----------------------------------------------------------------------------------------------


def test_an_ordinary_file_field_keeps_the_uploaded_file(app: TestApp, tmp_path: Path) -> None:
    form = app.get("/document").form
    form["title"] = "Jokes"
    form["file"] = upload_file(app, NAME, b"data")
    form["picture"] = upload_file(app, "one.png", PNG.getvalue(), content_type="image/png")
    stored = sorted(tmp_path.rglob("*"))
    answer = form.submit()
    assert sorted(tmp_path.rglob("*")) == stored  # nothing was copied
    made = Document.objects.get()
    assert (made.file.size, made.file.name.rpartition("/")[2], len(made.file.name) <= 100) == (4, NAME, True)
    with made.file.open() as file:
        assert file.read() == b"data"
    assert (made.picture.width, made.picture.height) == (3, 2)
    downloaded = download_file(app, answer.location)
    assert (downloaded.filename, downloaded.data) == (NAME, b"data")


def test_a_form_of_django_webtest_takes_receipts_and_files(app: TestApp) -> None:
    client = DjangoTestApp()
    client.get("/log_in/ann")
    form = client.get("/upload").form
    form["title"] = "Jokes"
    form["document"] = upload_file(client, NAME, b"data")
    form["pictures"] = [upload_file(client, "1.png", b"1"), upload_file(client, "2.png", b"2")]
    answer = form.submit().json
    assert (answer["document"]["filename"], answer["pictures"]) == (NAME, ["1.png", "2.png"])
    form = client.get("/document").form
    form["title"] = "Jokes"
    form["file"] = SentFile("a.txt", b"data", "text/plain")
    assert download_file(client, form.submit().location).data == b"data"


def test_an_ordinary_file_field_stores_a_file_without_javascript(app: TestApp) -> None:
    form = app.get("/document").form
    form["title"] = "Jokes"
    form["file"] = SentFile("a.txt", b"data", "text/plain")
    answer = form.submit()
    assert download_file(app, answer.location).data == b"data"


def test_a_file_can_be_kept_cleared_and_changed(app: TestApp) -> None:
    made = Document(title="Jokes")
    made.file.save("a.txt", ContentFile("tëxt"))
    form = app.get(f"/document/{made.pk}").form
    form.submit()
    made.refresh_from_db()
    assert made.file.read().decode() == "tëxt"
    form["file"] = upload_file(app, "b.txt", b"new")
    form.submit()
    made.refresh_from_db()
    assert made.file.read() == b"new"
    form = app.get(f"/document/{made.pk}").form
    form["file-clear"] = True
    form.submit()
    made.refresh_from_db()
    assert not made.file


def test_saving_deleting_and_asking_for_files() -> None:
    made = Document(title="Report")
    made.file.save("report.txt", ContentFile(b"data"))
    name = made.file.name
    assert default_storage.exists(name)
    assert default_storage.size(name) == 4
    assert made.file.url.startswith("/_upload/local/")
    made.file.delete()
    assert not default_storage.exists(name)
    assert not default_storage.exists("no such name")


def test_another_requesters_receipt_is_no_file(app: TestApp) -> None:
    receipt = upload_file(app, "a.txt", b"data")
    app.get("/log_in/bob")
    form = app.get("/document").form
    form["title"] = "Jokes"
    form["file"] = receipt
    form.submit()
    assert not Document.objects.get().file


RANDOM_NAME = {"name": "1" * 32, "etag": "2" * 32}
OWN_NAME = {"name": "of/ann/笑.txt", "etag": "2" * 32 + "-3"}
"""A name that the application chose, and the ETag of several segments. It needs a longer column."""


@pytest.mark.parametrize(
    ("values", "max_length"),
    [(RANDOM_NAME, None), (RANDOM_NAME, 100), (RANDOM_NAME, 300), (OWN_NAME, None), (OWN_NAME, 300)],
)
def test_names_in_the_database_are_read_back(values: dict[str, str], max_length: int | None) -> None:
    upload = unpack_dict({"id": "0" * 32, "size": 5 * 1024**4, "filename": "x" * 30 + ".txt", **values})
    name = pack(upload, max_length)
    found = unpack(name)
    assert (found.id, found.name, found.size, found.etag) == (upload.id, upload.name, upload.size, upload.etag)
    assert max_length is None or len(name) <= max_length
    assert found.filename.endswith("x.txt")


# -- formsets and the admin ------------------------------------------------------------------------------------


@pytest.mark.parametrize("multiple", [False, True])
@pytest.mark.parametrize("required", [False, True])
def test_an_untouched_form_of_a_formset_has_not_changed(multiple: bool, required: bool) -> None:
    class Row(forms.Form):
        title = forms.CharField()
        files = UploadField(multiple=multiple, required=required)

    data = {"form-TOTAL_FORMS": "2", "form-INITIAL_FORMS": "0", "form-0-title": "", "form-1-title": ""}
    formset = forms.formset_factory(Row, extra=2)(data)
    assert formset.is_valid()
    assert [form.has_changed() for form in formset.forms] == [False, False]


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda made, upload: made.file, id="FieldFile"),
        pytest.param(lambda made, upload: upload, id="Upload"),
        pytest.param(lambda made, upload: upload.to_dict(), id="dictionary"),
        pytest.param(lambda made, upload: [upload], id="list"),
        pytest.param(lambda made, upload: None, id="None"),
        pytest.param(lambda made, upload: Document().file, id="empty FieldFile"),
    ],
)
@pytest.mark.parametrize("multiple", [False, True])
def test_a_form_with_an_initial_file_is_shown_and_keeps_it(make: Callable[[Any, Any], Any], multiple: bool) -> None:
    class Edit(forms.Form):
        file = UploadField(multiple=multiple, required=False)

    made = Document(title="Report")
    made.file.save("report.txt", ContentFile(b"data"))
    initial = make(made, unpack(made.file.name))
    html = Edit(initial={"file": initial}).as_p()
    assert ("report.txt" in html) == bool(initial)
    form = Edit({}, initial={"file": initial})
    assert form.is_valid()
    assert not form.has_changed()
    if initial:
        assert form.cleaned_data["file"] == initial


def test_the_admin_uploads_in_its_form_and_its_inlines() -> None:
    User.objects.create_superuser("root", password="secret")
    client = Client()
    client.login(username="root", password="secret")
    page = client.get("/admin/django_documents/document/add/").content.decode()
    assert page.count("data-direct-upload") == 4  # file, picture, one row, and the row that is copied
    assert "/_upload/static/direct-upload.js" in page
    values = {
        "title": "Report",
        "file": upload_file(client, "report.txt", b"data"),
        "page_set-TOTAL_FORMS": "2",
        "page_set-INITIAL_FORMS": "0",
        "page_set-0-scan": upload_file(client, "one.txt", b"one"),
    }
    answer = client.post("/admin/django_documents/document/add/", values)
    assert answer.status_code == 302, answer.content.decode()
    made = Document.objects.get()
    assert made.file.read() == b"data"
    assert [page.scan.read() for page in Page.objects.filter(document=made)] == [b"one"]
    page = client.get(f"/admin/django_documents/document/{made.pk}/change/").content.decode()
    assert "Currently" in page
    assert "report.txt" in page


# -- checks and commands ---------------------------------------------------------------------------------------


def test_correct_settings_pass_the_checks() -> None:
    assert check_settings(None) == []
    assert check_middleware(None) == []


def test_wrong_settings_are_reported_by_name() -> None:
    with override_settings(DIRECT_UPLOAD={"maxsize": 5}):
        [error] = check_settings(None)
    assert (error.id, "did you mean 'max_size'" in error.msg) == ("direct_upload.E001", True)


def test_a_missing_or_misplaced_middleware_is_reported() -> None:
    with override_settings(MIDDLEWARE=[]):
        assert [warning.id for warning in check_middleware(None)] == ["direct_upload.W001"]
    with override_settings(MIDDLEWARE=[DIRECT_UPLOADS, GZIP]):
        [warning] = check_middleware(None)
    assert (warning.id, GZIP in str(warning.hint)) == ("direct_upload.W002", True)


def test_a_path_cannot_identify_users() -> None:
    with override_settings(DIRECT_UPLOAD={"identify": "/whoami"}):
        [error] = check_settings(None)
    assert "callable" in error.msg


def test_the_management_command_sweeps(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UploadFailed):
        upload_file(client, "lost.txt", b"data", fail_with="segments-differ")
    call_command("direct_upload", "sweep", "--older-than", "0")
    assert "Removed 1" in capsys.readouterr().out


def test_the_management_command_examines_a_swift(
    swift_server: SwiftServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in swift_server.environ().items():
        monkeypatch.setenv(name, value)
    with override_settings(DIRECT_UPLOAD={"storage": "swift://django", "secret": "a secret, with 16 bytes"}):
        call_command("direct_upload", "setup")
        call_command("direct_upload", "doctor", "--origin", "http://app.example.com")
    assert "the temp URL key of django_staging comes from this secret" in capsys.readouterr().out


def test_a_failing_command_is_a_command_error() -> None:
    with pytest.raises(CommandError, match="for Swift storages only"):
        call_command("direct_upload", "doctor", "--origin", "http://app.example.com")
    with pytest.raises(CommandError, match="not a duration"):
        call_command("direct_upload", "sweep", "--older-than", "3x")
