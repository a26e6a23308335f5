"""The temp URLs of the local storage, where HTTP has more to it than the contract."""

from __future__ import annotations

import io
import os
import tracemalloc
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from contract.storage_contract import (
    ONE,
    SEVERAL,
    SIZES,
    begin,
    download,
    download_url,
    finished,
    md5,
    new_transfer,
    put,
    seal,
    uploaded,
    with_query,
)
from helpers.storage.local_browser import Body, Browser, files_below, put_raw
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from direct_upload_middleware.storage.local import LocalStorage
from direct_upload_middleware.storage.local import receive as local_receive


def test_a_put_says_what_was_stored(storage: LocalStorage, http: Browser) -> None:
    _, urls = begin(storage, ONE)
    answer = http.request("PUT", urls[0].url, ONE)
    assert (answer.status, answer.body) == (201, b"")
    assert answer.headers["ETag"] == f'"{md5(ONE)}"'
    assert answer.headers["Content-Length"] == "0"


@pytest.mark.parametrize("spelling", ['"{}"', "{}"])
def test_the_etag_of_a_put_may_be_quoted(storage: LocalStorage, http: Browser, spelling: str) -> None:
    _, urls = begin(storage, ONE)
    assert put(http, urls[0], ONE, ETag=spelling.format(md5(ONE).upper())) == 201
    assert put(http, urls[0], ONE, ETag=spelling.format(md5(b""))) == 422


@pytest.mark.parametrize(
    ("environ", "status"),
    [
        pytest.param({"CONTENT_LENGTH": None}, 411, id="without a length"),
        pytest.param({"CONTENT_LENGTH": ""}, 411, id="with an empty length"),
        pytest.param({"CONTENT_LENGTH": None, "HTTP_TRANSFER_ENCODING": "chunked"}, 411, id="that never ends"),
        pytest.param({"CONTENT_LENGTH": "9"}, 413, id="one byte too large"),
        pytest.param({"CONTENT_LENGTH": "9" * 20}, 413, id="absurdly large"),
        pytest.param({"wsgi.input": Body(7)}, 499, id="cut short"),
        pytest.param({"wsgi.input": Body(7, OSError())}, 499, id="disconnected"),
        pytest.param({"wsgi.input": Body(7, ValueError())}, 499, id="nonsense on the wire"),
        pytest.param({"HTTP_X_OBJECT_MANIFEST": "c/o"}, 400, id="that points elsewhere"),
        pytest.param({"HTTP_X_COPY_FROM": "c/o"}, 400, id="that copies"),
    ],
)
def test_an_incomplete_put_stores_nothing(
    directory: Path, storage: LocalStorage, http: Browser, environ: dict[str, Any], status: int
) -> None:
    transfer, urls = begin(storage, ONE)
    given = {"CONTENT_LENGTH": "8", "wsgi.input": io.BytesIO(ONE), **environ}
    assert put_raw(http, urls[0], **given).status == status
    assert storage.status(transfer).stored == ()
    assert files_below(directory) == set()


def test_a_body_that_ends_by_itself_is_taken(storage: LocalStorage, http: Browser) -> None:
    transfer, urls = begin(storage, ONE)
    environ = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True, "CONTENT_LENGTH": None}
    assert put_raw(http, urls[0], **environ, **{"wsgi.input": io.BytesIO(ONE)}).status == 201
    assert [s.etag for s in storage.status(transfer).stored] == [md5(ONE)]


def test_a_body_that_ends_by_itself_may_not_be_too_large(
    storage: LocalStorage, http: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfer, urls = begin(storage, ONE[:7])
    environ = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True, "CONTENT_LENGTH": None}
    assert put_raw(http, urls[0], **environ, **{"wsgi.input": io.BytesIO(ONE)}).status == 413
    assert storage.status(transfer).stored == ()


