"""The HTTP API, call by call, on every storage: begin, sign, status, complete, abort."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from helpers.uploads import EMPTY, ONE, SEVERAL, BegunUpload, Site, assert_problem, md5, swift_storage

from direct_upload_middleware.storage import Storage
from direct_upload_middleware.storage.local import LocalStorage
from direct_upload_middleware.testing.private_swift.server import SwiftServer

pytest_plugins = ["helpers.fixtures"]

DATA = [
    pytest.param(EMPTY, id="no bytes"),
    pytest.param(ONE, id="one segment"),
    pytest.param(SEVERAL, id="several segments"),
]
ONE_AND_SEVERAL = DATA[1:]
BODY = {"filename": "report.pdf", "size": 8, "type": "application/pdf"}


def test_begin_answers_a_plan_a_ticket_and_the_first_temp_urls(site: Site) -> None:
    before = int(time.time())

    answer = site.begin(SEVERAL).answer

    begun = answer.json
    assert answer.status_int == 201
    assert set(begun) == {
        "id", "ticket", "expires", "segment_size", "segment_count", "parallel", "checksum", "segments",
    }  # fmt: skip
    assert answer.headers["Location"].endswith(f"/_upload/uploads/{begun['id']}")
    assert before + 86400 <= begun["expires"] <= time.time() + 86400
    assert (begun["segment_size"], begun["segment_count"], begun["parallel"]) == (10, 3, 4)
    assert begun["checksum"] == "md5"
    assert [(s["index"], s["offset"], s["size"]) for s in begun["segments"]] == [(0, 0, 10), (1, 10, 10), (2, 20, 3)]
    for segment in begun["segments"]:
        assert set(segment) == {"index", "offset", "size", "method", "url", "headers", "expires"}
        assert segment["method"] == "PUT"
        assert isinstance(segment["headers"], dict)
        assert before + 898 <= segment["expires"] <= time.time() + 902


def test_begin_returns_the_owner_of_the_browsers_records(site: Site) -> None:
    assert site.request("GET", "/owner").json == {"owner": None}
    owner = site.begin().answer.headers["Upload-Owner"]
    assert re.fullmatch("[0-9a-f]{64}", owner)
    answer = site.request("GET", "/owner")
    assert (answer.status_int, answer.json) == (200, {"owner": owner})
    assert answer.headers["Cache-Control"] == "no-store"
    assert site.begin().answer.headers["Upload-Owner"] == owner


@pytest.mark.parametrize(("size", "count", "signed"), [(0, 1, 1), (1, 1, 1), (10, 1, 1), (11, 2, 2), (400, 40, 16)])
def test_begin_signs_the_first_sixteen_segments_at_most(site: Site, size: int, count: int, signed: int) -> None:
    begun = site.begin(b"x" * size)
    assert begun.answer.json["segment_count"] == count
    assert [segment["index"] for segment in begun.segments] == list(range(signed))


def test_a_temp_url_does_not_outlive_its_ticket(storage: Storage) -> None:
    begun = Site(storage, ticket_ttl=60, url_ttl=900).begin()
    assert begun.segments[0]["expires"] <= begun.answer.json["expires"] + 2


@pytest.mark.parametrize(
    ("script_name", "path"), [("", "/"), ("/shop", "/shop"), ("/a b", "/a%20b")], ids=["root", "below", "quoted"]
)
def test_the_cookie_is_for_the_application_and_for_no_script(tmp_path: Path, script_name: str, path: str) -> None:
    answer = Site(LocalStorage(tmp_path), script_name=script_name, ticket_ttl=3600).begin().answer

    cookie = SimpleCookie(answer.headers["Set-Cookie"])["direct_upload"]
    assert re.fullmatch("[0-9a-f]{32}", cookie.value)
    assert cookie["httponly"] is True
    assert cookie["samesite"] == "Strict"
    assert cookie["path"] == path
    assert cookie["max-age"] == "3600"
    assert cookie["secure"] == ""
    assert cookie["domain"] == ""


def test_the_cookie_is_secure_under_https(tmp_path: Path) -> None:
    answer = Site(LocalStorage(tmp_path), scheme="https").begin().answer
    assert SimpleCookie(answer.headers["Set-Cookie"])["direct_upload"]["secure"] is True


def test_a_second_begin_keeps_the_cookie(local_site: Site) -> None:
    first, second = (SimpleCookie(local_site.begin().answer.headers["Set-Cookie"]) for _ in range(2))
    assert first["direct_upload"].value == second["direct_upload"].value


def test_a_cookie_that_we_did_not_make_is_replaced(local_site: Site) -> None:
    answer = local_site.request("POST", "/uploads", json=BODY, headers={"Cookie": "direct_upload=chosen"})
    assert re.fullmatch("[0-9a-f]{32}", SimpleCookie(answer.headers["Set-Cookie"])["direct_upload"].value)


@pytest.mark.parametrize("header", ['other="\\377"', 'other="\xff"', "=; ;;", "a=b=c; direct_upload"])
def test_cookies_of_others_that_cannot_be_read_do_no_harm(local_site: Site, header: str) -> None:
    answer = local_site.request("POST", "/uploads", json=BODY, headers={"Cookie": header})
    assert answer.status_int == 201


def test_of_several_cookies_the_one_of_the_nearest_path_counts(local_site: Site) -> None:
    """A browser sends the cookie with the longest path first (RFC 6265, 5.4): another application may have one at /."""
    begun = local_site.begin()
    ours = SimpleCookie(begun.answer.headers["Set-Cookie"])["direct_upload"].value
    both = {"Cookie": f"direct_upload={ours}; direct_upload={'0' * 32}", "Upload-Ticket": begun.ticket}

    answer = local_site.request("GET", f"/uploads/{begun.id}", headers=both, browser=local_site.new_browser())

    assert answer.status_int == 200


def test_sign_answers_each_index_once_in_order(site: Site) -> None:
    begun = site.begin(SEVERAL)
    segments = begun.sign([2, 0, 2, 0])
    assert [(s["index"], s["offset"], s["size"]) for s in segments] == [(0, 0, 10), (2, 20, 3)]
    assert begun.put(2, SEVERAL[20:]).status == 201


def test_sign_accepts_an_empty_list(site: Site) -> None:
    assert site.begin(SEVERAL).sign([]) == []


def test_sign_takes_a_hundred_indexes_and_no_more(local_site: Site) -> None:
    begun = local_site.begin(b"x" * 1500)
    assert len(begun.sign(list(range(100)))) == 100
    answer = local_site.request(
        "POST", f"/uploads/{begun.id}/segments", json={"indexes": list(range(101))}, ticket=begun.ticket
    )
    assert_problem(answer, 422, "invalid-request", field="indexes")


@pytest.mark.parametrize("indexes", [[3], [-1], ["0"], [0.0], [True], [None], {}, "0", 0, None, [[0]], [10**30]])
def test_sign_refuses_invalid_indexes(local_site: Site, indexes: Any) -> None:
    begun = local_site.begin(SEVERAL)
    answer = local_site.request("POST", f"/uploads/{begun.id}/segments", json={"indexes": indexes}, ticket=begun.ticket)
    assert_problem(answer, 422, "invalid-request", field="indexes")


@pytest.mark.parametrize("data", DATA)
def test_sign_and_abort_after_complete_are_too_late(site: Site, data: bytes) -> None:
    begun = site.begin(data)
    begun.send()
    assert begun.complete().status_int == 200

    assert_problem(site.call("sign", begun), 409, "already-complete")
    assert_problem(begun.abort(), 409, "already-complete")
    assert site.download(begun.complete().json["download_url"]) == data


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("call", ["sign", "status", "complete"])
def test_after_abort_the_upload_is_not_found(site: Site, data: bytes, call: str) -> None:
    begun = site.begin(data)
    begun.send()
    assert begun.abort().status_int == 204
    assert_problem(site.call(call, begun), 404, "not-found")


@pytest.mark.parametrize("data", DATA)
def test_status_lists_stored_segments_until_the_upload_is_complete(site: Site, data: bytes) -> None:
    begun = site.begin(data)
    assert begun.status() == {"id": begun.id, "state": "open", "stored": []}

    begun.send()
    declared = begun.declared
    sizes = [len(piece) for piece in begun.pieces()]
    stored = [{**entry, "size": size} for entry, size in zip(declared, sizes, strict=True)]
    assert begun.status() == {"id": begun.id, "state": "open", "stored": stored}

    receipt = begun.complete().json["receipt"]
    status = begun.status()
    assert (status["state"], status["receipt"]) == ("complete", receipt)


def test_status_lists_the_first_segments(site: Site) -> None:
    begun = site.begin(SEVERAL)
    begun.put(1, SEVERAL[10:20])
    assert begun.status()["stored"] == [{"index": 1, "size": 10, "etag": md5(SEVERAL[10:20])}]


@pytest.mark.parametrize("data", DATA)
def test_complete_answers_receipt_upload_and_download_url(site: Site, data: bytes) -> None:
    begun = site.begin(data, filename="Grüße “1”.pdf")
    begun.send()

    done = begun.complete()

    assert done.status_int == 200
    assert done.headers["Cache-Control"] == "no-store"
    assert set(done.json) == {"receipt", "upload", "download_url", "data"}
    assert done.json["data"] is None
    upload = done.json["upload"]
    assert set(upload) == {"id", "name", "filename", "type", "size", "etag"}
    assert (upload["id"], upload["filename"], upload["type"]) == (begun.id, "Grüße “1”.pdf", "application/pdf")
    assert upload["size"] == len(data)
    etags = [entry["etag"] for entry in begun.declared]
    assert upload["etag"] == (etags[0] if len(etags) == 1 else md5("".join(etags).encode()))
    assert re.fullmatch("[0-9a-f]{32}", upload["name"])
    downloaded = site.fetch("GET", done.json["download_url"])
    assert (downloaded.status, downloaded.body) == (200, data)
    assert downloaded.headers["Content-Type"].partition(";")[0] == "application/pdf"
    assert downloaded.headers["ETag"].strip('"') == upload["etag"]
    assert downloaded.headers["Content-Disposition"].startswith("attachment")
    assert "Gr%C3%BC%C3%9Fe%20%E2%80%9C1%E2%80%9D.pdf" in downloaded.headers["Content-Disposition"]


@pytest.mark.parametrize("data", DATA)
def test_complete_answers_the_same_again(site: Site, data: bytes) -> None:
    begun = site.begin(data)
    begun.send()
    first, again = begun.complete(), begun.complete()
    assert again.status_int == 200
    for member in ("receipt", "upload", "data"):
        assert again.json[member] == first.json[member]
    assert site.download(again.json["download_url"]) == data


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("tells", [False, True], ids=["", "with on_complete"])
def test_complete_at_once_makes_one_upload(storage: Storage, data: bytes, tells: bool) -> None:
    options = {"on_complete": lambda environ, upload: upload.id} if tells else {}
    site = Site(storage, **options)
    begun = site.begin(data)
    begun.send()
    calls = 8
    barrier = Barrier(calls)

    def complete(_: int) -> Any:
        barrier.wait()
        return begun.complete()

    with ThreadPoolExecutor(calls) as pool:
        answers = list(pool.map(complete, range(calls)))

    assert [answer.status_int for answer in answers] == [200] * calls, [answer.text for answer in answers]
    assert len({answer.json["receipt"] for answer in answers}) == 1
    assert site.download(answers[0].json["download_url"]) == data
    assert begun.status()["receipt"] == answers[0].json["receipt"]


@pytest.mark.parametrize("data", DATA)
def test_complete_before_anything_was_sent_says_what_is_missing(site: Site, data: bytes) -> None:
    begun = site.begin(data)
    every = list(range(len(begun.pieces())))
    assert_problem(begun.complete(), 409, "segments-missing", indexes=every)
    begun.send()
    assert begun.complete().status_int == 200


def test_complete_names_missing_segments_and_continues_when_they_arrive(site: Site) -> None:
    begun = site.begin(SEVERAL)
    begun.put(1, SEVERAL[10:20])
    assert_problem(begun.complete(), 409, "segments-missing", indexes=[0, 2])
    begun.put(0, SEVERAL[:10])
    begun.put(2, SEVERAL[20:])
    done = begun.complete()
    assert done.status_int == 200
    assert site.download(done.json["download_url"]) == SEVERAL


@pytest.mark.parametrize("data", ONE_AND_SEVERAL)
def test_a_segment_left_out_of_complete_is_missing(site: Site, data: bytes) -> None:
    begun = site.begin(data)
    begun.send()
    last = len(begun.pieces()) - 1
    assert_problem(begun.complete(begun.declared[:-1]), 409, "segments-missing", indexes=[last])
    assert begun.complete().status_int == 200


@pytest.mark.parametrize(
    ("data", "wrong"),
    [
        pytest.param(EMPTY, b"not empty", id="no bytes"),
        pytest.param(ONE, ONE + b"!", id="one segment, longer"),
        pytest.param(ONE, ONE[:-1], id="one segment, shorter"),
        pytest.param(ONE, b"!" * len(ONE), id="one segment, changed"),
        pytest.param(SEVERAL, b"XYZ!", id="several segments, longer"),
        pytest.param(SEVERAL, b"XY", id="several segments, shorter"),
        pytest.param(SEVERAL, b"!!!", id="several segments, changed"),
    ],
)
def test_complete_says_which_segments_differ_and_the_right_bytes_win(site: Site, data: bytes, wrong: bytes) -> None:
    begun = site.begin(data)
    begun.send()
    last = len(begun.pieces()) - 1
    if begun.put(last, wrong).status == 413:  # the local storage knows the size that it signed
        assert len(wrong) > len(begun.pieces()[-1])
        return

    assert_problem(begun.complete(), 409, "segments-differ", indexes=[last])

    begun.sign([last])
    assert begun.put(last, begun.pieces()[-1]).status == 201
    done = begun.complete()
    assert done.status_int == 200, done.text
    assert site.download(done.json["download_url"]) == data


@pytest.mark.parametrize("data", DATA)
def test_another_etag_than_the_stored_one_is_a_difference(site: Site, data: bytes) -> None:
    begun = site.begin(data)
    begun.send()
    declared = begun.declared
    declared[-1]["etag"] = md5(b"something else")
    assert_problem(begun.complete(declared), 409, "segments-differ", indexes=[len(declared) - 1])
    assert begun.complete().status_int == 200


@pytest.mark.parametrize(
    "segments",
    [
        None,
        {},
        "all",
        [0],
        [{}],
        [{"index": 0}],
        [{"etag": md5(ONE)}],
        [{"index": 1, "etag": md5(ONE)}],
        [{"index": -1, "etag": md5(ONE)}],
        [{"index": True, "etag": md5(ONE)}],
        [{"index": 0, "etag": None}],
        [{"index": 0, "etag": ""}],
        [{"index": 0, "etag": md5(ONE)[:-1]}],
        [{"index": 0, "etag": md5(ONE) + "\n"}],
        [{"index": 0, "etag": "٣" * 32}],
        [{"index": 0, "etag": md5(ONE)}, {"index": 0, "etag": md5(b"")}],
    ],
)
def test_complete_without_a_valid_list_of_segments_is_invalid(local_site: Site, segments: Any) -> None:
    begun = local_site.begin(ONE)
    answer = local_site.request(
        "POST", f"/uploads/{begun.id}/complete", json={"segments": segments}, ticket=begun.ticket
    )
    assert_problem(answer, 422, "invalid-request", field="segments")


def test_forty_segments_in_any_order(site: Site) -> None:
    data = bytes(range(256)) + b"x" * 140
    begun = site.begin(data)
    begun.sign(list(range(16, 40)))
    for index, piece in reversed(list(enumerate(begun.pieces()))):
        assert begun.put(index, piece).status == 201
    done = begun.complete(list(reversed(begun.declared)))
    assert done.status_int == 200, done.text
    url = done.json["download_url"]
    # by ranges, since Swift slows down who reads more than ten segments as small as these
    ranges = [{"Range": f"bytes={start}-{start + 99}"} for start in range(0, len(data), 100)]
    assert b"".join(site.fetch("GET", url, headers=header).body for header in ranges) == data


def test_seal_pin_keeps_to_the_same_rules(storage: Storage) -> None:
    site = Site(storage, seal="pin")
    begun = site.begin(SEVERAL)
    begun.put(0, SEVERAL[:10])
    assert_problem(begun.complete(), 409, "segments-missing", indexes=[1, 2])
    begun.send()
    done = begun.complete()
    assert (done.status_int, begun.complete().json["receipt"]) == (200, done.json["receipt"])
    assert site.download(done.json["download_url"]) == SEVERAL
    assert_problem(begun.abort(), 409, "already-complete")
    given_up = site.begin(SEVERAL)
    given_up.send()
    assert given_up.abort().status_int == 204
    for index, piece in enumerate(given_up.pieces()):
        given_up.put(index, piece)
    assert_problem(given_up.complete(), 404, "not-found")


@pytest.mark.parametrize("data", DATA)
def test_abort_may_be_repeated(site: Site, data: bytes) -> None:
    begun = site.begin(data)
    begun.send()
    first, again = begun.abort(), begun.abort()
    assert (first.status_int, first.body) == (204, b"")
    assert again.status_int == 204


def test_abort_before_anything_was_sent(site: Site) -> None:
    assert site.begin(ONE).abort().status_int == 204
    assert site.begin(SEVERAL).abort().status_int == 204


def test_after_abort_temp_urls_of_several_segments_answer_401(site: Site) -> None:
    begun = site.begin(SEVERAL)
    begun.put(0, SEVERAL[:10])
    begun.abort()
    assert [begun.put(index, piece).status for index, piece in enumerate(begun.pieces())] == [401, 401, 401]


def test_segments_sent_after_abort_are_never_read(site: Site) -> None:
    begun = site.begin(ONE)
    begun.abort()
    begun.put(0, ONE)
    assert_problem(begun.complete(), 404, "not-found")


@pytest.mark.parametrize("data", DATA)
def test_after_complete_no_temp_url_changes_what_is_downloaded(site: Site, data: bytes) -> None:
    begun = site.begin(data)
    begun.send()
    url = begun.complete().json["download_url"]
    answered = [begun.put(index, b"!" * len(piece)).status for index, piece in enumerate(begun.pieces())]
    if len(answered) > 1:
        assert answered == [401] * len(answered)
    again = begun.complete()
    assert site.download(url) == site.download(again.json["download_url"]) == data


def test_two_processes_with_one_secret_share_the_work(tmp_path: Path, swift_server: SwiftServer) -> None:
    container = swift_storage(swift_server).container
    for make in (lambda: LocalStorage(tmp_path / "uploads"), lambda: swift_storage(swift_server, container)):
        first, second = Site(make()), Site(make())
        begun = first.begin(SEVERAL)
        begun.send()
        second.browser.cookiejar = first.browser.cookiejar
        done = second.call("complete", begun)
        assert done.status_int == 200, done.text
        assert first.call("complete", begun).json["receipt"] == done.json["receipt"]


def test_local_needs_no_secret_and_its_processes_share_one(tmp_path: Path) -> None:
    first, second = (Site(LocalStorage(tmp_path), secret=None) for _ in range(2))
    begun = first.begin(ONE)
    begun.send()
    second.browser.cookiejar = first.browser.cookiejar
    assert second.call("complete", begun).status_int == 200


def test_a_ticket_and_a_receipt_fit_into_what_servers_take(local_site: Site) -> None:
    """Gunicorn takes header fields of 8190 bytes and request lines of 4094."""
    filename = "".join(chr(0x1F300 + number) for number in range(256))
    begun: BegunUpload = local_site.begin(ONE, filename=filename, type="application/" + "x" * 200)
    begun.send()
    receipt = begun.complete().json["receipt"]
    assert len(begun.ticket) < 8000
    assert len(f"GET /_upload/files/{receipt}?inline HTTP/1.1") < 4094
