"""What every example must do, for their tests to inherit: the same pages, whatever makes them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from wsgiref.validate import validator

import pytest
import requests
from webtest import TestApp, TestResponse
from webtest import Upload as SentFile

from direct_upload_middleware.testing import upload_file
from helpers.uploads import Answered, new_container

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

PASSWORDS = {"alice": "wonderland", "bob": "builder"}
SEE = "30[23] *"  # the status of a redirection after a form
SECRET = "a-secret-of-the-tests"
on_both_storages = pytest.mark.parametrize("storage", ["local", "swift"], indirect=True)
BODY = {"filename": "notes.txt", "size": 5, "type": "text/plain"}


class Checks:
    """A class of tests; a subclass says which example it is for."""

    make_app: Callable[[Path, str, str], WSGIApplication]
    clean_up: Callable[..., int]

    @pytest.fixture
    def storage(self, request: pytest.FixtureRequest, tmp_path: Path) -> str:
        """Its URL: a directory, or a container in a real Swift for the tests that ask for both."""
        if getattr(request, "param", "local") == "local":
            return f"local:{tmp_path / 'files'}"
        request.getfixturevalue("swift_environ")
        return f"swift://{new_container()}"

    @pytest.fixture
    def visitor(self, tmp_path: Path, storage: str) -> TestApp:
        """A browser that nobody has logged in with."""
        return TestApp(validator(type(self).make_app(tmp_path, storage, SECRET)))

    @pytest.fixture
    def alice(self, visitor: TestApp) -> TestApp:
        return logged_in(visitor, "alice")

    @pytest.fixture
    def clean(self, tmp_path: Path, storage: str) -> Callable[[timedelta], int]:
        """Do what the example does once a day, with another age."""
        return lambda age: type(self).clean_up(tmp_path, storage, SECRET, age)

    @on_both_storages
    def test_a_file_is_uploaded_listed_and_downloaded_under_its_own_name(self, alice: TestApp) -> None:
        submit(alice, upload_file(alice, "笑い話 “1”.txt", b"12345"), title="Jokes")
        [link] = links(alice)
        assert link.text == "Jokes"
        answer = follow(alice, link["href"])
        assert answer.body == b"12345"
        assert "filename*=UTF-8''%E7%AC%91" in answer.headers["Content-Disposition"]

    def test_several_files_are_submitted_at_once(self, alice: TestApp) -> None:
        submit(alice, *[upload_file(alice, name, b"x") for name in ("one.txt", "two.txt")])
        assert {link.text for link in links(alice)} == {"one.txt", "two.txt"}

    def test_without_javascript_the_form_sends_the_files(self, alice: TestApp) -> None:
        form = alice.get("/").forms["upload"]
        form["document"] = [SentFile("one.txt", b"x"), SentFile("two.txt", b"x")]
        form.submit(status=SEE)
        assert {link.text for link in links(alice)} == {"one.txt", "two.txt"}

    def test_a_file_is_on_the_shelf_once_its_form_is_sent(self, alice: TestApp) -> None:
        receipts = [upload_file(alice, f"{number}.txt", b"12345") for number in range(2)]
        assert links(alice) == []
        assert "2 files are on your shelf" in submit(alice, *receipts).follow().html.select_one(".message").text
        assert len(links(alice)) == 2
        details = alice.get("/").html.select_one(".details").text
        assert "5 bytes" in details

    def test_a_removed_file_is_forgotten_unless_its_form_was_sent(self, alice: TestApp) -> None:
        removed, sent = (upload_file(alice, name, b"x") for name in ("removed.txt", "sent.txt"))
        submit(alice, sent)
        alice.delete(f"/_upload/files/{removed}", status=204)
        assert alice.delete(f"/_upload/files/{sent}", status=403).json["detail"] == "This file is on the shelf."
        submit(alice, removed)
        assert [link.text for link in links(alice)] == ["sent.txt"]

    @on_both_storages
    def test_an_upload_whose_form_is_never_sent_is_deleted_after_a_day(
        self, alice: TestApp, clean: Callable[[timedelta], int]
    ) -> None:
        abandoned, sent = (upload_file(alice, name, b"x") for name in ("abandoned.txt", "sent.txt"))
        submit(alice, sent)
        assert clean(timedelta(days=1)) == 0
        assert clean(timedelta(0)) == 1
        alice.get(f"/_upload/files/{abandoned}", status=404)
        alice.get(f"/_upload/files/{sent}", status=302)
        assert clean(timedelta(0)) == 0

    def test_filenames_are_escaped(self, alice: TestApp) -> None:
        submit(alice, upload_file(alice, "<img src=x onerror=alert(1)>.html", b"x"))
        assert [link.text for link in links(alice)] == ["<img src=x onerror=alert(1)>.html"]

    def test_another_user_cannot_see_download_or_delete_it(self, alice: TestApp, visitor: TestApp) -> None:
        receipt = upload_file(alice, "diary.txt", b"dear diary")
        submit(alice, receipt)
        [link] = links(alice)
        bob = logged_in(visitor, "bob")
        assert links(bob) == []
        bob.get(link["href"], status=404)
        post(bob, link["href"] + "/delete", status=404)
        post(bob, link["href"] + "/restore", status=404)
        refused = submit(bob, receipt, status="*")
        assert refused.status_int in (200, 403)
        assert "another user" in refused.text
        assert len(links(alice)) == 1

    def test_a_changed_receipt_shows_an_error(self, alice: TestApp) -> None:
        refused = submit(alice, upload_file(alice, "notes.txt", b"12345")[:-1], status="*")
        assert refused.status_int in (200, 403)
        assert "malformed or was changed" in refused.text or "no longer valid" in refused.text

    @on_both_storages
    def test_a_deleted_file_can_be_restored_for_a_day(self, alice: TestApp, clean: Callable[[timedelta], int]) -> None:
        receipt = upload_file(alice, "regret.txt", b"...")
        submit(alice, receipt)
        [link] = links(alice)
        url = alice.get(link["href"], status=SEE).location
        deleted = post(alice, link["href"] + "/delete", status=SEE).follow()
        assert links(alice) == []
        alice.get(link["href"], status=404)
        message = deleted.html.select_one(".message")
        assert "“regret.txt” was deleted." in message.text
        post(alice, message["action"], status=SEE)
        assert len(links(alice)) == 1
        post(alice, link["href"] + "/delete", status=SEE)
        submit(alice, receipt)
        assert links(alice) == [], "a form that was sent late brought it back"
        assert (clean(timedelta(days=1)), clean(timedelta(0))) == (0, 1)
        post(alice, message["action"], status=404)
        assert fetch(alice, url).status == 404

    def test_uploads_require_a_login(self, visitor: TestApp, alice: TestApp) -> None:
        visitor.post_json("/_upload/uploads", BODY, status=401)
        alice.post_json("/_upload/uploads", BODY, status=201)
        post(alice, "/logout", status=SEE)
        alice.post_json("/_upload/uploads", BODY, status=401)

    @pytest.mark.parametrize(("user", "password"), [("alice", "builder"), ("alice", ""), ("nobody", ""), ("", "")])
    def test_a_wrong_password_does_not_log_in(self, visitor: TestApp, user: str, password: str) -> None:
        answer = log_in(visitor, user, password)
        assert answer.status_int in (200, 403)
        assert "Wrong username or password." in answer.text

    def test_only_the_upload_page_has_the_script(self, visitor: TestApp, alice: TestApp) -> None:
        assert "<script" not in log_in_page(visitor).text
        assert alice.get("/").html.find("script")["src"] == "/_upload/static/direct-upload.js"
        assert alice.get("/style.css").content_type == "text/css"


def log_in_page(browser: TestApp) -> TestResponse:
    return browser.get("/").maybe_follow()


def log_in(browser: TestApp, user: str, password: str) -> TestResponse:
    form = log_in_page(browser).forms[0]
    form["username"], form["password"] = user, password
    return form.submit(status="*")


def logged_in(visitor: TestApp, user: str) -> TestApp:
    """The same application in another browser, logged in."""
    browser = TestApp(visitor.app)
    assert log_in(browser, user, PASSWORDS[user]).status_int in (302, 303)
    return browser


def links(browser: TestApp) -> list[Any]:
    return list(browser.get("/").html.select(".items .title"))


def submit(browser: TestApp, *receipts: str, title: str = "", status: Any = SEE) -> TestResponse:
    """The upload form, with what the script puts into it."""
    form = browser.get("/").forms["upload"]
    form["title"] = title
    fields = [(name, value) for name, value in form.submit_fields() if name != "document"]
    url = form.action or "/"
    return browser.post(url, [*fields, *(("document", receipt) for receipt in receipts)], status=status)


def post(browser: TestApp, url: str, status: int | str) -> TestResponse:
    """A button's form, with the token against cross-site requests where the page has one."""
    token = browser.get("/").html.select_one("input[name^=csrf]")
    return browser.post(url, {token["name"]: token["value"]} if token else {}, status=status)


def follow(browser: TestApp, url: str) -> Answered:
    return fetch(browser, browser.get(url, status=SEE).location)


def fetch(browser: TestApp, url: str) -> Answered:
    """What a temp URL gives, wherever the storage is."""
    if urlsplit(url).hostname in (None, "localhost"):
        answer = browser.get(url, status="*")
        return Answered(answer.status_int, answer.headers, answer.body)
    raw = requests.get(url, timeout=30)
    return Answered(raw.status_code, raw.headers, raw.content)