def test_a_body_is_not_read_when_the_url_is_not_good(storage: LocalStorage, http: Browser) -> None:
    transfer, urls = begin(storage, ONE)
    body = Body(8)
    storage.abort(transfer)
    assert put_raw(http, urls[0], CONTENT_LENGTH="8", **{"wsgi.input": body}).status == 401
    assert body.left == 8


@pytest.mark.parametrize("pending", [pytest.param(False, id="complete"), pytest.param(True, id="sealed")])
def test_a_segment_that_arrives_while_the_upload_is_sealed_changes_nothing(
    storage: LocalStorage, http: Browser, pending: bool
) -> None:
    transfer, urls = uploaded(storage, http, ONE)

    class Slow(Body):
        def read(self, size: int = -1) -> bytes:
            seal(storage, transfer, ONE, pending=pending)
            return super().read(size)

    assert put_raw(http, urls[0], CONTENT_LENGTH="8", **{"wsgi.input": Slow(8)}).status == 401
    assert download(storage, http, transfer.name).body == ONE


@pytest.mark.parametrize("data", SIZES)
def test_a_segment_that_arrives_while_the_upload_is_aborted_brings_nothing_back(
    directory: Path, storage: LocalStorage, http: Browser, data: bytes
) -> None:
    transfer, urls = begin(storage, data)

    class Slow(Body):
        def read(self, size: int = -1) -> bytes:
            storage.abort(transfer)
            return super().read(size)

    assert put_raw(http, urls[0], CONTENT_LENGTH="8", **{"wsgi.input": Slow(8)}).status == 401
    assert files_below(directory) == set()


def test_a_download_lets_no_script_run(storage: LocalStorage, http: Browser) -> None:
    stored = finished(storage, http, b"<script>", type="text/html")
    answer = http.request("GET", download_url(storage, stored.name, filename="a.html", inline=True))
    assert answer.headers["Content-Type"] == "text/html"
    assert answer.headers["Content-Security-Policy"] == "sandbox"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "private"


@pytest.mark.parametrize(
    ("changes", "disposition"),
    [
        pytest.param({"filename": None}, "attachment; filename=\"c d\"; filename*=UTF-8''c%20d", id="none"),
        pytest.param({"filename": ""}, "attachment; filename=\"c d\"; filename*=UTF-8''c%20d", id="empty"),
        pytest.param({"filename": None, "inline": ""}, "inline", id="none, inline"),
        pytest.param(
            {"filename": "a\r\nSet-Cookie: x"},
            "attachment; filename=\"a%0D%0ASet-Cookie%3A x\"; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20x",
            id="of several lines",
        ),
    ],
)
def test_the_filename_is_not_signed_and_does_no_harm(
    storage: LocalStorage, http: Browser, changes: dict[str, str | None], disposition: str
) -> None:
    stored = finished(storage, http, ONE, name="a/b/c d")
    answer = http.request("GET", with_query(download_url(storage, stored.name), **changes))
    assert (answer.status, answer.headers["Content-Disposition"]) == (200, disposition)


@pytest.mark.parametrize(
    ("header", "status"),
    [
        pytest.param("bytes=-", 200, id="empty"),
        pytest.param("bytes=5-2", 200, id="backwards"),
        pytest.param("bytes=0-1,3-4", 200, id="several"),
        pytest.param("lines=0-1", 200, id="of another unit"),
        pytest.param("bytes=" + "9" * 5000 + "-", 200, id="absurd"),
        pytest.param("bytes=-0", 416, id="no last bytes"),
        pytest.param("bytes=8-", 416, id="just beyond the end"),
        pytest.param("bytes=7-", 206, id="the last byte"),
    ],
)
def test_ranges_that_are_odd(storage: LocalStorage, http: Browser, header: str, status: int) -> None:
    stored = finished(storage, http, ONE)
    answer = download(storage, http, stored.name, Range=header)
    assert answer.status == status
    if status == 200:
        assert answer.body == ONE


def test_a_range_of_an_object_without_bytes_is_not_satisfiable(storage: LocalStorage, http: Browser) -> None:
    stored = finished(storage, http, b"")
    assert download(storage, http, stored.name, Range="bytes=0-").status == 416


