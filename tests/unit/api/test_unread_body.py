"""What a call does not read of its body is read all the same, since servers reset the connection otherwise."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from webob import Request

from direct_upload_middleware import DirectUploadMiddleware
from direct_upload_middleware.api.unread_body import LIMIT

JSON = b'{"filename":"a","size":1,"type":""}'


class Sent(io.RawIOBase):
    """A body as it comes from a connection: nobody may wait for more than was announced."""

    def __init__(self, size: int) -> None:
        self.left = size

    def read(self, size: int = -1) -> bytes:
        assert 0 < size <= self.left, "this would wait for ever"
        self.left -= size
        return (JSON + b" " * size)[:size]

    def readline(self, size: int | None = -1) -> bytes:
        return self.read(self.left if size is None or size < 0 else size)


class Gone(io.RawIOBase):
    def read(self, size: int = -1) -> bytes:
        raise ConnectionResetError


def call(directory: Path, path: str, body: Any, length: int, **options: Any) -> int:
    """The status of a call with a body, of which ``length`` bytes are announced."""
    app = DirectUploadMiddleware(lambda environ, start_response: [], f"local:{directory}", **options)
    request = Request.blank(path, method="POST", content_type="application/json")
    request.environ |= {"wsgi.input": body, "CONTENT_LENGTH": str(length), "REMOTE_USER": "ann"}
    status: int = request.get_response(app).status_int
    return status


@pytest.mark.parametrize("length", [1, 60_000, 1024**2 + 1, 3_000_000])
@pytest.mark.parametrize(
    ("path", "options", "status"),
    [
        pytest.param("/_upload/uploads", {"identify": lambda environ: None}, 401, id="nobody is logged in"),
        pytest.param("/_upload/uploads/1/complete", {}, 403, id="no ticket"),
        pytest.param("/_upload/files/x", {}, 405, id="another method"),
        pytest.param("/_upload/local/uploads_segments/1/0", {}, 401, id="at the local storage"),
        pytest.param("/_upload/nothing", {}, 404, id="nothing is there"),
    ],
)
def test_a_refusal_leaves_nothing_unread(
    tmp_path: Path, path: str, options: dict[str, Any], status: int, length: int
) -> None:
    body = Sent(length)
    assert call(tmp_path, path, body, length, **options) == status
    assert body.left == 0


@pytest.mark.parametrize(("length", "status"), [(len(JSON), 201), (len(JSON) + 9, 201), (1024**2 + 1, 413)])
def test_a_body_that_the_call_has_read_is_not_waited_for_again(tmp_path: Path, length: int, status: int) -> None:
    body = Sent(length)
    assert call(tmp_path, "/_upload/uploads", body, length) == status
    assert body.left == 0


@pytest.mark.parametrize(
    "read", [lambda file: file.read(5), lambda file: file.readline(), lambda file: next(iter(file))]
)
def test_a_body_that_identify_has_read_is_not_waited_for_again(tmp_path: Path, read: Any) -> None:
    body = Sent(60_000)

    def identify(environ: dict[str, Any]) -> None:
        assert read(environ["wsgi.input"]).startswith(JSON[:5])

    assert call(tmp_path, "/_upload/uploads", body, 60_000, identify=identify) == 401
    assert body.left == 0


def test_a_body_that_is_too_long_is_not_waited_for(tmp_path: Path) -> None:
    body = Sent(LIMIT + 1)
    assert call(tmp_path, "/_upload/nothing", body, LIMIT + 1) == 404
    assert body.left == LIMIT + 1


def test_a_client_that_is_gone_is_no_error(tmp_path: Path) -> None:
    assert call(tmp_path, "/_upload/nothing", Gone(), 1000) == 404


@pytest.mark.parametrize("ends_by_itself", [True, False])
def test_a_body_without_a_length_is_read_to_its_end_where_it_has_one(tmp_path: Path, ends_by_itself: bool) -> None:
    app = DirectUploadMiddleware(lambda environ, start_response: [], f"local:{tmp_path}")
    body = io.BytesIO(b"x" * 200_000)
    request = Request.blank("/_upload/nothing", method="POST")
    request.environ |= {"wsgi.input": body, "HTTP_TRANSFER_ENCODING": "chunked"}
    request.environ["wsgi.input_terminated"] = ends_by_itself
    assert request.get_response(app).status_int == 404
    assert body.tell() == (200_000 if ends_by_itself else 0)
