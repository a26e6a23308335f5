"""S6: whatever is sent, no call answers 5xx, raises, or tells or logs a secret."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.validate import validator

import pytest
from helpers.companion import Multipart
from helpers.uploads import ONE, SECRET, SEVERAL, BegunUpload, Site
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from direct_upload_middleware.storage.local import LocalStorage

LATIN = st.text(st.characters(max_codepoint=255))
SEGMENT_OF_PATH = st.one_of(
    st.sampled_from(
        ["uploads", "segments", "complete", "files", "static", "local", "direct-upload.js", "ID", "RECEIPT", "",
         "s3", "multipart", "params", "1"]
    ),
    LATIN,
)  # fmt: skip
PATHS = st.lists(SEGMENT_OF_PATH, max_size=5).map(lambda parts: "".join("/" + part for part in parts))
METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
HEADERS = st.dictionaries(
    st.sampled_from(
        ["COOKIE", "UPLOAD_TICKET", "ORIGIN", "SEC_FETCH_SITE", "HOST", "RANGE", "IF_NONE_MATCH", "IF_MODIFIED_SINCE",
         "IF_MATCH", "IF_RANGE", "ACCEPT", "ETAG", "ACCESS_CONTROL_REQUEST_METHOD", "TRANSFER_ENCODING"]
    ),
    st.one_of(
        LATIN,
        st.sampled_from(
            ["TICKET", "null", "https://evil.example", "https://www.example.com", "same-origin", "bytes=0-", "*", '""',
             'a="\\377"', "direct_upload=" + "a" * 32, "bytes=" + "9" * 5000 + "-", "POST", "chunked"]
        ),
    ),
    max_size=4,
)  # fmt: skip
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["filename", "size", "type", "indexes", "segments", "index", "etag", "parts", "PartNumber", "ETag"]
            )
            | st.text(max_size=5),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=8,
)
BODIES = st.one_of(st.binary(max_size=50), JSON.map(lambda value: json.dumps(value).encode()))
TYPES = st.one_of(st.sampled_from(["application/json", "application/json; charset=x", "text/plain", ""]), LATIN)
LENGTHS = st.one_of(st.none(), st.sampled_from(["", "0", "99999999"]))  # others the validator refuses
QUERIES = st.one_of(st.just(""), LATIN)

MANY = settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


class Requests:
    """Sends anything to one site, and checks what must hold for every answer."""

    def __init__(self, directory: Path, caplog: pytest.LogCaptureFixture) -> None:
        self.site = Site(LocalStorage(directory), origins=["https://www.example.com"])
        self.begun: BegunUpload = self.site.begin(SEVERAL)
        self.begun.send()
        self.multipart = Multipart(self.site, SEVERAL)
        self.multipart.send()
        self.receipt: str = self.site.upload(ONE).json["receipt"]
        self.cookie = self.begun.answer.headers["Set-Cookie"].partition(";")[0]
        self._app = validator(self.site.middleware)
        self._caplog = caplog

    def send(self, method: str, path: str, headers: dict[str, str], body: bytes, **environ: Any) -> tuple[int, bytes]:
        made = {
            "REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": "/_upload" + path, "QUERY_STRING": "",
            "SERVER_NAME": "localhost", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_USER": "ann",
            "REMOTE_ADDR": "127.0.0.1", "wsgi.version": (1, 0), "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(), "wsgi.multithread": False, "wsgi.multiprocess": False, "wsgi.run_once": False,
        }  # fmt: skip
        made |= {f"HTTP_{name}": value for name, value in headers.items()} | environ
        answers: list[tuple[str, list[tuple[str, str]]]] = []
        result: Any = self._app(made, lambda status, headers, *_: answers.append((status, headers)) or (lambda _: None))
        try:
            content = b"".join(result)
        finally:
            result.close()
        ((status, sent),) = answers
        self._check(int(status[:3]), content, dict(sent))
        return int(status[:3]), content

    def _check(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        assert status < 500, content
        told = content.decode("utf-8", "replace") + repr(headers) if status >= 400 else ""
        logged = "".join(record.getMessage() + repr(record.__dict__) for record in self._caplog.records)
        for secret in (
            SECRET,
            self.begun.ticket,
            self.multipart.key,
            self.receipt,
            self.cookie.partition("=")[2],
            "Traceback",
        ):
            assert secret not in told
            assert secret not in logged
        self._caplog.clear()
        if headers.get("Content-Type") == "application/problem+json" and content:
            document = json.loads(content)
            assert document["status"] == status
            assert {"title", "detail", "code"} <= set(document)


@pytest.fixture
def requests(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Requests]:
    caplog.set_level(logging.DEBUG, "direct_upload_middleware")
    return Requests(tmp_path, caplog)


@MANY
@given(METHODS, PATHS, HEADERS, BODIES, TYPES, LENGTHS, QUERIES)
def test_anything_from_anyone(
    requests: Requests,
    method: str,
    path: str,
    headers: dict[str, str],
    body: bytes,
    content_type: str,
    length: str | None,
    query: str,
) -> None:
    path = path.replace("ID", requests.begun.id).replace("RECEIPT", requests.receipt)
    headers = {name: value.replace("TICKET", requests.begun.ticket) for name, value in headers.items()}
    requests.send(
        method,
        path,
        headers,
        body,
        CONTENT_TYPE=content_type,
        CONTENT_LENGTH=str(len(body)) if length is None else length,
        QUERY_STRING=query,
    )


@MANY
@given(st.sampled_from(["/uploads", "/uploads/ID/segments", "/uploads/ID/complete"]), JSON)
def test_any_json_from_the_owner(requests: Requests, path: str, value: Any) -> None:
    assume(not isinstance(value, dict) or value.get("segments") != requests.begun.declared)
    headers = {"COOKIE": requests.cookie, "UPLOAD_TICKET": requests.begun.ticket}
    body = json.dumps(value).encode()
    status, _ = requests.send(
        "POST",
        path.replace("ID", requests.begun.id),
        headers,
        body,
        CONTENT_TYPE="application/json",
        CONTENT_LENGTH=str(len(body)),
    )
    assert status in (200, 201, 400, 409, 413, 415, 422)


@MANY
@given(st.sampled_from(["", "/ID/complete"]), JSON)
def test_any_json_from_the_owner_by_uppys_protocol(requests: Requests, path: str, value: Any) -> None:
    upload = requests.multipart
    assume(not isinstance(value, dict) or value.get("parts") != upload.parts)
    body = json.dumps(value).encode()
    status, _ = requests.send(
        "POST",
        "/s3/multipart" + path.replace("ID", upload.id),
        {"COOKIE": requests.cookie},
        body,
        CONTENT_TYPE="application/json",
        CONTENT_LENGTH=str(len(body)),
        QUERY_STRING=f"key={upload.key}",
    )
    assert status in (200, 400, 409, 413, 415, 422)


@MANY
@given(st.text(st.sampled_from("0123456789-+ e.²\0"), max_size=12), LATIN)
def test_any_part_number_and_key(requests: Requests, number: str, query: str) -> None:
    path = f"/s3/multipart/{requests.multipart.id}/" + number.encode().decode("latin-1")
    for key in (f"key={requests.multipart.key}", query):
        status, _ = requests.send("GET", path, {"COOKIE": requests.cookie}, b"", QUERY_STRING=key, CONTENT_TYPE="")
        assert status in (200, 403, 404, 413, 422)


@MANY
@given(
    st.fixed_dictionaries(
        {
            "filename": st.text(max_size=30),
            "size": st.integers(0, 10**14),
            "type": st.sampled_from(["", "a/b"]) | st.text(),
        }
    )
)
def test_any_begin(requests: Requests, value: dict[str, Any]) -> None:
    body = json.dumps(value).encode()
    status, content = requests.send(
        "POST", "/uploads", {}, body, CONTENT_TYPE="application/json", CONTENT_LENGTH=str(len(body))
    )
    assert status in (201, 413, 422)
    if status == 201:
        begun = json.loads(content)
        assert 1 <= begun["segment_count"] <= 1000


@MANY
@given(st.integers(0, 10**6), LATIN, METHODS, LATIN, HEADERS)
def test_any_change_of_a_temp_url(
    requests: Requests, position: int, change: str, method: str, path: str, headers: dict[str, str]
) -> None:
    whole, _, query = requests.begun.urls[0].partition("?")
    position %= len(query)
    changed = query[:position] + change + query[position + 1 :]
    below = unquote_to_bytes(whole).decode("latin-1").removeprefix("/_upload") + path
    assume(changed != query or path or method not in ("PUT", "HEAD"))
    headers.pop("TRANSFER_ENCODING", None)
    status, _ = requests.send(method, below, headers, b"x", QUERY_STRING=changed, CONTENT_LENGTH="1", CONTENT_TYPE="")
    assert status in (401, 403, 204)
