"""Downloads by receipt, the script's files, and ``environ["direct_upload.uploads"]``."""

from __future__ import annotations

import io
import time
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from wsgiref.validate import validator

import pytest
from helpers.uploads import EMPTY, ONE, SEVERAL, Site, assert_problem, page, spoilt
from webtest import TestApp

from direct_upload_middleware import DirectUploadMiddleware, InvalidReceipt, NotYours, StorageError, Upload
from direct_upload_middleware.storage import Storage
from direct_upload_middleware.storage.local import LocalStorage
from direct_upload_middleware.tokens import receipts

pytest_plugins = ["helpers.fixtures"]

DATA = [
    pytest.param(EMPTY, id="no bytes"),
    pytest.param(ONE, id="one segment"),
    pytest.param(SEVERAL, id="several segments"),
]


@pytest.mark.parametrize("data", DATA)
def test_a_receipt_leads_its_owner_to_the_file(site: Site, data: bytes) -> None:
    receipt = site.upload(data, filename="your mom's “jokes”.pdf").json["receipt"]
    elsewhere = site.new_browser("ann")

    answer = site.request("GET", f"/files/{receipt}", browser=elsewhere)

    assert (answer.status_int, answer.headers["Cache-Control"]) == (302, "no-store")
    downloaded = site.fetch("GET", answer.headers["Location"])
    assert (downloaded.status, downloaded.body) == (200, data)
    disposition = downloaded.headers["Content-Disposition"]
    assert disposition.startswith("attachment;")
    assert "your%20mom%27s%20%E2%80%9Cjokes%E2%80%9D.pdf" in disposition


def test_inline_lets_the_browser_show_it(site: Site) -> None:
    receipt = site.upload(ONE).json["receipt"]
    answer = site.request("GET", f"/files/{receipt}?inline")
    assert site.fetch("GET", answer.headers["Location"]).headers["Content-Disposition"].startswith("inline")


@pytest.mark.parametrize("user", ["bob", "Ann"])
def test_a_receipt_opens_the_file_for_its_owner_only(local_site: Site, user: str) -> None:
    receipt = local_site.upload(ONE).json["receipt"]
    local_site.log_in(user)  # with ann's cookie
    assert_problem(local_site.request("GET", f"/files/{receipt}"), 403, "not-yours")
    local_site.log_in(None)
    assert_problem(local_site.request("GET", f"/files/{receipt}"), 401, "not-authenticated")


def test_an_anonymous_receipt_is_for_its_cookie(tmp_path: Path) -> None:
    site = Site(LocalStorage(tmp_path), user=None, anonymous=True)
    receipt = site.upload(ONE).json["receipt"]
    assert site.request("GET", f"/files/{receipt}").status_int == 302
    assert_problem(site.request("GET", f"/files/{receipt}", browser=site.new_browser(None)), 403, "not-yours")
    assert_problem(site.request("GET", f"/files/{receipt}", browser=site.new_browser("bob")), 403, "not-yours")


def test_a_malformed_receipt_is_invalid(local_site: Site) -> None:
    begun = local_site.begin()
    begun.send()
    receipt = begun.complete().json["receipt"]
    for wrong in (*list(spoilt(receipt))[::5], begun.ticket, "x", receipt + "=", receipt + "%20", receipt[:-1]):
        assert_problem(local_site.request("GET", f"/files/{wrong}"), 403, "invalid-receipt")


@pytest.mark.parametrize(
    "filename",
    ['a"; filename="b.exe', "a;b", "%0d%0aX-Injected: 1", "<img src=x onerror=alert(1)>.html", "\u202egpj.exe", "\\"],
)
def test_a_filename_cannot_leave_its_header(site: Site, filename: str) -> None:
    done = site.upload(ONE, filename=filename)
    assert done.json["upload"]["filename"] == filename
    headers = site.fetch("GET", done.json["download_url"]).headers
    assert "X-Injected" not in headers
    assert headers["Content-Disposition"].startswith('attachment; filename="')
    assert headers["Content-Disposition"].count('"') == 2


