"""Uploads in a Django application."""

# ruff: noqa: E402  Django is configured before its models are imported

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.validate import validator

import pytest
from django import forms
from django.test.utils import override_settings
from helpers.django_project.django_settings import configure
from helpers.invalid_receipts import INVALID_RECEIPTS, become_bob, change
from webtest import TestApp
from webtest import Upload as SentFile

from direct_upload_middleware import ConfigurationError, StorageUnavailable
from direct_upload_middleware.testing import upload_file

configure()

from django.contrib import auth
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core import signals
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.urls import path, reverse
from django.views.decorators.csrf import csrf_exempt

from direct_upload_middleware.integrations.django import current_uploads, session_user, with_direct_uploads
from direct_upload_middleware.integrations.django.forms import UploadField

BODY = {"filename": "report.pdf", "size": 4, "type": "application/pdf"}


class DocumentForm(forms.Form):
    title = forms.CharField()
    document = UploadField(accept=[".pdf", ".txt"])
    pictures = UploadField(multiple=True, required=False)


def log_in(request: HttpRequest, user: str) -> HttpResponse:
    auth.login(request, User.objects.get_or_create(username=user)[0])
    return HttpResponse(str(request.user.pk))


def log_out(request: HttpRequest) -> HttpResponse:
    auth.logout(request)
    return HttpResponse("out")


def document(request: HttpRequest) -> HttpResponse:
    form = DocumentForm(request.POST, request.FILES) if request.method == "POST" else DocumentForm()
    if form.is_valid():
        cleaned = form.cleaned_data
        pictures = [picture.filename for picture in cleaned["pictures"]]
        return JsonResponse({"document": cleaned["document"].filename, "pictures": pictures})
    token = f'<input type="hidden" name="csrfmiddlewaretoken" value="{get_token(request)}">'
    return HttpResponse(f'<form method="post">{token}{form.as_p()}<button>Send</button></form>')


@csrf_exempt
def submit(request: HttpRequest) -> HttpResponse:
    upload = request.META["direct_upload.uploads"].verify(request.POST["document"])
    return JsonResponse({"filename": upload.filename, "owner": upload.owner})


class AgedForm(forms.Form):
    new = UploadField(max_age=60)
    old = UploadField(max_age=-1)


@csrf_exempt
def plain(request: HttpRequest) -> HttpResponse:
    receipt = request.POST["document"]
    form = AgedForm({"new": receipt, "old": [receipt]})
    form.is_valid()
    return JsonResponse({"good": list(form.cleaned_data), "wrong": list(form.errors)})


class ElementForm(forms.Form):
    title = forms.CharField()
    document = UploadField(accept=[".pdf"], multiple=True, element=True)


@csrf_exempt
def element(request: HttpRequest) -> HttpResponse:
    form = ElementForm(request.POST or None, request.FILES or None)
    if form.is_valid():
        return JsonResponse({"names": [upload.filename for upload in form.cleaned_data["document"]]})
    return HttpResponse(f'<form method="post" enctype="multipart/form-data">{form.as_p()}<button>Send</button></form>')


def away(request: HttpRequest) -> HttpResponse:
    raise StorageUnavailable(retry_after=7)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return HttpResponse(f"Our own page: {exception}", status=403)


handler403 = forbidden
urlpatterns = [
    path("log_in/<user>", log_in),
    path("log_out", log_out),
    path("document", document, name="document"),
    path("submit", submit),
    path("plain", plain),
    path("away", away),
    path("element", element),
]


@pytest.fixture(autouse=True, scope="module")
def _database() -> Iterator[None]:
    call_command("migrate", verbosity=0)
    yield
    connection.close()


@pytest.fixture(autouse=True)
def _urls() -> Iterator[None]:
    with override_settings(ROOT_URLCONF=__name__):
        yield


MakeApp = Callable[..., TestApp]


@pytest.fixture
def make_app(tmp_path: Path) -> MakeApp:
    def make(**options: Any) -> TestApp:
        with override_settings(ROOT_URLCONF=__name__, DIRECT_UPLOAD={"storage": f"local:{tmp_path}", **options}):
            return TestApp(validator(with_direct_uploads(validator(get_wsgi_application()))))

    return make


@pytest.fixture
def app(make_app: MakeApp) -> TestApp:
    app = make_app()
    app.get("/log_in/ann")
    return app


def test_the_user_of_the_session_uploads_and_a_view_verifies(make_app: MakeApp) -> None:
    app = make_app()
    primary_key = app.get("/log_in/ann").text
    receipt = upload_file(app, "report.pdf", b"data")
    assert app.post("/submit", {"document": receipt}).json == {"filename": "report.pdf", "owner": primary_key}


