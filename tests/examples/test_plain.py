"""The example without a framework, over its own HTTP, with files in a directory."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from pathlib import Path
from wsgiref.validate import validator

import pytest
from webob import Request
from webtest import TestApp
from webtest import Upload as SentFile

from direct_upload_middleware.testing import upload_file
from examples.plain.app import clean_up, make_app
from examples.plain.database import Database

SECRET = "a secret of the tests"
PASSWORDS = {"alice": "wonderland", "bob": "builder"}


@pytest.fixture
def visitor(tmp_path: Path) -> TestApp:
    """A browser that nobody has logged in with."""
    return TestApp(validator(make_app(tmp_path, f"local:{tmp_path / 'files'}", SECRET)))


def logged_in(visitor: TestApp, user: str) -> TestApp:
    """The same application in another browser, logged in."""
    browser = TestApp(visitor.app)
    browser.post("/login", {"username": user, "password": PASSWORDS[user]}, status=303)
    return browser


@pytest.fixture
def alice(visitor: TestApp) -> TestApp:
    return logged_in(visitor, "alice")


@pytest.fixture
def bob(visitor: TestApp) -> TestApp:
    return logged_in(visitor, "bob")


def links(browser: TestApp) -> list[str]:
    return [link["href"] for link in browser.get("/").html.select(".items .title")]


def test_only_the_shelf_page_has_the_script(visitor: TestApp, alice: TestApp) -> None:
    assert "<script" not in visitor.get("/").text
    page = alice.get("/")
    nonce = page.html.script["nonce"]
    assert f"script-src 'nonce-{nonce}'" in page.headers["Content-Security-Policy"]
    assert alice.get("/").html.script["nonce"] != nonce


@pytest.mark.parametrize(
    ("username", "password"),
    [
        pytest.param("alice", "builder", id="another's password"),
        pytest.param("alice", "", id="no password"),
        pytest.param("mallory", "wonderland", id="an unknown user"),
        pytest.param("alicé", "wönderland", id="not ASCII"),
    ],
)
def test_a_wrong_password_does_not_log_in(visitor: TestApp, username: str, password: str) -> None:
    answer = visitor.post("/login", {"username": username, "password": password}, status=403)
    assert "Wrong username or password." in answer.text
    assert "Log out" not in visitor.get("/").text


def test_the_session_cookie_is_http_only_and_same_site(visitor: TestApp) -> None:
    answer = visitor.post("/login", {"username": "alice", "password": "wonderland"})
    cookie = answer.headers["Set-Cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


def test_a_forged_session_is_ignored(visitor: TestApp, alice: TestApp) -> None:
    visitor.set_cookie("shelf_session", alice.cookies["shelf_session"][:-1] + "!")
    assert "Log out" not in visitor.get("/").text


def test_logging_out_ends_the_session(alice: TestApp) -> None:
    alice.post("/logout", status=303)
    assert "Log out" not in alice.get("/").text
    alice.post_json("/_upload/uploads", {"filename": "a", "size": 1, "type": ""}, status=401)


def test_an_upload_is_pending_until_the_form_is_submitted(tmp_path: Path, alice: TestApp) -> None:
    removed, sent = (upload_file(alice, name, b"12345") for name in ("wrong.txt", "notes.txt"))
    assert links(alice) == []
    alice.delete(f"/_upload/files/{removed}", status=204)
    page = alice.post("/files", {"title": "", "file": sent}, status=303).follow()
    assert [item.text for item in page.html.select(".items .title")] == ["notes.txt"]
    assert page.html.select_one("[role=status]").text == "One file is on your shelf."
    alice.delete(f"/_upload/files/{sent}", status=403)
    upload_file(alice, "abandoned.txt", b"12345")
    for age, number in ((timedelta(days=1), 0), (timedelta(0), 1)):
        assert clean_up(tmp_path, f"local:{tmp_path / 'files'}", SECRET, age) == number
    assert len(links(alice)) == 1


def test_the_form_sets_the_title(alice: TestApp) -> None:
    receipt = upload_file(alice, "notes.txt", b"12345")
    for title in ("First", "Second"):
        alice.post("/files", {"title": title, "file": receipt}, status=303)
        [item] = alice.get("/").html.select(".items li")
        assert (item.select_one(".title").text, item.select_one(".details bdi").text) == (title, "notes.txt")


def test_a_download_has_the_original_name_and_the_bytes(alice: TestApp) -> None:
    receipt = upload_file(alice, "笑い話 “1”.pdf", b"ha ha", content_type="application/pdf")
    alice.post("/files", {"title": "", "file": receipt})
    [link] = links(alice)
    answer = alice.get(link, status=303).follow()
    assert answer.body == b"ha ha"
    assert answer.content_type == "application/pdf"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert "UTF-8''%E7%AC%91%E3%81%84%E8%A9%B1" in answer.headers["Content-Disposition"]


def test_users_see_only_their_own_files(alice: TestApp, bob: TestApp, visitor: TestApp) -> None:
    receipt = upload_file(alice, "diary.txt", b"dear diary")
    alice.post("/files", {"title": "", "file": receipt})
    [link] = links(alice)
    assert links(bob) == []
    bob.get(link, status=404)
    bob.post(f"{link}/delete", status=404)
    bob.get(f"/_upload/files/{receipt}", status=403)
    assert "another user" in bob.post("/files", {"file": receipt}, status=403).text
    assert visitor.get(link, status=303).location == "http://localhost/"
    assert links(alice) == [link]


def test_deleting_can_be_undone_until_the_file_is_cleaned_up(tmp_path: Path, alice: TestApp) -> None:
    receipt = upload_file(alice, "regret.txt", b"...")
    alice.post("/files", {"title": "", "file": receipt})
    [link] = links(alice)
    download = alice.get(link).location
    page = alice.post(f"{link}/delete", status=303).follow()
    assert links(alice) == []
    assert "was deleted" in page.html.select_one(".message").text
    alice.post(page.html.select_one(".message")["action"], status=303)
    assert links(alice) == [link]
    alice.post(f"{link}/delete", status=303)
    alice.post("/files", {"title": "Back", "file": receipt}, status=303)
    assert links(alice) == [], "a form that was sent late brought it back"
    assert clean_up(tmp_path, f"local:{tmp_path / 'files'}", SECRET, timedelta(0)) == 1
    alice.get(download, status=404)
    alice.post("/files", {"title": "Back", "file": receipt}, status=303)
    assert links(alice) == [], "a form that was sent late brought it back"


@pytest.mark.parametrize("path", ["/login", "/logout", "/files", f"/files/{'0' * 32}/delete"])
@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Sec-Fetch-Site": "cross-site"}, id="as modern browsers say"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, id="a sibling domain"),
        pytest.param({"Origin": "https://evil.example"}, id="as older browsers say"),
        pytest.param({"Origin": "null"}, id="a sandboxed frame"),
    ],
)
def test_cross_site_requests_change_nothing(alice: TestApp, path: str, headers: dict[str, str]) -> None:
    alice.post(path, {"username": "bob", "password": "builder"}, headers=headers, status=403)
    assert "alice" in alice.get("/").html.select_one(".session").text


def test_user_input_is_escaped(alice: TestApp) -> None:
    receipt = upload_file(alice, "<img src=x onerror=alert(1)>.html", b"x")
    alice.post("/files", {"title": '"><script>alert(1)</script>', "file": receipt})
    page = alice.get("/")
    [item] = page.html.select(".items li")
    assert item.select_one(".title").text == '"><script>alert(1)</script>'
    assert item.select_one(".details bdi").text == "<img src=x onerror=alert(1)>.html"
    assert page.html.img is None
    assert len(page.html.select("script")) == 1


@pytest.mark.parametrize(
    "receipts",
    [
        pytest.param([], id="none"),
        pytest.param([""], id="empty"),
    ],
)
def test_a_form_without_receipts_names_the_remedy(alice: TestApp, receipts: list[str]) -> None:
    answer = alice.post("/files", [("title", ""), *(("file", receipt) for receipt in receipts)], status=422)
    assert answer.html.select_one("[role=alert]").text


def test_a_form_with_an_invalid_receipt_says_so(alice: TestApp) -> None:
    answer = alice.post("/files", [("title", ""), ("file", "holidays.jpg")], status=403)
    assert "receipt" in answer.html.select_one("[role=alert]").text


def test_without_javascript_the_form_sends_the_files(alice: TestApp) -> None:
    form = alice.get("/").forms[1]
    form["file"] = [SentFile("a.txt", b"12345"), SentFile("b.txt", b"")]
    form["title"] = "Two"
    form.submit(status=303)
    assert len(alice.get("/").html.select(".items .title")) == 2


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param(b"{}", "application/json", id="JSON"),
        pytest.param(b"text", "text/plain", id="text"),
    ],
)
def test_a_body_that_is_not_a_form_is_refused(alice: TestApp, body: bytes, content_type: str) -> None:
    alice.post("/files", body, content_type=content_type, status=400)


@pytest.mark.parametrize("path", ["/nothing", "/files/1", "/files/../secret", f"/files/{'0' * 32}"])
def test_unknown_paths_are_not_found(alice: TestApp, path: str) -> None:
    assert "nothing here" in alice.get(path, status=404).text


def test_a_path_that_is_not_utf_8_is_refused(visitor: TestApp) -> None:
    request = Request.blank("/", environ={"PATH_INFO": "/\xff"})
    answer = request.get_response(visitor.app)
    with closing(answer.app_iter):
        assert answer.status_code == 400


def test_other_methods_are_not_allowed(alice: TestApp) -> None:
    assert alice.delete("/", status=405).headers["Allow"] == "GET, HEAD, POST"


def test_an_upload_completed_twice_is_recorded_once(tmp_path: Path, alice: TestApp) -> None:
    alice.post("/files", {"title": "kept", "file": upload_file(alice, "once.txt", b"1")})
    database = Database(tmp_path / "shelf.sqlite3")
    [item] = database.of("alice")
    database.record(item.upload)
    assert database.of("alice") == [item]
    assert item.title == "kept"
