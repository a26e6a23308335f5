"""The whole applications with which the documentation begins do what it says, as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from textwrap import dedent
from typing import Any
from wsgiref.validate import validator

import pytest
from webtest import TestApp
from webtest import Upload as SentFile

from direct_upload_middleware import Refused, StorageError, UploadStore
from direct_upload_middleware.testing import upload_file

DOCS = Path(__file__).parents[2] / "docs"
LITERAL_BLOCK = re.compile(r"::\n\n((?: {4}.*\n|\n)+)")
PYTHON_BLOCK = re.compile(r"^\.\. code:: python\n\n((?: {4}.*\n|\n)+)", re.MULTILINE)


@pytest.fixture(params=["wsgi", "bottle", "flask", "pyramid"])
def browser(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestApp:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / f"first_{request.param}.py"
    return TestApp(validator(imported(path, first_application(request.param), monkeypatch).app))


def first_application(page: str) -> str:
    return dedent(PYTHON_BLOCK.findall((DOCS / f"{page}.rst").read_text(encoding="utf-8"))[0])


def imported(path: Path, code: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    path.write_text(code, encoding="utf-8")
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    monkeypatch.setitem(sys.modules, path.stem, module)
    spec.loader.exec_module(module)
    return module


def test_a_file_is_uploaded_and_the_form_is_answered(browser: TestApp, tmp_path: Path) -> None:
    page = browser.get("/").html
    assert page.find("script")["src"] == "/_upload/static/direct-upload.js"
    assert page.form.input["name"] == "document"
    answer = browser.post("/", {"document": upload_file(browser, "report.pdf", b"data")})
    assert "report.pdf" in answer.text
    assert "4" in answer.text
    assert (tmp_path / ".direct-upload").is_dir()


def test_without_javascript_the_file_itself_is_stored(browser: TestApp) -> None:
    form = browser.get("/").form
    form["document"] = SentFile("report.pdf", b"data")
    answer = form.submit()
    assert "report.pdf" in answer.text
    assert "4" in answer.text


def test_the_application_has_at_most_30_lines_of_code() -> None:
    for page in ("wsgi", "bottle", "flask", "pyramid", "django"):
        assert len([line for line in first_application(page).splitlines() if line.strip()]) <= 30


def test_a_changed_receipt_is_403(browser: TestApp) -> None:
    receipt = upload_file(browser, "report.pdf", b"data")
    browser.post("/", {"document": receipt[:-1]}, status=403)


# -- the record ------------------------------------------------------------------------------------------------


def test_the_record_keeps_what_was_sent_and_deletes_what_was_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    documents = imported(tmp_path / "documents.py", (DOCS / "documents.py").read_text("utf-8"), monkeypatch)
    store = UploadStore()
    sent, abandoned, new, removed = (store.store(b"data", filename=f"{n}.txt", owner="ann") for n in range(4))
    for upload in (sent, sent, abandoned, new, removed):
        documents.record({}, upload)
    assert documents.uploads_of("ann") == []
    documents.save([sent])
    documents.record({}, sent)
    documents.forget({}, removed)
    documents.forget({}, removed)
    with pytest.raises(Refused):
        documents.forget({}, sent)
    old = "UPDATE documents SET created = datetime('now', '-25 hours') WHERE id != ?"
    documents.execute(old, new.id)
    documents.delete_abandoned(store)
    assert documents.uploads_of("ann") == [documents.find("ann", sent.id)] == [sent]
    assert documents.find("bob", sent.id) is None
    assert [id for (id,) in documents.execute("SELECT id FROM documents WHERE pending")] == [new.id]
    with store.open(sent) as file:
        assert file.read() == b"data"
    with pytest.raises(StorageError), store.open(abandoned) as file:
        file.read()


# -- Django, whose settings are a process's own ----------------------------------------------------------------

VISIT = """
from django.core.management import call_command
from mysite.wsgi import application
from webtest import TestApp
from direct_upload_middleware.testing import upload_file

call_command("migrate", verbosity=0)
browser = TestApp(application)
form = browser.get("/").forms[0]
assert browser.get("/").html.find("script")["src"] == "/_upload/static/direct-upload.js"
receipt = upload_file(browser, "report.pdf", b"data")
csrf = ("csrfmiddlewaretoken", form["csrfmiddlewaretoken"].value)
print(browser.post("/", [csrf, ("document", receipt)]).json)
print("no longer valid" in browser.post("/", [csrf, ("document", receipt[:-1])]).text)
"""


def test_a_new_django_project_accepts_a_file(tmp_path: Path) -> None:
    text = (DOCS / "django.rst").read_text(encoding="utf-8")
    settings, *_ = map(dedent, LITERAL_BLOCK.findall(text))
    run(tmp_path, "-m", "django", "startproject", "mysite", ".")
    append(tmp_path / "mysite" / "settings.py", settings)
    (tmp_path / "mysite" / "urls.py").write_text(first_application("django"), encoding="utf-8")
    assert run(tmp_path, "-c", VISIT) == "{'filename': 'report.pdf', 'size': 4}\nTrue\n"


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def run(directory: Path, *command: str) -> str:
    environ = {**os.environ, "PYTHONPATH": str(DOCS.parent)}
    environ.pop("DJANGO_SETTINGS_MODULE", None)
    outcome = subprocess.run(
        [sys.executable, *command], cwd=directory, env=environ, capture_output=True, text=True, timeout=60
    )
    assert outcome.returncode == 0, outcome.stderr
    return outcome.stdout