def test_the_field_can_be_an_element_with_a_plain_input_inside(app: TestApp) -> None:
    page = app.get("/element").html
    [found] = page.select("direct-upload")
    assert found["name"] == "document"
    assert {"multiple", "required", "id"} <= set(found.attrs)
    assert found["accept"] == found.input["accept"] == ".pdf"
    assert found.input["name"] == "document"
    assert "data-direct-upload" not in found.input.attrs
    assert page.find("script")["src"] == "/_upload/static/direct-upload.js"


def test_an_element_that_is_shown_again_has_its_receipts(app: TestApp) -> None:
    receipts = [upload_file(app, name, b"data") for name in ("a.pdf", "b.pdf")]
    page = app.post("/element", [("document", receipt) for receipt in receipts]).html
    [found] = page.select("direct-upload")
    assert json.loads(found["data-receipts"]) == receipts
    assert [kept["value"] for kept in found.select("input[type=checkbox]")] == receipts


def test_without_javascript_the_input_of_an_element_sends_files(app: TestApp) -> None:
    form = app.get("/element").form
    form["title"] = "Reports"
    form["document"] = [SentFile("a.pdf", b"data"), SentFile("b.pdf", b"data")]
    assert form.submit().json == {"names": ["a.pdf", "b.pdf"]}


def test_uploads_require_a_login(make_app: MakeApp) -> None:
    app = make_app()
    assert app.post_json("/_upload/uploads", BODY, status=401).json["code"] == "not-authenticated"
    app.get("/log_in/ann")
    app.post_json("/_upload/uploads", BODY, status=201)
    app.get("/log_out")
    assert app.post_json("/_upload/uploads", BODY, status=401).json["code"] == "not-authenticated"


@pytest.mark.parametrize("engine", ["db", "signed_cookies"])
def test_an_unreadable_session_is_not_logged_in(make_app: MakeApp, engine: str) -> None:
    with override_settings(SESSION_ENGINE=f"django.contrib.sessions.backends.{engine}"):
        answer = make_app().post_json("/_upload/uploads", BODY, headers={"Cookie": "sessionid=forged"}, status=401)
    assert answer.json["code"] == "not-authenticated"


def test_identify_does_not_change_the_session_when_the_secret_key_changes(app: TestApp) -> None:
    key = app.cookies["sessionid"]
    with override_settings(SECRET_KEY="a new one", SECRET_KEY_FALLBACKS=["a secret of the tests"]):
        app.post_json("/_upload/uploads", BODY, status=201)
    assert Session.objects.filter(session_key=key).exists()
    assert app.post_json("/_upload/uploads", BODY, status=201)


def test_a_user_whose_password_changed_is_not_logged_in(app: TestApp) -> None:
    user = User.objects.get(username="ann")
    user.set_password("another")
    user.save()
    assert app.post_json("/_upload/uploads", BODY, status=401).json["code"] == "not-authenticated"


# -- forms -----------------------------------------------------------------------------------------------------


def test_a_form_renders_the_upload_field(app: TestApp) -> None:
    page = app.get("/document")
    [document] = page.html.select("input[name=document]")
    [pictures] = page.html.select("input[name=pictures]")
    expected = {"type": "file", "data-direct-upload": "", "accept": ".pdf,.txt", "required": ""}
    assert expected.items() <= document.attrs.items()
    assert "multiple" in pictures.attrs
    assert "multiple" not in document.attrs
    assert page.html.find("script")["src"] == "/_upload/static/direct-upload.js"


def test_a_form_cleans_receipts_to_uploads(app: TestApp) -> None:
    page = app.get("/document")
    values = [
        ("csrfmiddlewaretoken", page.form["csrfmiddlewaretoken"].value),
        ("title", "Report"),
        ("document", upload_file(app, "report.pdf", b"data")),
        ("pictures", upload_file(app, "one.png", b"1")),
        ("pictures", upload_file(app, "two.png", b"2")),
    ]
    assert app.post("/document", values).json == {"document": "report.pdf", "pictures": ["one.png", "two.png"]}


def test_a_form_without_its_csrf_token_is_refused(app: TestApp) -> None:
    app.get("/document")
    values = {"title": "Report", "document": upload_file(app, "report.pdf", b"data")}
    assert "csrf" in app.post("/document", values, status=403).text.lower()


