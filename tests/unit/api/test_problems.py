"""Every code of the HTTP API, which comes first where several would fit, and what a stranger learns: nothing."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from helpers.uploads import CALLS, ONE, SECRET, SEVERAL, BegunUpload, Site, assert_problem, spoilt

from direct_upload_middleware import Refused, StorageError, StorageUnavailable, UploadRequest
from direct_upload_middleware.storage import Storage
from direct_upload_middleware.storage.base import GiB
from direct_upload_middleware.storage.local import LocalStorage
from direct_upload_middleware.tokens import tickets

pytest_plugins = ["helpers.fixtures"]

BODY = {"filename": "report.pdf", "size": 8, "type": "application/pdf"}
FOREIGN = {"Origin": "https://evil.example.net", "Sec-Fetch-Site": "cross-site"}

each_call = pytest.mark.parametrize("call", CALLS)


def post(site: Site, body: bytes, headers: dict[str, str] | None = None, **more: Any) -> Any:
    """A begin with any body at all."""
    sent = {"Content-Type": "application/json", **(headers or {})}
    url = site.middleware.options.mount + "/uploads"
    return site.browser.request(url, method="POST", body=body, headers=sent, status="*", **more)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"text"', b"1", b"null", b"\xff\xfe", b"\xef\xbb\xbf{}", b"{}{}", b"[" * 100_000, b"{'a': 1}"],
)
def test_a_body_that_is_no_json_object_is_malformed(local_site: Site, body: bytes) -> None:
    assert_problem(post(local_site, body), 400, "malformed")


@pytest.mark.parametrize("digits", [400, 10_000])
def test_a_number_may_have_any_length(local_site: Site, digits: int) -> None:
    """Python reads integers of 4300 digits at most; JSON knows no such end."""
    for sign, status, code in ((b"", 413, "too-large"), (b"-", 422, "invalid-request")):
        body = b'{"filename": "a", "type": "", "size": ' + sign + b"9" * digits + b"}"
        assert_problem(post(local_site, body), status, code, **({"field": "size"} if sign else {}))


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "json",
    ],
)
def test_a_body_of_another_type_is_unsupported(local_site: Site, content_type: str) -> None:
    """A form of another site could send these without a preflight."""
    assert_problem(post(local_site, b"{}", {"Content-Type": content_type}), 415, "unsupported-media-type")


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_may_say_so_in_other_ways(local_site: Site, content_type: str) -> None:
    assert_problem(post(local_site, b"{}", {"Content-Type": content_type}), 422, "invalid-request", field="filename")


def test_a_body_over_a_mebibyte_is_too_large(local_site: Site) -> None:
    assert_problem(post(local_site, b" " * (1024**2 + 1)), 413, "too-large")
    assert_problem(post(local_site, b"{" + b" " * (1024**2 - 2) + b"}"), 422, "invalid-request", field="filename")


class Broken:
    """A body whose connection breaks, as servers report it."""

    def read(self, size: int) -> bytes:
        raise OSError("the client is gone")

    def readline(self, size: int = -1) -> bytes:
        return self.read(size)

    def readlines(self, hint: int = -1) -> list[bytes]:
        return [self.read(hint)]

    def __iter__(self) -> Any:
        return iter([self.read(1)])


def test_a_body_that_breaks_off_is_malformed(local_site: Site) -> None:
    answers: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/_upload/uploads", "SCRIPT_NAME": "", "SERVER_NAME": "localhost",
        "SERVER_PORT": "80", "wsgi.url_scheme": "http", "wsgi.input": Broken(), "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": "10", "REMOTE_USER": "ann",
    }  # fmt: skip
    b"".join(local_site.middleware(environ, lambda status, headers, *_: answers.append(status)))
    assert answers == ["400 Bad Request"]


@pytest.mark.parametrize("length", ["x", "-1", "1e3", "1_0", "+1", "\u0661"])
def test_an_invalid_length_is_malformed(local_site: Site, length: str) -> None:
    answers: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/_upload/uploads", "SCRIPT_NAME": "", "SERVER_NAME": "localhost",
        "SERVER_PORT": "80", "wsgi.url_scheme": "http", "wsgi.input": Broken(), "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": length, "REMOTE_USER": "ann",
    }  # fmt: skip
    b"".join(local_site.middleware(environ, lambda status, headers, *_: answers.append(status)))
    assert answers == ["400 Bad Request"]


@pytest.mark.parametrize("field", ["filename", "size", "type"])
def test_an_invalid_request_names_the_field(local_site: Site, field: str) -> None:
    answer = local_site.request("POST", "/uploads", json=BODY | {field: None})
    assert_problem(answer, 422, "invalid-request", field=field)


def test_a_file_over_max_size_is_too_large(tmp_path: Path) -> None:
    site = Site(LocalStorage(tmp_path), max_size=7)
    assert_problem(site.request("POST", "/uploads", json=BODY), 413, "too-large")
    assert site.request("POST", "/uploads", json=BODY | {"size": 7}).status_int == 201


@pytest.mark.parametrize("size", [5000 * GiB + 1, 10**40])
def test_a_file_that_storage_cannot_take_is_too_large(local_site: Site, size: int) -> None:
    assert_problem(local_site.request("POST", "/uploads", json=BODY | {"size": size}), 413, "too-large")


def test_no_plan_has_more_than_a_thousand_segments(site: Site) -> None:
    answer = site.request("POST", "/uploads", json=BODY | {"size": 5000 * GiB})
    assert (answer.json["segment_count"], answer.json["segment_size"]) == (1000, 5 * GiB)


def test_a_type_that_policy_does_not_take_is_not_accepted(tmp_path: Path) -> None:
    site = Site(LocalStorage(tmp_path), accept=["image/*", ".txt"])
    assert_problem(site.request("POST", "/uploads", json=BODY), 415, "type-not-accepted")
    assert site.request("POST", "/uploads", json=BODY | {"filename": "a.TXT"}).status_int == 201


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/uploads/",
        "/uploads//segments",
        "/uploads/x/",
        "/uploads/x/finish",
        "/uploads/x/segments/1",
        "/files",
        "/files/",
        "/files/a/b",
        "/static",
        "/static/",
        "/nothing",
        "/UPLOADS",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_address_is_not_found(local_site: Site, path: str, method: str) -> None:
    assert_problem(local_site.request(method, path), 404, "not-found")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/uploads", {"POST"}),
        ("/uploads/x", {"GET", "HEAD", "DELETE"}),
        ("/uploads/x/segments", {"POST"}),
        ("/uploads/x/complete", {"POST"}),
        ("/files/x", {"GET", "HEAD", "DELETE"}),
        ("/owner", {"GET", "HEAD"}),
        ("/static/direct-upload.js", {"GET", "HEAD"}),
    ],
)
def test_a_wrong_method_is_answered_with_the_allowed_methods(local_site: Site, path: str, allowed: set[str]) -> None:
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} - allowed:
        answer = local_site.request(method, path)
        assert_problem(answer, 405, "method-not-allowed")
        assert set(answer.headers["Allow"].split(", ")) == allowed


def test_a_path_that_only_begins_like_the_mount_belongs_to_the_application(local_site: Site) -> None:
    assert local_site.browser.get("/_uploads").content_type == "text/plain"
    assert local_site.browser.get("/a/_upload/uploads").content_type == "text/plain"


def test_a_problem_of_a_head_request_has_no_body(local_site: Site) -> None:
    answer = local_site.request("HEAD", "/nothing")
    assert (answer.status_int, answer.body) == (404, b"")


def test_head_is_get_without_a_body(site: Site) -> None:
    begun = site.begin()
    answer = site.request("HEAD", f"/uploads/{begun.id}", ticket=begun.ticket)
    assert (answer.status_int, answer.content_type, answer.body) == (200, "application/json", b"")


def test_an_anonymous_begin_needs_the_anonymous_option(tmp_path: Path) -> None:
    assert_problem(
        Site(LocalStorage(tmp_path), user=None).request("POST", "/uploads", json=BODY), 401, "not-authenticated"
    )
    Site(LocalStorage(tmp_path), user=None, anonymous=True).begin()


@each_call
def test_every_call_wants_an_identity(local_site: Site, call: str) -> None:
    begun = local_site.begin()
    begun.send()
    local_site.log_in(None)
    assert_problem(local_site.call(call, begun), 401, "not-authenticated")


@each_call
@pytest.mark.parametrize(
    ("user", "same_browser"),
    [
        pytest.param("bob", True, id="another identity in the same browser"),
        pytest.param("ann", False, id="the identity in another browser"),
        pytest.param("bob", False, id="another identity in another browser"),
    ],
)
@pytest.mark.parametrize("data", [ONE, SEVERAL], ids=["one segment", "several"])
def test_a_ticket_is_worth_nothing_to_another(
    storage: Storage, call: str, user: str, same_browser: bool, data: bytes
) -> None:
    site = Site(storage)
    begun = site.begin(data)
    begun.send()
    other = site.new_browser(user)
    if same_browser:
        other.cookiejar = site.browser.cookiejar
    else:
        other.post_json("/_upload/uploads", BODY)  # it has a cookie of its own

    assert_problem(site.call(call, begun, browser=other), 403, "not-yours")
    if not same_browser:
        assert_problem(site.call(call, begun, browser=site.new_browser(user)), 403, "not-yours")

    done = begun.complete()
    assert done.status_int == 200, "and the upload goes on as if nothing had been"
    assert site.download(done.json["download_url"]) == data


@each_call
def test_an_anonymous_ticket_is_for_its_browser(tmp_path: Path, call: str) -> None:
    site = Site(LocalStorage(tmp_path), user=None, anonymous=True)
    begun = site.begin()
    assert_problem(site.call(call, begun, browser=site.new_browser(None)), 403, "not-yours")
    site.log_in("ann")
    assert_problem(site.call(call, begun), 403, "not-yours")


@each_call
def test_a_missing_or_malformed_ticket_is_invalid(local_site: Site, call: str) -> None:
    begun = local_site.begin()
    for ticket in ("", "x", ".", "a.b", "\xff", "=" * 50, begun.ticket[:-1], begun.ticket + "=", begun.id):
        assert_problem(local_site.call(call, begun, ticket=ticket), 403, "invalid-ticket")
    method, path = {"sign": ("POST", "/segments"), "complete": ("POST", "/complete")}.get(call, ("GET", ""))
    assert_problem(local_site.request(method, f"/uploads/{begun.id}{path}", json={}), 403, "invalid-ticket")


@each_call
def test_no_character_of_a_ticket_can_be_changed(local_site: Site, call: str) -> None:
    begun = local_site.begin()
    for ticket in list(spoilt(begun.ticket))[::7]:
        assert_problem(local_site.call(call, begun, ticket=ticket), 403, "invalid-ticket")


@each_call
def test_another_uploads_ticket_or_a_receipt_is_no_ticket(local_site: Site, call: str) -> None:
    begun, other = local_site.begin(), local_site.begin()
    receipt = local_site.upload().json["receipt"]
    assert_problem(local_site.call(call, begun, ticket=other.ticket), 403, "invalid-ticket")
    assert_problem(local_site.call(call, begun, ticket=receipt), 403, "invalid-ticket")


@each_call
def test_an_expired_ticket_is_gone_for_its_owner_alone(
    local_site: Site, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = local_site.begin()
    later = SimpleNamespace(time=lambda: time.time() + 86401)
    monkeypatch.setattr(tickets, "time", later)  # there only: the browser is to keep its cookie
    stranger = local_site.new_browser("bob")

    assert_problem(local_site.call(call, begun), 410, "ticket-expired")
    assert_problem(local_site.call(call, begun, browser=stranger), 403, "not-yours")
    assert_problem(local_site.call(call, begun, ticket="x"), 403, "invalid-ticket")


@each_call
def test_secrets_rotate_while_an_upload_is_under_way(new_storage: Callable[[], Storage], call: str) -> None:
    before = Site(new_storage(), secret=[SECRET])
    begun = before.begin(SEVERAL)
    begun.send()
    after = Site(new_storage(), secret=[SECRET, "a newer secret of the tests"])
    after.browser.cookiejar = before.browser.cookiejar

    assert after.call(call, begun).status_int in (200, 204)


def test_after_the_old_secret_is_taken_away_its_tickets_are_invalid(tmp_path: Path) -> None:
    before = Site(LocalStorage(tmp_path))
    begun = before.begin()
    after = Site(LocalStorage(tmp_path), secret="a newer one")
    after.browser.cookiejar = before.browser.cookiejar
    assert_problem(after.call("status", begun), 403, "invalid-ticket")


@each_call
def test_a_stranger_does_not_learn_whether_the_body_or_the_upload_is_right(local_site: Site, call: str) -> None:
    begun = local_site.begin()
    stranger = local_site.new_browser("bob")
    method, path = {"sign": ("POST", "/segments"), "complete": ("POST", "/complete"), "abort": ("DELETE", "")}.get(
        call, ("GET", "")
    )
    for state in ("open", "aborted"):
        for json in ({"indexes": "wrong", "segments": "wrong"}, {}):
            answer = local_site.request(
                method, f"/uploads/{begun.id}{path}", json=json, ticket=begun.ticket, browser=stranger
            )
            assert_problem(answer, 403, "not-yours")
        if state == "open":
            begun.abort()


@pytest.mark.parametrize("headers", [FOREIGN, {"Origin": FOREIGN["Origin"]}, {"Sec-Fetch-Site": "same-site"}])
@pytest.mark.parametrize("call", ["begin", "sign", "complete", "abort"])
def test_a_page_of_another_origin_changes_nothing(local_site: Site, call: str, headers: dict[str, str]) -> None:
    begun = local_site.begin()
    begun.send()
    base = f"/uploads/{begun.id}"
    method, path = {
        "begin": ("POST", "/uploads"),
        "sign": ("POST", base + "/segments"),
        "complete": ("POST", base + "/complete"),
        "abort": ("DELETE", base),
    }[call]
    answer = local_site.request(method, path, json=BODY, ticket=begun.ticket, headers=headers)
    assert_problem(answer, 403, "cross-site")
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Set-Cookie" not in answer.headers
    assert begun.complete().status_int == 200


FRIEND = "https://www.example.com"


@pytest.fixture
def friendly(tmp_path: Path) -> Site:
    return Site(LocalStorage(tmp_path), origins=[FRIEND])


def test_an_allowed_origin_gets_the_cors_answers_that_it_needs(friendly: Site) -> None:
    for answer in (
        friendly.request("POST", "/uploads", json=BODY, headers={"Origin": FRIEND, "Sec-Fetch-Site": "same-site"}),
        friendly.request("POST", "/uploads", json={}, headers={"Origin": FRIEND}),
        friendly.request("GET", "/static/direct-upload.js", headers={"Origin": FRIEND}),
        friendly.request("GET", "/nothing", headers={"Origin": FRIEND}),
    ):
        assert answer.headers["Access-Control-Allow-Origin"] == FRIEND
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"
        assert "Origin" in answer.headers["Vary"]
        assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize("origin", [None, "https://evil.example.net", "null", FRIEND + ":8443"])
def test_another_origin_gets_no_header_but_vary(friendly: Site, origin: str | None) -> None:
    answer = friendly.request("GET", "/static/direct-upload.js", headers={"Origin": origin} if origin else None)
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert answer.headers["Vary"] == "Origin"


def preflight(site: Site, path: str, method: str, origin: str, headers: str = "content-type,upload-ticket") -> Any:
    asked = {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}
    return site.request("OPTIONS", path, headers=asked)


@pytest.mark.parametrize(
    ("path", "method"),
    [("/uploads", "POST"), ("/uploads/x/complete", "POST"), ("/uploads/x", "DELETE"), ("/local/x", "PUT")],
)
def test_a_preflight_passes_for_an_allowed_origin(friendly: Site, path: str, method: str) -> None:
    answer = preflight(friendly, path, method, FRIEND)
    assert answer.status_int in (200, 204)
    assert answer.headers["Access-Control-Allow-Origin"] == FRIEND
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert method in answer.headers["Access-Control-Allow-Methods"].split(", ")
    assert {"content-type", "upload-ticket", "etag"} <= set(answer.headers["Access-Control-Allow-Headers"].split(", "))


def test_a_preflight_of_every_other_origin_fails(friendly: Site, tmp_path: Path) -> None:
    for site, origin in ((friendly, "https://evil.example.net"), (Site(LocalStorage(tmp_path)), FRIEND)):
        answer = preflight(site, "/uploads", "POST", origin)
        assert_problem(answer, 403, "cross-site")
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_whole_upload_from_an_allowed_origin(friendly: Site) -> None:
    friendly.browser.extra_environ["HTTP_ORIGIN"] = FRIEND
    done = friendly.upload(SEVERAL)
    assert done.status_int == 200
    assert done.headers["Access-Control-Allow-Origin"] == FRIEND


def broken(*_: Any) -> Any:
    raise RuntimeError("a detail that only the log may tell")


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"identify": broken}, id="identify raises"),
        pytest.param({"identify": lambda _: 5}, id="identify gives no str"),
        pytest.param({"authorize": broken}, id="authorize raises"),
        pytest.param({"object_name": broken}, id="object_name raises"),
        pytest.param({"object_name": lambda *_: None}, id="object_name gives nothing"),
        pytest.param({"object_name": lambda *_: ""}, id="object_name gives an empty name"),
        pytest.param({"object_name": lambda *_: "x" * 1025}, id="object_name gives a long name"),
        pytest.param({"object_name": lambda *_: "a\nb"}, id="object_name gives a line break"),
        pytest.param({"object_name": lambda *_: "a/../b"}, id="object_name gives a path that goes up"),
        pytest.param({"object_name": lambda *_: "\ud800"}, id="object_name gives a lone surrogate"),
    ],
)
def test_a_callable_that_fails_is_an_application_error(
    tmp_path: Path, options: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    answer = Site(LocalStorage(tmp_path), **options).request("POST", "/uploads", json=BODY)
    assert_problem(answer, 500, "application-error")
    assert "Set-Cookie" not in answer.headers
    assert "only the log" not in answer.text
    assert any(record.exc_info for record in caplog.records)


@each_call
def test_when_identify_fails_later_it_is_an_application_error(tmp_path: Path, call: str) -> None:
    begun = Site(LocalStorage(tmp_path)).begin()
    site = Site(LocalStorage(tmp_path), identify=broken)
    assert_problem(site.call(call, begun), 500, "application-error")


def test_authorize_sees_the_request_and_may_refuse(tmp_path: Path) -> None:
    seen: list[UploadRequest] = []

    def authorize(environ: dict[str, Any], request: UploadRequest) -> None:
        assert environ["direct_upload.uploads"].identity == "ann"
        seen.append(request)
        if request.filename == "no.pdf":
            raise Refused("Your trial is over.", 402)
        if request.filename == "never.pdf":
            raise Refused

    site = Site(LocalStorage(tmp_path), authorize=authorize)
    site.begin()
    assert seen == [UploadRequest("report.pdf", 8, "application/pdf", "ann")]
    answer = site.request("POST", "/uploads", json=BODY | {"filename": "no.pdf"})
    assert_problem(answer, 402, "refused", detail="Your trial is over.")
    assert_problem(site.request("POST", "/uploads", json=BODY | {"filename": "never.pdf"}), 403, "refused")


@pytest.mark.parametrize("status", [200, 302, 399, 500, 503])
def test_a_refusal_is_logged_as_a_refusal(status: int) -> None:
    with pytest.raises(ValueError, match="status"):
        Refused("no", status)


@pytest.mark.parametrize("data", [ONE, SEVERAL], ids=["one segment", "several"])
def test_object_name_chooses_the_name(storage: Storage, data: bytes) -> None:
    names = iter(["ann/Bericht für “1”.pdf %2F?#&", "ann/2"])
    site = Site(storage, object_name=lambda environ, request: f"{next(names)}-{time.time_ns()}")
    done = site.upload(data)
    assert done.json["upload"]["name"].startswith("ann/Bericht für “1”.pdf %2F?#&-")
    assert site.download(done.json["download_url"]) == data


@pytest.mark.parametrize("data", [ONE, SEVERAL], ids=["one segment", "several"])
def test_on_complete_gives_data_and_is_asked_again_when_complete_is_repeated(storage: Storage, data: bytes) -> None:
    seen: list[Any] = []

    def on_complete(environ: dict[str, Any], upload: Any) -> dict[str, int]:
        with environ["direct_upload.uploads"].open(upload) as file:
            assert file.read() == data
        seen.append(upload)
        return {"row": len(seen)}

    site = Site(storage, on_complete=on_complete)
    begun = site.begin(data)
    begun.send()
    first, again = begun.complete(), begun.complete()
    assert (first.json["data"], again.json["data"]) == ({"row": 1}, {"row": 2})
    assert first.json["receipt"] == again.json["receipt"]
    assert seen[0] == seen[1]
    assert (seen[0].id, seen[0].owner, seen[0].filename, seen[0].size) == (begun.id, "ann", "report.pdf", len(data))
    assert seen[0].completed.tzinfo is not None


@pytest.mark.parametrize("data", [b"", ONE, SEVERAL], ids=["no bytes", "one segment", "several"])
@pytest.mark.parametrize(
    "failure", [broken, lambda *_: object(), lambda *_: float("nan")], ids=["raises", "object", "NaN"]
)
def test_when_on_complete_fails_there_is_no_receipt_and_a_retry_asks_again(
    storage: Storage, data: bytes, failure: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    answers: list[Callable[..., Any]] = [failure, lambda *_: "recorded"]
    site = Site(storage, on_complete=lambda environ, upload: answers.pop(0)(environ, upload))
    begun = site.begin(data)
    begun.send()

    assert_problem(begun.complete(), 500, "application-error")
    assert any(record.exc_info for record in caplog.records)
    status = begun.status()
    assert (status["state"], "receipt" in status) == ("open", False)

    done = begun.complete()
    assert (done.status_int, done.json["data"]) == (200, "recorded")
    assert begun.status()["receipt"] == done.json["receipt"]
    assert site.download(done.json["download_url"]) == data


@pytest.mark.parametrize("data", [b"", ONE, SEVERAL], ids=["no bytes", "one segment", "several"])
def test_an_upload_that_on_complete_failed_for_can_be_aborted(storage: Storage, data: bytes) -> None:
    site = Site(storage, on_complete=broken)
    begun = site.begin(data)
    begun.send()
    assert begun.complete().status_int == 500
    assert begun.abort().status_int == 204
    assert_problem(begun.complete(), 404, "not-found")


@pytest.mark.parametrize("data", [b"", ONE, SEVERAL], ids=["no bytes", "one segment", "several"])
def test_an_upload_refused_by_on_complete_is_removed(storage: Storage, data: bytes) -> None:
    urls: list[str] = []

    def on_complete(environ: dict[str, Any], upload: Any) -> None:
        urls.append(environ["direct_upload.uploads"].download_url(upload))
        raise Refused("It has a virus.", 422)

    site = Site(storage, on_complete=on_complete)
    begun = site.begin(data)
    begun.send()
    assert_problem(begun.complete(), 422, "refused", detail="It has a virus.")
    assert site.fetch("GET", urls[0]).body != data or data == b""
    again, status = begun.complete(), site.call("status", begun)
    assert (again.status_int, again.json["code"]) in [(404, "not-found"), (409, "segments-missing")]
    assert status.status_int == 404 or (status.json["state"], status.json["stored"]) == ("open", [])
    assert len(urls) == 1, "what is gone is not asked about again"


class Faulty(LocalStorage):
    """A storage that fails when the test says so."""

    fault: Exception | None = None

    def __getattribute__(self, name: str) -> Any:
        fault = object.__getattribute__(self, "fault")
        if fault is not None and name in ("begin", "sign", "status", "seal", "abort", "download_url"):
            raise fault
        return object.__getattribute__(self, name)


@pytest.mark.parametrize(
    ("fault", "status", "code", "headers"),
    [
        (StorageError("Swift answered 418 to PUT of an object."), 502, "storage-error", {}),
        (StorageUnavailable(retry_after=7), 503, "storage-unavailable", {"Retry-After": "7"}),
    ],
)
def test_a_storage_fault_is_reported_and_logged_and_ends_with_the_fault(
    tmp_path: Path,
    fault: Exception,
    status: int,
    code: str,
    headers: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    storage = Faulty(tmp_path)
    site = Site(storage)
    begun: BegunUpload = site.begin()
    begun.send()
    storage.fault = fault
    answers = [site.request("POST", "/uploads", json=BODY), *(site.call(call, begun) for call in CALLS)]
    storage.fault = None

    for answer in answers:
        assert_problem(answer, status, code)
        assert {name: answer.headers[name] for name in headers} == headers
    assert len([record for record in caplog.records if record.levelno >= logging.ERROR]) == len(answers)
    assert begun.complete().status_int == 200


def test_nothing_secret_is_logged(storage: Storage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    site = Site(storage, on_complete=broken)
    begun = site.begin(SEVERAL)
    begun.send()
    begun.complete()
    done = Site(storage).upload(SEVERAL)
    site.call("status", begun, ticket="x")
    site.request("GET", f"/files/{done.json['receipt']}")

    ours = [record for record in caplog.records if record.name.startswith("direct_upload_middleware")]
    logged = caplog.handler.format
    text = "".join(logged(record) + repr(record.__dict__) for record in ours)
    assert ours
    for secret in (SECRET, begun.ticket, done.json["receipt"], "temp_url_sig", begun.ticket[-20:]):
        assert secret not in text
