"""Several uploads in one call: each is answered as it would be alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import ContextVar
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from helpers.uploads import EMPTY, ONE, SEVERAL, Site, assert_problem

from direct_upload_middleware import Refused
from direct_upload_middleware.storage import Storage
from direct_upload_middleware.storage.base import GROUP_DIGITS
from direct_upload_middleware.storage.local import LocalStorage

pytest_plugins = ["helpers.fixtures"]

FILES = {"empty.pdf": EMPTY, "one.pdf": ONE, "several.pdf": SEVERAL}
WANTED = {"filename": "report.pdf", "size": 8, "type": "application/pdf"}

in_request: ContextVar[str] = ContextVar("in_request", default="")


def send_all(site: Site, files: dict[str, bytes] = FILES) -> list[Any]:
    begun = site.begin_all(files)
    for each in begun:
        each.send()
    return begun


def test_each_upload_begins_as_it_would_alone(site: Site) -> None:
    alone = site.begin(SEVERAL).answer
    batch = site.batch("begin", [WANTED | {"size": len(SEVERAL)}, WANTED])
    assert batch.status_int == 200
    several, one = batch.json["uploads"]
    assert set(several) == {"status", *alone.json}
    assert (several["status"], several["segment_count"], len(several["segments"])) == (201, 3, 3)
    assert (one["status"], one["segment_count"]) == (201, 1)
    assert set(several["segments"][0]) == set(alone.json["segments"][0])
    assert batch.headers["Upload-Owner"] == alone.headers["Upload-Owner"]
    assert batch.headers["Cache-Control"] == "no-store"


def test_a_batch_is_uploaded_and_completed(site: Site) -> None:
    begun = send_all(site)
    done = site.complete_all([each.batch_item for each in begun])
    assert [each["status"] for each in done] == [200, 200, 200]
    for each, answer in zip(begun, done, strict=True):
        assert set(answer) == {"status", "receipt", "upload", "download_url", "data"}
        assert answer["upload"]["id"] == each.id
        assert site.download(answer["download_url"]) == each.data
        again = each.complete().json
        assert (again["receipt"], again["upload"]) == (answer["receipt"], answer["upload"])


def test_a_hundred_uploads_at_once(site: Site) -> None:
    begun = send_all(site, {f"{number}.pdf": b"%d" % number for number in range(100)})
    assert len({each.id for each in begun}) == 100
    done = site.complete_all([each.batch_item for each in begun])
    assert [each["upload"]["filename"] for each in done] == [f"{number}.pdf" for number in range(100)]
    assert site.download(done[42]["download_url"]) == b"42"


def test_uploads_of_one_batch_share_the_beginning_of_their_ids(local_site: Site) -> None:
    """So Swift is asked about all of them by one listing."""
    batches = [[each["id"] for each in local_site.batch("begin", [WANTED] * 20).json["uploads"]] for _ in range(2)]
    assert [len({id[:GROUP_DIGITS] for id in ids}) for ids in batches] == [1, 1]
    assert len({id for ids in batches for id in ids}) == 40
    assert {len(id) for ids in batches for id in ids} == {32}
    alone = [local_site.begin(ONE).id for _ in range(2)]
    assert len({id[:GROUP_DIGITS] for id in [*alone, batches[0][0], batches[1][0]]}) == 4


@pytest.mark.parametrize("call", ["begin", "complete"])
def test_no_uploads_are_fine(local_site: Site, call: str) -> None:
    answer = local_site.batch(call, [])
    assert (answer.status_int, answer.json) == (200, {"uploads": []})


@pytest.mark.parametrize("call", ["begin", "complete"])
@pytest.mark.parametrize(
    "uploads", [None, {}, "all", 7, True, {"0": WANTED}, [WANTED] * 101], ids=lambda given: type(given).__name__
)
def test_a_body_without_a_list_of_at_most_100_uploads_fails_the_call(local_site: Site, call: str, uploads: Any) -> None:
    assert_problem(local_site.batch(call, uploads), 422, "invalid-request", field="uploads")


@pytest.mark.parametrize("call", ["begin", "complete"])
def test_an_error_that_concerns_every_item_fails_the_call(local_site: Site, call: str) -> None:
    stranger = local_site.new_browser(None)
    assert_problem(local_site.batch(call, [], browser=stranger), 401, "not-authenticated")
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert_problem(local_site.batch(call, [], headers=foreign), 403, "cross-site")
    assert_problem(local_site.request("POST", f"/batch/{call}", json=[]), 400, "malformed")
    assert_problem(local_site.request("GET", f"/batch/{call}"), 405, "method-not-allowed")
    assert_problem(local_site.request("POST", "/batch/abort", json={}), 404, "not-found")


@pytest.mark.parametrize(
    ("item", "status", "code", "field"),
    [
        pytest.param(None, 422, "invalid-request", "uploads", id="null"),
        pytest.param([], 422, "invalid-request", "uploads", id="a list"),
        pytest.param("a.pdf", 422, "invalid-request", "uploads", id="a string"),
        pytest.param({}, 422, "invalid-request", "filename", id="nothing"),
        pytest.param(WANTED | {"size": -1}, 422, "invalid-request", "size", id="size"),
        pytest.param(WANTED | {"filename": "a/b"}, 422, "invalid-request", "filename", id="filename"),
        pytest.param(WANTED | {"type": "text/plain", "filename": "a.txt"}, 415, "type-not-accepted", None, id="type"),
        pytest.param(WANTED | {"size": 1001}, 413, "too-large", None, id="too large"),
    ],
)
def test_an_upload_that_cannot_begin_is_a_problem_of_its_own(
    tmp_path: Path, item: Any, status: int, code: str, field: str | None
) -> None:
    site = Site(LocalStorage(tmp_path), max_size=1000, accept=[".pdf"])
    answer = site.batch("begin", [WANTED, item, WANTED])
    first, wrong, last = answer.json["uploads"]
    assert (first["status"], last["status"]) == (201, 201)
    assert (wrong["status"], wrong["code"], wrong.get("field")) == (status, code, field)
    assert wrong["title"]
    assert wrong["detail"]


def test_an_upload_that_cannot_be_completed_is_a_problem_of_its_own(site: Site) -> None:
    own, missing, differs, foreign, last = site.begin_all({f"{name}.pdf": SEVERAL for name in "abcde"})
    for each in (own, differs, foreign, last):
        each.send()
    wrong = differs.batch_item | {"segments": [{**s, "etag": "0" * 32} for s in differs.declared]}
    browser, site.browser = site.browser, site.new_browser("bob")
    stolen = site.begin()
    site.browser = browser
    items = [
        own.batch_item,
        missing.batch_item,
        wrong,
        stolen.batch_item,
        foreign.batch_item | {"ticket": own.ticket},
        {"id": foreign.id, "segments": foreign.declared},
        foreign.batch_item | {"ticket": ["x"]},
        foreign.batch_item | {"segments": None},
        {"ticket": own.ticket},
        foreign.batch_item | {"id": [foreign.id]},
        None,
        last.batch_item,
    ]
    done = site.complete_all(items)
    assert [(each["status"], each.get("code"), each.get("indexes"), each.get("field")) for each in done] == [
        (200, None, None, None),
        (409, "segments-missing", [0, 1, 2], None),
        (409, "segments-differ", [0, 1, 2], None),
        (403, "not-yours", None, None),
        (403, "invalid-ticket", None, None),
        (403, "invalid-ticket", None, None),
        (403, "invalid-ticket", None, None),
        (422, "invalid-request", None, "segments"),
        (422, "invalid-request", None, "id"),
        (422, "invalid-request", None, "id"),
        (422, "invalid-request", None, "uploads"),
        (200, None, None, None),
    ]
    missing.send()
    assert [each.complete().status_int for each in (missing, differs, foreign)] == [200, 200, 200]


def test_the_second_of_two_items_for_one_upload_is_invalid(site: Site) -> None:
    [begun] = send_all(site, {"a.pdf": ONE})
    first, second = site.complete_all([begun.batch_item, begun.batch_item])
    assert first["status"] == 200
    assert (second["status"], second["code"], second["field"]) == (422, "invalid-request", "id")


def test_an_item_that_does_not_count_does_not_make_another_one_the_second(local_site: Site) -> None:
    [begun] = send_all(local_site, {"a.pdf": ONE})
    wrong, right = local_site.complete_all([begun.batch_item | {"ticket": "x"}, begun.batch_item])
    assert (wrong["code"], right["status"]) == ("invalid-ticket", 200)


def test_an_anonymous_batch_has_one_cookie(tmp_path: Path) -> None:
    site = Site(LocalStorage(tmp_path), user=None, anonymous=True)
    begun = send_all(site)
    cookies = begun[0].answer.headers.getall("Set-Cookie")
    assert len(cookies) == 1
    assert SimpleCookie(cookies[0])["direct_upload"].value
    done = site.complete_all([each.batch_item for each in begun])
    assert [each["status"] for each in done] == [200, 200, 200]
    for each in done:
        assert site.uploads(lambda uploads, receipt=each["receipt"]: uploads.verify(receipt)).owner is None


@pytest.fixture
def application(tmp_path: Path) -> Callable[..., Site]:
    """Makes a site whose callbacks see a variable of the request's context."""

    def make(storage: Storage | None = None, **options: Any) -> Site:
        site = Site(storage or LocalStorage(tmp_path), **options)
        inner = site.middleware

        def app(environ: Any, start_response: Any) -> Any:
            in_request.set("of this request")
            return inner(environ, start_response)

        site.browser.app = app
        return site

    return make


