"""Uploads in forms of Deform."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from wsgiref.validate import validator

import colander
import deform
import pytest
from pyramid.config import Configurator
from pyramid.response import Response
from webtest import TestApp
from webtest import Upload as SentFile

from direct_upload_middleware.integrations.deform import UploadType, UploadWidget
from direct_upload_middleware.testing import upload_file

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Deform's dependencies
PDF = b"%PDF-1.7"


class DocumentSchema(colander.Schema):
    title = colander.SchemaNode(colander.String())
    document = colander.SchemaNode(UploadType(), widget=UploadWidget(accept=[".pdf"]))
    pictures = colander.SchemaNode(UploadType(multiple=True), missing=[])


def not_empty(node: Any, upload: Any) -> None:
    if upload.size == 0:
        raise colander.Invalid(node, f"{upload.filename} is empty.")


class StrictSchema(colander.Schema):
    document = colander.SchemaNode(UploadType(max_age=60), validator=not_empty)


def view(schema: type[colander.Schema], bind: bool) -> Any:
    def show(request: Any) -> Any:
        node = schema().bind(request=request) if bind else schema()
        form = deform.Form(node, buttons=("send",), use_ajax=False)
        if request.method == "GET":
            return Response(form.render())
        try:
            values = form.validate(request.POST.items())
        except deform.ValidationFailure as error:
            return Response(error.render())
        pictures = [picture.filename for picture in values.get("pictures", [])]
        return {"document": values["document"].filename, "pictures": pictures}

    return show


@pytest.fixture
def app(tmp_path: Path) -> TestApp:
    settings = {"direct_upload.storage": f"local:{tmp_path}", "direct_upload.anonymous": True}
    config = Configurator(settings=settings)
    config.include("direct_upload_middleware.integrations.pyramid")
    config.add_view(view(DocumentSchema, True), renderer="json")
    config.add_view(view(DocumentSchema, False), name="unbound", renderer="json")
    config.add_view(view(StrictSchema, True), name="strict", renderer="json")
    return TestApp(validator(config.make_wsgi_app()))


def send(app: TestApp, path: str = "/", title: str = "Reports", **receipts: list[str]) -> Any:
    """Submit the form with what the page's script puts into it, in the order of its fields."""
    form = app.get(path).form
    fields: list[tuple[str, Any]] = []
    for name, value in form.submit_fields("send"):
        if name in ("document", "pictures"):
            continue
        fields.append((name, title if name == "title" else value))
        if (name, value) == ("__start__", "pictures:sequence"):
            fields += [("pictures", receipt) for receipt in receipts.get("pictures", [])]
    fields += [("document", receipt) for receipt in receipts.get("document", [])]
    return app.post(path, fields)


def test_the_form_has_elements_and_the_script(app: TestApp) -> None:
    page = app.get("/").html
    document, pictures = page.select("direct-upload")
    assert (document["name"], document["accept"]) == ("document", ".pdf")
    assert "required" in document.attrs
    assert "multiple" not in document.attrs
    assert document.input["type"] == "file"
    assert "multiple" in pictures.attrs
    assert "required" not in pictures.attrs
    assert page.select_one('script[src="/_upload/static/direct-upload.js"]')


@pytest.mark.parametrize("path", ["/", "/unbound"])
def test_receipts_become_uploads(app: TestApp, path: str) -> None:
    document, *pictures = (upload_file(app, name, PDF) for name in ("ä.pdf", "1.png", "2.png"))
    answer = send(app, path, document=[document], pictures=pictures)
    assert answer.json == {"document": "ä.pdf", "pictures": ["1.png", "2.png"]}


def test_a_field_for_several_files_may_have_one_or_none(app: TestApp) -> None:
    document, picture = (upload_file(app, name, PDF) for name in ("a.pdf", "1.png"))
    assert send(app, document=[document], pictures=[picture]).json["pictures"] == ["1.png"]
    assert send(app, document=[document]).json["pictures"] == []


def test_without_javascript_files_are_stored(app: TestApp) -> None:
    form = app.get("/").form
    form["title"] = "Reports"
    form["document"] = SentFile("a.pdf", PDF)
    form["pictures"] = [SentFile("1.png", PDF), SentFile("2.png", b"")]
    assert form.submit("send").json == {"document": "a.pdf", "pictures": ["1.png", "2.png"]}


def test_a_form_that_is_shown_again_keeps_its_uploads(app: TestApp) -> None:
    document, picture = (upload_file(app, name, PDF) for name in ("<a>.pdf", "1.png"))
    page = send(app, title="", document=[document], pictures=[picture]).html
    receipts = [found["data-receipts"] for found in page.select("direct-upload")]
    assert receipts == [f'["{document}"]', f'["{picture}"]']
    assert [kept["value"] for kept in page.select("input[type=checkbox]")] == [document, picture]
    assert "<a>.pdf" in page.select_one("direct-upload").text


def test_a_missing_upload_is_the_fields_error(app: TestApp) -> None:
    assert "Required" in send(app).text


def test_a_changed_receipt_is_the_fields_error_and_not_kept(app: TestApp) -> None:
    page = send(app, document=[upload_file(app, "a.pdf", PDF)[:-1]])
    assert "This upload is no longer valid" in page.text
    assert not page.html.select("[data-receipts]")


def test_validators_see_the_upload(app: TestApp) -> None:
    assert "a.pdf is empty." in send(app, "/strict", document=[upload_file(app, "a.pdf", b"")]).text


def test_another_visitors_receipt_is_the_fields_error(app: TestApp) -> None:
    other = TestApp(app.app)
    assert "another user" in send(app, document=[upload_file(other, "a.pdf", PDF)]).text
