"""Uppy's Companion protocol, call by call, as ``@uppy/aws-s3`` speaks it, on every storage."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from helpers.companion import CALLS, FILE, PART, Multipart
from helpers.uploads import SEVERAL, Site, assert_problem, md5, spoilt

from direct_upload_middleware import NotYours, Refused, Upload, UploadRequest
from direct_upload_middleware.storage import Storage
from direct_upload_middleware.storage.local import LocalStorage
from direct_upload_middleware.tokens import tickets

pytest_plugins = ["helpers.fixtures"]

SMALL = b"small"
DATA = [pytest.param(SMALL, id="one part"), pytest.param(SEVERAL, id="several parts")]


@pytest.mark.parametrize("data", DATA)
def test_a_file_is_uploaded_in_parts_and_returns_a_receipt(site: Site, data: bytes) -> None:
    upload = Multipart(site, data)
    upload.send()

    done = upload.complete()

    assert done.status_int == 200
    receipt = done.json["key"]
    assert done.json["receipt"] == receipt
    assert done.json["location"] == f"/_upload/files/{receipt}"
    assert {n: done.json["upload"][n] for n in ("filename", "type", "size")} == {
        "filename": "holiday.mp4", "type": "video/mp4", "size": len(data),
    }  # fmt: skip
    verified = site.uploads(lambda uploads: uploads.verify(receipt))
    assert (verified.filename, verified.size, verified.owner) == ("holiday.mp4", len(data), "ann")
    assert verified.etag == md5("".join(map(md5, upload.pieces)).encode())
    assert site.download(done.json["download_url"]) == data
    assert site.uploads(lambda uploads: uploads.open(verified).read()) == data
    assert site.request("GET", done.json["location"].removeprefix("/_upload")).status_int == 302


def test_completing_again_answers_the_same_receipt(site: Site) -> None:
    upload = Multipart(site, SEVERAL)
    upload.send()
    first, again = upload.complete(), upload.complete()
    assert first.json["receipt"] == again.json["receipt"]


def test_stored_parts_are_listed_by_number_before_and_after_completion(site: Site) -> None:
    upload = Multipart(site, SEVERAL)
    assert upload.call("list").json == []
    upload.put(3, upload.pieces[2])
    upload.put(1, upload.pieces[0])
    listed = [{"PartNumber": n, "Size": len(upload.pieces[n - 1]), **upload.parts[n - 1]} for n in (1, 3)]
    assert upload.call("list").json == listed
    upload.put(2, upload.pieces[1])
    upload.complete()
    assert [part["PartNumber"] for part in upload.call("list").json] == [1, 2, 3]


def test_an_aborted_upload_is_removed(site: Site) -> None:
    upload = Multipart(site, SEVERAL)
    url = upload.request("GET", "/1").json["url"]
    upload.send()

    assert (upload.call("abort").status_int, upload.call("abort").json) == (200, {})

    assert site.fetch("PUT", url, b"!").status == 401
    for call in ("sign", "list", "complete"):
        assert_problem(upload.call(call), 404, "not-found")


@pytest.mark.parametrize("data", DATA)
def test_sweep_removes_abandoned_uploads_only(new_storage: Callable[[], Any], data: bytes) -> None:
    """R4."""
    storage = new_storage()
    site = Site(storage)
    given_up, complete = Multipart(site, data), Multipart(site, data)
    for upload in (given_up, complete):
        upload.send()
    done = complete.complete()

    found = list(storage.sweep(older_than=0))

    assert found
    assert not any(complete.id in finding.name for finding in found)
    assert site.download(done.json["download_url"]) == data
    assert_problem(given_up.call("list"), 404, "not-found")


def test_a_temp_url_is_good_for_minutes(local_site: Site) -> None:
    assert Multipart(local_site, SMALL).call("sign").json["expires"] == 900


@pytest.mark.parametrize("call", CALLS)
def test_a_changed_key_or_another_uploads_key_is_refused(local_site: Site, call: str) -> None:
    """S2, and key and id belong together."""
    upload, other = Multipart(local_site, SEVERAL), Multipart(local_site, SEVERAL)
    for key in (None, "", "x", upload.id, other.key, *spoilt(upload.key)):
        assert_problem(upload.call(call, key=key), 403, "invalid-ticket")
    assert_problem(upload.call(call, id=other.id), 403, "invalid-ticket")


@pytest.mark.parametrize("call", CALLS)
def test_a_key_ends_with_its_time(local_site: Site, call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = Multipart(local_site, SEVERAL)
    later = SimpleNamespace(time=lambda: time.time() + 86401)
    monkeypatch.setattr(tickets, "time", later)  # there only: the browser is to keep its cookie
    assert_problem(upload.call(call), 410, "ticket-expired")


def test_an_anonymous_begin_needs_the_anonymous_option(tmp_path: Path) -> None:
    site = Site(LocalStorage(tmp_path), user=None)
    assert_problem(site.request("POST", "/s3/multipart", json=FILE), 401, "not-authenticated")
    assert_problem(site.request("GET", "/s3/params"), 401, "not-authenticated")


@pytest.mark.parametrize("user", ["ann", None], ids=["somebody", "anonymous"])
@pytest.mark.parametrize("script_name", ["", "/shop"], ids=["at the root", "below a path"])
def test_several_first_uploads_begun_at_once_all_go_on(tmp_path: Path, user: str | None, script_name: str) -> None:
    """Each of them is given a cookie by its answer, and a browser keeps the last; the plugin does not wait."""
    site = Site(LocalStorage(tmp_path), user=user, anonymous=True, script_name=script_name)
    browsers = [site.new_browser(user) for _ in range(3)]
    uploads = [Multipart(site, SEVERAL, browser) for browser in browsers]
    jar = site.browser.cookiejar
    for browser in browsers:
        for cookie in browser.cookiejar:
            jar.set_cookie(cookie)
    for upload in uploads:
        upload.browser = site.browser
        upload.send()
        receipt = upload.complete().json["key"]
        assert site.uploads(lambda uploads, receipt=receipt: uploads.verify(receipt)).size == len(SEVERAL)
        other = site.new_browser("bob")
        with pytest.raises(NotYours):
            site.uploads(lambda uploads, receipt=receipt: uploads.verify(receipt), browser=other)


def test_a_browser_that_has_a_cookie_keeps_it_and_needs_no_other(local_site: Site) -> None:
    first, second = (Multipart(local_site, SMALL).answer.headers.getall("Set-Cookie") for _ in range(2))
    assert [cookie.partition("=")[0] for cookie in first] == ["direct_upload", "direct_upload_own"]
    assert [cookie.partition(";")[0] for cookie in second] == [first[0].partition(";")[0]]
    assert "; path=/_upload/s3/multipart/" in first[1].lower()
    assert {"httponly", "samesite=strict"} <= {attribute.strip().lower() for attribute in first[1].split(";")}


def test_the_application_is_asked_before_and_when_the_size_is_known(tmp_path: Path) -> None:
    asked: list[UploadRequest] = []
    told: list[Upload] = []
    site = Site(
        LocalStorage(tmp_path),
        authorize=lambda environ, request: asked.append(request),
        on_complete=lambda environ, upload: told.append(upload) or {"row": 1},
    )
    upload = Multipart(site, SEVERAL)
    upload.send()
    done = upload.complete()
    assert [(r.filename, r.size, r.type, r.identity) for r in asked] == [
        ("holiday.mp4", size, "video/mp4", "ann") for size in (0, len(SEVERAL))
    ]
    assert [(u.id, u.size) for u in told] == [(upload.id, len(SEVERAL))]
    assert done.json["data"] == {"row": 1}


def test_completing_again_does_not_ask_for_permission_again(tmp_path: Path) -> None:
    """The upload itself may have used up what was left."""
    used = []

    def authorize(environ: Any, request: UploadRequest) -> None:
        if used:
            raise Refused("There is no room left.")

    site = Site(LocalStorage(tmp_path), authorize=authorize, on_complete=lambda environ, upload: used.append(upload))
    upload = Multipart(site, SEVERAL)
    upload.send()
    assert [upload.complete().status_int for _ in range(2)] == [200, 200]


def _no_room(environ: Any, request: UploadRequest) -> None:
    if request.size > 2 * PART:
        raise Refused("There is no room left.", status=403)


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [
        pytest.param({"max_size": 2 * PART}, 413, "too-large", id="max_size"),
        pytest.param({"authorize": _no_room}, 403, "refused", id="authorize"),
    ],
)
def test_a_file_that_turns_out_too_large_is_never_complete(
    new_storage: Callable[[], Storage], options: Any, status: int, code: str
) -> None:
    """It waits for its visitor to give it up; the plugin does so when the file is taken away."""
    upload = Multipart(Site(new_storage(), **options), SEVERAL)
    upload.send()
    for _ in range(2):
        assert_problem(upload.complete(), status, code)
    assert len(upload.call("list").json) == 3
    assert upload.call("abort").status_int == 200
    assert_problem(upload.complete(), 404, "not-found")


def test_a_refused_complete_can_be_tried_again(new_storage: Callable[[], Storage]) -> None:
    upload = Multipart(Site(new_storage(), max_size=PART), SEVERAL)
    upload.send()
    assert_problem(upload.complete(), 413, "too-large")
    browser = upload.browser
    upload.site = Site(new_storage())
    upload.browser = upload.site.browser
    upload.browser.cookiejar = browser.cookiejar
    assert upload.site.download(upload.complete().json["download_url"]) == SEVERAL


def test_a_type_that_is_not_accepted_does_not_even_begin(tmp_path: Path) -> None:
    site = Site(LocalStorage(tmp_path), accept=["image/*"])
    assert_problem(site.request("POST", "/s3/multipart", json=FILE), 415, "type-not-accepted")


def test_an_upload_refused_by_the_application_is_removed(storage: Storage) -> None:
    def on_complete(environ: Any, upload: Upload) -> None:
        raise Refused("Not today.")

    upload = Multipart(Site(storage, on_complete=on_complete), SEVERAL)
    upload.send()
    assert_problem(upload.complete(), 403, "refused")
    assert_problem(upload.call("list"), 404, "not-found")


def test_with_pinned_segments_it_is_the_same(storage: Storage) -> None:
    upload = Multipart(Site(storage, seal="pin"), SEVERAL)
    upload.send()
    done = upload.complete()
    assert upload.site.download(done.json["download_url"]) == SEVERAL


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"filename": None}, "filename"),
        ({"filename": ""}, "filename"),
        ({"filename": "../etc/passwd"}, "filename"),
        ({"filename": "a\r\nb"}, "filename"),
        ({"filename": ["a"]}, "filename"),
        ({"type": None}, "type"),
        ({"type": "text"}, "type"),
        ({"type": "text/html\r\nX: y"}, "type"),
    ],
    ids=str,
)
def test_a_malformed_begin_is_refused(local_site: Site, changes: dict[str, Any], field: str) -> None:
    answer = local_site.request("POST", "/s3/multipart", json=FILE | changes)
    assert_problem(answer, 422, "invalid-request", field=field)


def test_a_type_may_be_left_out(local_site: Site) -> None:
    assert local_site.request("POST", "/s3/multipart", json={"filename": "a"}).status_int == 200


@pytest.mark.parametrize("number", ["0", "-1", "01", "1.0", "one", "%31", "1%20", "%C2%B2", "9" * 400])
def test_a_number_that_no_part_has(local_site: Site, number: str) -> None:
    upload = Multipart(local_site, SMALL)
    expected = {"%31": 200}.get(number, 422)
    assert upload.request("GET", f"/{number}").status_int == expected


def test_more_parts_than_storage_takes_are_too_many(site: Site) -> None:
    upload = Multipart(site, SMALL)
    assert upload.request("GET", "/1000").status_int == 200
    assert_problem(upload.request("GET", "/1001"), 413, "too-large")


@pytest.mark.parametrize(
    "parts",
    [
        None,
        [],
        {},
        "1",
        [1],
        [{}],
        [{"PartNumber": 1}],
        [{"PartNumber": 0, "ETag": md5(SMALL)}],
        [{"PartNumber": 1001, "ETag": md5(SMALL)}],
        [{"PartNumber": True, "ETag": md5(SMALL)}],
        [{"PartNumber": "1", "ETag": md5(SMALL)}],
        [{"PartNumber": 1.0, "ETag": md5(SMALL)}],
        [{"PartNumber": 1, "ETag": "no MD5"}],
        [{"PartNumber": 1, "ETag": md5(SMALL).upper()}],
        [{"PartNumber": 1, "ETag": f'""{md5(SMALL)}""'}],
        [{"PartNumber": 1, "ETag": md5(SMALL)}, {"PartNumber": 1, "ETag": md5(b"other")}],
    ],
    ids=str,
)
def test_parts_that_are_none(local_site: Site, parts: Any) -> None:
    upload = Multipart(local_site, SMALL)
    upload.send()
    answer = upload.request("POST", "/complete", {"parts": parts})
    assert_problem(answer, 422, "invalid-request", field="parts")
    assert upload.complete().status_int == 200


def test_parts_that_are_missing(site: Site) -> None:
    upload = Multipart(site, SEVERAL)
    upload.put(1, upload.pieces[0])
    assert_problem(upload.complete(), 409, "segments-missing", indexes=[2])
    upload.put(3, upload.pieces[2])
    assert_problem(upload.complete(), 409, "segments-missing", indexes=[1])
    assert_problem(upload.complete([upload.parts[0], upload.parts[2]]), 409, "segments-missing", indexes=[1])
    upload.put(2, upload.pieces[1])
    assert upload.complete().status_int == 200


@pytest.mark.parametrize(
    ("stored", "declared", "wrong"),
    [
        pytest.param([b"0123456789", b"01234", b"01"], 3, [1], id="one in between that is short"),
        pytest.param([b"0123456789", b"0123456789!"], 2, [1], id="a last one that is longer"),
        pytest.param([b"0123456789", b"abcdefghij", b"XYZ"], 2, [2], id="more than were declared"),
        pytest.param([b""], 1, [0], id="nothing"),
        pytest.param([b"0123456789", b""], 2, [1], id="an empty end"),
        pytest.param([b"", b"0123456789"], 2, [0], id="an empty beginning"),
    ],
)
def test_parts_that_make_no_file(site: Site, stored: list[bytes], declared: int, wrong: list[int]) -> None:
    upload = Multipart(site, SEVERAL)
    upload.pieces = stored
    upload.send()
    assert_problem(upload.complete(upload.parts[:declared]), 409, "segments-differ", indexes=wrong)


def test_a_part_that_is_not_what_was_declared(site: Site) -> None:
    """S4."""
    upload = Multipart(site, SEVERAL)
    upload.send()
    upload.put(2, b"ABCDEFGHIJ")
    assert_problem(upload.complete(), 409, "segments-differ", indexes=[1])
    upload.put(2, upload.pieces[1])
    assert upload.site.download(upload.complete().json["download_url"]) == SEVERAL


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_file_in_one_request_is_refused_with_what_to_do(local_site: Site, method: str) -> None:
    """Nobody would hear of it: see the documentation."""
    answer = local_site.request(method, "/s3/params?filename=a&type=text%2Fplain")
    assert answer.status == "422 Set the option shouldUseMultipart of @uppy/aws-s3 to true; it cannot send empty files."
    if method == "GET":
        assert_problem(answer, 422, "invalid-request", field="shouldUseMultipart")


def test_the_reason_phrase_has_the_problem_for_uppy(tmp_path: Path) -> None:
    def authorize(environ: Any, request: UploadRequest) -> None:
        raise Refused(request.filename)

    site = Site(LocalStorage(tmp_path), authorize=authorize)
    for filename, phrase in (("Ask Bob first.", "Ask Bob first."), ("Bob fragen: ä", "Refused")):
        answer = site.request("POST", "/s3/multipart", json=FILE | {"filename": filename})
        assert answer.status == f"403 {phrase}"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/s3/multipart", "POST"),
        ("POST", "/s3/params", "GET, HEAD"),
        ("POST", "/s3/multipart/x", "GET, HEAD, DELETE"),
        ("GET", "/s3/multipart/x/complete", "POST"),
        ("PUT", "/s3/multipart/x/1", "GET, HEAD"),
    ],
)
def test_other_methods_are_not_for_it(local_site: Site, method: str, path: str, allowed: str) -> None:
    answer = local_site.request(method, path)
    assert_problem(answer, 405, "method-not-allowed")
    assert answer.headers["Allow"] == allowed


@pytest.mark.parametrize(
    "path", ["/s3", "/s3/", "/s3/multipart/", "/s3/multipart/x/1/2", "/s3/sts", "/s3/multipart//1"]
)
def test_there_is_nothing_else(local_site: Site, path: str) -> None:
    assert_problem(local_site.request("GET", path), 404, "not-found")