def test_the_script_has_an_etag_and_conditional_requests(local_site: Site) -> None:
    first = local_site.request("GET", "/static/direct-upload.js")
    assert (first.status_int, first.content_type) == (200, "text/javascript")
    assert first.headers["X-Content-Type-Options"] == "nosniff"
    etag = first.headers["ETag"]
    for condition in (etag, "*", f'"other", {etag}', f"W/{etag}"):
        answer = local_site.request("GET", "/static/direct-upload.js", headers={"If-None-Match": condition})
        assert (answer.status_int, answer.body, answer.headers["ETag"]) == (304, b"", etag)
    for condition in ('"other"', "", "garbage", etag.strip('"') + "x"):
        answer = local_site.request("GET", "/static/direct-upload.js", headers={"If-None-Match": condition})
        assert (answer.status_int, answer.body) == (200, first.body)


def test_head_of_the_script(local_site: Site) -> None:
    got, headed = (local_site.request(method, "/static/direct-upload.js") for method in ("GET", "HEAD"))
    assert (headed.status_int, headed.body, headed.headers["ETag"]) == (200, b"", got.headers["ETag"])
    assert headed.headers["Content-Length"] == str(len(got.body))


@pytest.mark.parametrize("range", ["bytes=0-9", "bytes=" + "9" * 5000 + "-", "bytes=5-1", "lines=1"])
def test_a_range_request_for_the_script_gets_the_complete_script(local_site: Site, range: str) -> None:
    assert local_site.request("GET", "/static/direct-upload.js", headers={"Range": range}).status_int == 200


@pytest.mark.parametrize(
    "name",
    [
        "nothing.js",
        "__init__.py",
        "package.json",
        "..",
        "%2e%2e",
        "../setup.py",
        "..%2fsetup.py",
        ".",
        "DIRECT-UPLOAD.JS",
        "a\\b",
    ],
)
def test_nothing_else_is_served(local_site: Site, name: str) -> None:
    assert_problem(local_site.request("GET", f"/static/{name}"), 404, "not-found")


@pytest.mark.parametrize("data", DATA)
def test_verify_returns_the_upload_of_on_complete(site: Site, data: bytes) -> None:
    before = int(time.time())
    begun = site.begin(data, filename="Grüße.pdf")
    begun.send()
    done = begun.complete().json

    upload = site.uploads(lambda uploads: uploads.verify(done["receipt"]))

    assert isinstance(upload, Upload)
    told = {name: getattr(upload, name) for name in ("id", "name", "filename", "type", "size", "etag")}
    assert told == done["upload"]
    assert (upload.owner, upload.container) == ("ann", site.middleware.options.storage.container)
    assert upload.completed.utcoffset() is not None
    assert before - 2 <= upload.completed.timestamp() <= time.time() + 2
    with pytest.raises(AttributeError):
        upload.size = 5


def test_verify_refuses_a_receipt_of_another_requester(local_site: Site) -> None:
    receipt = local_site.upload(ONE).json["receipt"]
    stranger = local_site.new_browser("bob")
    with pytest.raises(NotYours):
        local_site.uploads(lambda uploads: uploads.verify(receipt), browser=stranger)
    with pytest.raises(NotYours):
        local_site.uploads(lambda uploads: uploads.verify(receipt), browser=local_site.new_browser(None))
    taken = local_site.uploads(lambda uploads: uploads.verify(receipt, any_owner=True), browser=stranger)
    assert taken.owner == "ann"


@pytest.mark.parametrize("receipt", ["", "x", ".", "a.b", None, b"x", 5, "\ud800"])
def test_verify_refuses_an_invalid_receipt(local_site: Site, receipt: Any) -> None:
    for any_owner in (False, True):
        with pytest.raises(InvalidReceipt):
            local_site.uploads(lambda uploads, any_owner=any_owner: uploads.verify(receipt, any_owner=any_owner))