def submitted(app: TestApp, *document: str, **values: str) -> TestApp:
    page = app.get("/document")
    token = page.form["csrfmiddlewaretoken"].value
    fields = {"title": "Report", "csrfmiddlewaretoken": token, **values}
    return app.post("/document", [*fields.items(), *(("document", receipt) for receipt in document)])


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        pytest.param(change, "no longer valid", id="changed"),
        pytest.param(become_bob, "started by another user", id="another's"),
        pytest.param(lambda app, receipt: "report.pdf", "no longer valid", id="no script"),
        pytest.param(lambda app, receipt: "", "This field is required", id="nothing"),
    ],
)
def test_an_invalid_receipt_is_an_error_of_the_field(
    app: TestApp, spoil: Callable[[TestApp, str], str], says: str
) -> None:
    receipt = spoil(app, upload_file(app, "report.pdf", b"data"))
    page = submitted(app, receipt)
    assert says in page.html.find(class_="errorlist").text


def test_without_javascript_the_file_itself_is_stored(app: TestApp) -> None:
    token = app.get("/document").form["csrfmiddlewaretoken"].value
    sent = {"document": SentFile("report.pdf", b"1", "application/pdf"), "pictures": SentFile("one.png", b"1")}
    values = {"title": "Report", "csrfmiddlewaretoken": token, **sent}
    assert app.post("/document", values).json == {"document": "report.pdf", "pictures": ["one.png"]}


def test_an_uploaded_file_stays_chosen_when_another_field_is_invalid(app: TestApp) -> None:
    page = submitted(app, upload_file(app, "<b>report.pdf", b"data"), title="")
    [kept] = page.html.select("input[type=checkbox]")
    assert kept.parent.text.strip() == "<b>report.pdf"
    assert "required" not in page.html.select_one("input[type=file]").attrs
    page.form["title"] = "Report"
    assert page.form.submit().json["document"] == "<b>report.pdf"


def test_a_newly_chosen_file_replaces_the_old_one(app: TestApp) -> None:
    old, new = upload_file(app, "old.pdf", b"old"), upload_file(app, "new.pdf", b"new")
    assert submitted(app, old, new, "").json["document"] == "new.pdf"


def test_a_form_accepts_a_plain_dictionary_and_max_age(app: TestApp) -> None:
    receipt = upload_file(app, "report.pdf", b"data")
    assert app.post("/plain", {"document": receipt}).json == {"good": ["new"], "wrong": ["old"]}


# -- errors ----------------------------------------------------------------------------------------------------


@INVALID_RECEIPTS
def test_an_invalid_receipt_shows_the_projects_403_page(
    app: TestApp, spoil: Callable[[TestApp, str], str], says: str
) -> None:
    receipt = spoil(app, upload_file(app, "report.pdf", b"data"))
    assert app.post("/submit", {"document": receipt}, status=403).text.startswith(says)


def test_an_unavailable_storage_is_503_with_retry_after(app: TestApp) -> None:
    answer = app.get("/away", status=503)
    assert answer.headers["Retry-After"] == "7"


def test_outside_a_wrapped_request_the_error_names_the_remedy() -> None:
    with pytest.raises(ConfigurationError, match="Wrap the application"):
        DocumentForm({"title": "x", "document": "y"}).is_valid()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"maxsize": 5}, "did you mean 'max_size'", id="misspelled"),
        pytest.param({"on_complete": "no.such.thing"}, "cannot import 'no.such.thing'", id="no module"),
    ],
)
def test_wrong_settings_are_refused_at_once(make_app: MakeApp, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        make_app(**options)


# -- callables -------------------------------------------------------------------------------------------------

recorded: list[Any] = []


def record(environ: Any, upload: Any) -> None:
    recorded.append((upload.filename, reverse("document"), User.objects.count() > 0))


def test_on_complete_can_be_a_dotted_path_and_use_the_database(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "django_test_callables", sys.modules[__name__])
    app = make_app(on_complete="django_test_callables.record")
    app.get("/log_in/ann")
    upload_file(app, "report.pdf", b"data")
    assert recorded == [("report.pdf", "/document", True)]


def test_calls_of_the_upload_api_send_djangos_request_signals(app: TestApp) -> None:
    seen = []

    def started(**_: Any) -> None:
        seen.append("started")

    def finished(**_: Any) -> None:
        seen.append("finished")

    signals.request_started.connect(started)
    signals.request_finished.connect(finished)
    try:
        app.post_json("/_upload/uploads", BODY, status=201)
    finally:
        signals.request_started.disconnect(started)
        signals.request_finished.disconnect(finished)
    assert seen == ["started", "finished"]


def test_current_uploads_end_with_the_request(app: TestApp) -> None:
    app.get("/document")
    with pytest.raises(ConfigurationError):
        current_uploads()


def test_the_default_identify_needs_no_view(app: TestApp) -> None:
    assert session_user({**app.get("/document").request.environ}) == str(User.objects.get(username="ann").pk)