def test_conditions_are_kept(storage: LocalStorage, http: Browser) -> None:
    stored = finished(storage, http, ONE)
    first = download(storage, http, stored.name)
    etag, modified = first.headers.get("ETag") or "", first.headers.get("Last-Modified") or ""
    assert etag == f'"{stored.etag}"'

    def status(**headers: str) -> int:
        return download(storage, http, stored.name, **headers).status

    assert status(If_None_Match=f'"other", W/{etag}') == 304
    assert status(If_None_Match="*") == 304
    assert status(If_None_Match='"other"', If_Modified_Since=modified) == 200
    assert status(If_Modified_Since=modified) == 304
    assert status(If_Modified_Since="nonsense") == 200
    assert status(If_Match="*") == 200
    assert status(If_Match=f"W/{etag}") == 412
    assert status(Range="bytes=0-1", If_Range=etag) == 206
    assert status(Range="bytes=0-1", If_Range=modified) == 206
    assert status(Range="bytes=0-1", If_Range='"other"') == 200


def test_a_head_request_with_a_range_has_the_headers_of_the_complete_object(
    storage: LocalStorage, http: Browser
) -> None:
    stored = finished(storage, http, SEVERAL)
    url = download_url(storage, stored.name)
    head = http.request("HEAD", url, headers={"Range": "bytes=0-1"})
    assert (head.status, head.body) == (200, b"")
    assert head.headers.items() == http.request("GET", url).headers.items()


def test_a_download_closes_its_file(storage: LocalStorage, http: Browser) -> None:
    stored = finished(storage, http, bytes(3 * local_receive.BLOCK), segment_size=4 * local_receive.BLOCK)

    def open_files() -> int:
        return len(os.listdir("/dev/fd"))

    before = open_files()
    for method in ("GET", "HEAD"):
        assert http.request(method, download_url(storage, stored.name)).status == 200
    path, _, query = download_url(storage, stored.name).partition("?")
    environ: dict[str, Any] = {"PATH_INFO": path, "QUERY_STRING": query}
    setup_testing_defaults(environ)
    body: Any = storage.serve(environ, lambda *_: None)  # type: ignore[arg-type]
    next(iter(body))
    assert open_files() > before
    body.close()
    assert open_files() == before


@pytest.mark.parametrize("path", ["", "/", "/local", "/locals/uploads/x", "/static/direct-upload.js"])
def test_other_paths_are_not_the_storages(storage: LocalStorage, path: str) -> None:
    assert storage.serve({"REQUEST_METHOD": "GET", "PATH_INFO": path}, lambda *_: None) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("..", id="two dots"),
        pytest.param("../../../../etc/passwd", id="up"),
        pytest.param("../secret", id="the secret"),
        pytest.param("/etc/passwd", id="absolute"),
        pytest.param(".", id="one dot"),
        pytest.param("a\nb", id="two lines"),
    ],
)
def test_no_name_is_a_path_on_disk(directory: Path, storage: LocalStorage, http: Browser, name: str) -> None:
    storage.default_secrets()
    assert download(storage, http, name).status == 404
    stored = finished(storage, http, ONE, name=name)
    assert download(storage, http, name).body == ONE
    storage.delete(stored)
    assert download(storage, http, name).status == 404
    assert files_below(directory) == {"secret"}
    assert not set(directory.parent.iterdir()) - {directory}