def test_callbacks_are_called_for_each_upload_in_the_thread_and_the_context_of_the_request(
    storage: Storage, application: Callable[..., Site]
) -> None:
    seen: list[tuple[str, str, str, int]] = []

    def note(call: str) -> Callable[..., Any]:
        def callback(environ: Any, about: Any) -> Any:
            seen.append((call, about.filename, in_request.get(), threading.get_ident()))
            return f"{about.filename}-{len(seen)}" if call == "name" else {"row": about.filename}

        return callback

    site = application(storage, authorize=note("authorize"), object_name=note("name"), on_complete=note("complete"))
    begun = send_all(site)
    done = site.complete_all([each.batch_item for each in begun])
    assert [each["data"] for each in done] == [{"row": name} for name in FILES]
    assert {(call, name) for call, name, _, _ in seen} == {
        (call, name) for call in ("authorize", "name", "complete") for name in FILES
    }
    assert {(context, thread) for _, _, context, thread in seen} == {("of this request", threading.get_ident())}


def test_callbacks_refuse_and_fail_for_one_upload_only(storage: Storage) -> None:
    def authorize(environ: Any, request: Any) -> None:
        if request.filename == "no.pdf":
            raise Refused("Not this one.", 422, retry_after=7)

    def on_complete(environ: Any, upload: Any) -> str:
        if upload.filename == "refused.pdf":
            raise Refused("It has a virus.")
        if upload.filename == "broken.pdf":
            raise KeyError("a bug of the application")
        return str(upload.filename)

    site = Site(storage, authorize=authorize, on_complete=on_complete)
    names = ["a.pdf", "no.pdf", "refused.pdf", "broken.pdf", "b.pdf"]
    answer = site.batch("begin", [WANTED | {"filename": name} for name in names])
    assert [each["status"] for each in answer.json["uploads"]] == [201, 422, 201, 201, 201]
    assert answer.json["uploads"][1]["detail"] == "Not this one."
    assert answer.headers["Retry-After"] == "7"
    begun = send_all(site, {name: ONE for name in names if name != "no.pdf"})
    done = site.complete_all([each.batch_item for each in begun])
    assert [(each["status"], each.get("code"), each.get("data")) for each in done] == [
        (200, None, "a.pdf"),
        (403, "refused", None),
        (500, "application-error", None),
        (200, None, "b.pdf"),
    ]
    assert begun[1].complete().json["code"] == "segments-missing" or begun[1].complete().json["code"] == "not-found"