def test_verify_may_want_a_young_receipt(local_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    receipt = local_site.upload(ONE).json["receipt"]
    monkeypatch.setattr(receipts, "time", SimpleNamespace(time=lambda: time.time() + 100))
    assert local_site.uploads(lambda uploads: uploads.verify(receipt)).owner == "ann"
    assert local_site.uploads(lambda uploads: uploads.verify(receipt, max_age=200)).owner == "ann"
    with pytest.raises(InvalidReceipt):
        local_site.uploads(lambda uploads: uploads.verify(receipt, max_age=50))


def test_identity_is_asked_for_when_it_is_needed_and_once(tmp_path: Path) -> None:
    asked: list[str] = []

    def identify(environ: dict[str, Any]) -> str:
        asked.append(environ["PATH_INFO"])
        return "ann"

    site = Site(LocalStorage(tmp_path), identify=identify)
    receipt = site.upload(ONE).json["receipt"]
    assert asked == ["/_upload/uploads", f"/_upload/uploads/{asked[1].split('/')[3]}/complete"]
    asked.clear()

    site.visit(lambda environ: None)
    site.request("GET", "/static/direct-upload.js")
    site.uploads(lambda uploads: (uploads.script_tag(), uploads.verify(receipt, any_owner=True)))
    assert asked == []
    assert site.uploads(lambda uploads: (uploads.identity, uploads.identity, uploads.verify(receipt)))[0] == "ann"
    assert asked == ["/page"]


def test_identity_is_none_for_an_anonymous_requester(local_site: Site) -> None:
    assert local_site.uploads(lambda uploads: uploads.identity, browser=local_site.new_browser(None)) is None
    assert local_site.uploads(lambda uploads: uploads.identity, browser=local_site.new_browser("")) is None


@pytest.mark.parametrize("data", DATA)
def test_download_url_gives_the_file_under_the_wanted_name(site: Site, data: bytes) -> None:
    receipt = site.upload(data).json["receipt"]

    def urls(uploads: Any) -> list[str]:
        upload = uploads.verify(receipt)
        return [
            uploads.download_url(upload),
            uploads.download_url(upload, filename="Ünder “another”.pdf"),
            uploads.download_url(upload, inline=True),
        ]

    answers = [site.fetch("GET", url) for url in site.uploads(urls)]
    assert [answer.body for answer in answers] == [data] * 3
    dispositions = [answer.headers["Content-Disposition"] for answer in answers]
    assert "report.pdf" in dispositions[0]
    assert "%C3%9Cnder%20%E2%80%9Canother%E2%80%9D.pdf" in dispositions[1]
    assert [text.partition(";")[0] for text in dispositions] == ["attachment", "attachment", "inline"]


@pytest.mark.parametrize("data", DATA)
def test_open_reads_and_seeks(site: Site, data: bytes) -> None:
    receipt = site.upload(data).json["receipt"]

    def read(uploads: Any) -> None:
        with uploads.open(uploads.verify(receipt)) as file:
            assert file.readable()
            assert file.seekable()
            assert file.read() == data
            assert file.read() == b""
            assert file.seek(0) == 0
            assert file.read(5) == data[:5]
            file.seek(len(data) // 2 - len(data), io.SEEK_END)
            assert file.read() == data[len(data) // 2 :]
            assert file.seek(10**6) == 10**6
            assert file.read() == b""

    site.uploads(read)


@pytest.mark.parametrize("segment_size", [100, 10**6], ids=["several segments", "one segment"])
def test_open_is_good_enough_for_zipfile(storage: Storage, segment_size: int) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("hello.txt", "hello " * 50)
    site = Site(storage, segment_size=segment_size)
    receipt = site.upload(made.getvalue()).json["receipt"]

    def names(uploads: Any) -> tuple[list[str], bytes]:
        with uploads.open(uploads.verify(receipt)) as file, zipfile.ZipFile(file) as archive:
            return archive.namelist(), archive.read("hello.txt")

    assert site.uploads(names) == (["hello.txt"], b"hello " * 50)


@pytest.mark.parametrize("data", DATA)
def test_delete_takes_the_file_away(site: Site, data: bytes) -> None:
    done = site.upload(data).json

    def delete(uploads: Any) -> None:
        upload = uploads.verify(done["receipt"])
        uploads.delete(upload)
        uploads.delete(upload)
        with pytest.raises(StorageError), uploads.open(upload) as file:
            file.read()

    if data:
        site.uploads(delete)
    else:
        site.uploads(lambda uploads: uploads.delete(uploads.verify(done["receipt"])))
    assert site.fetch("GET", done["download_url"]).status == 404


def test_script_tag_loads_the_script(tmp_path: Path) -> None:
    site = Site(LocalStorage(tmp_path), script_name="/a b", mount="/up")
    tag = site.uploads(lambda uploads: uploads.script_tag())
    assert tag == '<script type="module" src="/a%20b/up/static/direct-upload.js"></script>'
    nonce = site.uploads(lambda uploads: uploads.script_tag(nonce='a"><script>'))
    assert nonce.endswith(' nonce="a&quot;&gt;&lt;script&gt;"></script>')


def test_below_script_name_everything_works(tmp_path: Path) -> None:
    site = Site(LocalStorage(tmp_path), script_name="/shop/ü".encode().decode("latin-1"), mount="/files/up")
    prefix = "/shop/%C3%BC/files/up/"
    site._script_name = "/shop/%C3%BC"
    begun = site.begin(SEVERAL)
    assert begun.answer.headers["Location"] == f"{prefix}uploads/{begun.id}"
    assert begun.urls[0].startswith(prefix)
    begun.send()
    done = begun.complete().json
    assert done["download_url"].startswith(prefix)
    assert site.download(done["download_url"]) == SEVERAL
    located = site.request("GET", f"/files/{done['receipt']}").headers["Location"]
    assert located.startswith(prefix)
    assert site.download(located) == SEVERAL


def test_each_request_has_its_own_and_pages_never_ask_storage(tmp_path: Path) -> None:
    class Untouchable(LocalStorage):
        def default_secrets(self) -> tuple[str, ...]:
            raise AssertionError("storage was asked")

    seen: list[Any] = []
    site = Site(Untouchable(tmp_path / "never"), secret=None)
    for _ in range(2):
        site.visit(lambda environ: seen.append(environ["direct_upload.uploads"]))
    assert seen[0] is not seen[1]
    assert not (tmp_path / "never").exists()


@pytest.mark.parametrize("address", ["", "unix:", "not an address"])
def test_bind_ip_signs_nothing_for_an_invalid_address(local_site: Site, address: str) -> None:
    """What cannot be bound is not signed without. Behind a Unix socket the server has to be told the address."""
    site = Site(local_site.storage, bind_ip=True)
    site.browser.extra_environ["REMOTE_ADDR"] = address
    answer = site.request("POST", "/uploads", json={"filename": "a", "size": 1, "type": ""})
    assert_problem(answer, 500, "application-error")


def test_bind_ip_takes_a_mapped_address_for_what_it_is(local_site: Site) -> None:
    """A server that listens on IPv6 for both calls 192.0.2.1 so; for Swift it is 192.0.2.1."""
    site = Site(local_site.storage, bind_ip=True)
    site.browser.extra_environ["REMOTE_ADDR"] = "::ffff:192.0.2.1"
    assert site.begin(ONE).urls[0].endswith("temp_url_ip_range=192.0.2.1")


def test_bind_ip_signs_for_the_requesters_address(storage: Storage) -> None:
    site = Site(storage, bind_ip=True)
    begun = site.begin(ONE)
    assert "temp_url_ip_range=127.0.0.1" in begun.urls[0]
    assert begun.put(0, ONE).status == 201
    assert begun.complete().status_int == 200

    site.browser.extra_environ["REMOTE_ADDR"] = "203.0.113.9"
    away = site.begin(ONE)
    site.browser.extra_environ["REMOTE_ADDR"] = "127.0.0.1"
    assert away.put(0, ONE).status == 401


def test_one_application_may_be_wrapped_twice(tmp_path: Path) -> None:
    """Each under a mount of its own: say, one for pictures and one for films."""
    inner = DirectUploadMiddleware(validator(page), LocalStorage(tmp_path / "a"), mount="/a")
    outer = TestApp(validator(DirectUploadMiddleware(inner, LocalStorage(tmp_path / "b"), mount="/b")))
    for mount in ("/a", "/b"):
        assert outer.get(f"{mount}/static/direct-upload.js").status_int == 200