@pytest.mark.parametrize(
    "path",
    [
        "/local/",
        "/local/uploads",
        "/local/uploads/",
        "/local/uploads_segments/",
        "/local/uploads_segments/x/0",
        "/local/uploads_segments/../secret",
        "/local/../secret",
        "/local/uploads/\xff\xfe",
        "/local/uploads/\x00",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH"])
def test_a_request_without_a_valid_signature_is_unauthorized(
    directory: Path, storage: LocalStorage, http: Browser, method: str, path: str
) -> None:
    for query in ("", "temp_url_sig=0&temp_url_expires=99999999999", "temp_url_sig=%ff&temp_url_expires=%ff"):
        answer = http.send(method, {"PATH_INFO": path, "QUERY_STRING": query})
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"]
    assert not directory.exists()


latin_1 = st.text(st.characters(max_codepoint=255), max_size=60)
header_values = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=80)
queries = st.one_of(
    latin_1,
    st.lists(
        st.tuples(
            st.sampled_from(["temp_url_sig", "temp_url_expires", "temp_url_ip_range", "filename", "inline", "x"]),
            latin_1,
        )
    ).map(lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)),
)
HEADERS = [
    "HTTP_ETAG",
    "HTTP_RANGE",
    "HTTP_IF_RANGE",
    "HTTP_IF_MATCH",
    "HTTP_IF_NONE_MATCH",
    "HTTP_IF_MODIFIED_SINCE",
    "HTTP_TRANSFER_ENCODING",
    "HTTP_EXPECT",
    "REMOTE_ADDR",
]
headers = st.dictionaries(st.sampled_from(HEADERS), header_values)
ranges = st.from_regex(r"bytes=[0-9]{0,25}-[0-9]{0,25}(,[0-9]*-[0-9]*)?", fullmatch=True)
methods = st.sampled_from(["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH"])

quick = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)


@quick
@given(method=methods, path=latin_1, query=queries, headers=headers)
def test_no_request_without_a_signature_makes_it_fail(
    storage: LocalStorage, http: Browser, method: str, path: str, query: str, headers: dict[str, str]
) -> None:
    assert http.send(method, {"PATH_INFO": "/local/" + path, "QUERY_STRING": query, **headers}).status == 401


@quick
@given(
    method=st.sampled_from(["GET", "HEAD", "PUT"]),
    more=st.one_of(st.just(""), queries),
    headers=headers,
    asked=st.one_of(st.none(), ranges),
    length=st.one_of(st.none(), st.sampled_from(["0", "3", "8", "9999999999999"])),
    body=st.binary(max_size=20),
)
def test_no_request_with_a_signature_makes_it_fail(
    storage: LocalStorage,
    http: Browser,
    method: str,
    more: str,
    headers: dict[str, str],
    asked: str | None,
    length: str | None,
    body: bytes,
) -> None:
    stored = finished(storage, http, ONE)
    _, urls = begin(storage, ONE)
    url = urls[0].url if method == "PUT" else download_url(storage, stored.name)
    path, _, query = url.partition("?")
    environ = {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": length, **headers}
    if asked is not None:
        environ["HTTP_RANGE"] = asked
    answer = http.send(method, {"PATH_INFO": path, "QUERY_STRING": f"{query}&{more}", **environ})
    assert answer.status in (200, 201, 206, 304, 401, 411, 412, 413, 416, 422, 499)


def test_memory_does_not_grow_with_the_file(storage: LocalStorage, http: Browser) -> None:
    size = 48 * 1024 * 1024
    transfer = new_transfer(b"", size=size, segment_size=size)
    storage.begin(transfer, origin="")
    [signed] = storage.sign(transfer, [0], ttl=60)
    tracemalloc.start()
    try:
        assert put_raw(http, signed, CONTENT_LENGTH=str(size), **{"wsgi.input": Body(size)}).status == 201
        [stored] = storage.status(transfer).stored
        storage.seal(transfer, {0: stored.etag}, pending=False)
        path, _, query = download_url(storage, transfer.name).partition("?")
        environ: dict[str, Any] = {"PATH_INFO": path, "QUERY_STRING": query}
        setup_testing_defaults(environ)
        body: Any = storage.serve(environ, lambda *_: None)  # type: ignore[arg-type]
        assert sum(map(len, body)) == size
        body.close()
        assert tracemalloc.get_traced_memory()[1] < 2 * 1024 * 1024
    finally:
        tracemalloc.stop()