def test_an_unexpected_exception_in_storage_is_the_failure_of_one_upload(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(LocalStorage):
        def seal(self, transfer: Any, *args: Any, **options: Any) -> Any:
            if transfer.type == "image/png":
                raise KeyError("a bug")
            return super().seal(transfer, *args, **options)

    site = Site(Broken(tmp_path))
    [right, wrong] = [*site.begin_all({"a.pdf": ONE}), *site.begin_all({"a.png": ONE}, type="image/png")]
    for each in (right, wrong):
        each.send()
    done = site.complete_all([right.batch_item, wrong.batch_item])
    assert [each["status"] for each in done] == [200, 500]
    assert "the upload API failed" in caplog.text


def test_a_batch_may_declare_many_segments(tmp_path: Path) -> None:
    site = Site(LocalStorage(tmp_path), segment_size=1)
    begun = site.begin_all({f"{number}.pdf": b"x" * 1000 for number in range(20)})
    done = site.complete_all([each.batch_item for each in begun])
    assert [(each["code"], len(each["indexes"])) for each in done] == [("segments-missing", 1000)] * 20


def test_a_ticket_of_unknown_size_is_not_for_batches(local_site: Site) -> None:
    begun = local_site.request("POST", "/s3/multipart", json={"filename": "a", "type": ""}).json
    item = {"id": begun["uploadId"], "ticket": begun["key"], "segments": []}
    assert local_site.complete_all([item])[0]["code"] == "invalid-ticket"
