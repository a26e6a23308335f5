"""What an application's pages and its accepted types must not lose because of the middleware."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from helpers.uploads import Site, assert_problem
from security.conftest import MakeSite
from webob import Request

from direct_upload_middleware import DirectUploadMiddleware
from direct_upload_middleware.storage.local import LocalStorage

ORIGIN = "https://swift.example.com"
POLICY = ("Content-Security-Policy", "default-src 'self'")
PAGE = "<!doctype html><title>Files</title><p>No upload here</p>"


class FarStorage(LocalStorage):
    """A storage whose origin is not the page's."""

    def browser_storage_origin(self) -> str | None:
        return ORIGIN


def unmarked(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    if environ.get("HTTP_IF_NONE_MATCH") == '"a"':
        start_response("304 Not Modified", [("ETag", '"a"'), POLICY])
        return []
    start_response("200 OK", [("Content-Type", "text/html"), ("ETag", '"a"'), POLICY])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [PAGE.encode()]


@pytest.mark.parametrize(
    ("method", "headers"),
    [("GET", {}), ("HEAD", {}), ("GET", {"If-None-Match": '"a"'}), ("HEAD", {"Range": "bytes=0-"})],
)
def test_the_policy_of_a_page_without_uploads_stays_strict(method: str, headers: dict[str, str], tmp_path: Any) -> None:
    """The test fails if HEAD or 304 relaxes a policy that the page itself does not relax."""
    app = DirectUploadMiddleware(unmarked, FarStorage(tmp_path), secret="s" * 32, anonymous=True)
    answer = Request.blank("/", method=method, headers=headers).get_response(app)
    assert answer.headers["Content-Security-Policy"] == POLICY[1]
    assert answer.headers["ETag"] == '"a"'


@pytest.mark.parametrize(
    ("filename", "type"),
    [
        ("notes.txt", "text/html"),
        ("photo.png", "image/svg+xml"),
        ("data.csv", "text/javascript"),
        ("notes.txt", "text/x-javascript"),
        ("notes.txt", "text/xml"),
        ("notes.txt", "text/css"),
    ],
)
def test_an_accepted_extension_does_not_make_a_page_or_script_accepted(
    new_site: MakeSite, filename: str, type: str
) -> None:
    """The test fails if the extension decides for a type that browsers execute."""
    site: Site = new_site(accept=["text/plain", "image/png", "text/csv"])
    answer = site.request("POST", "/uploads", json={"filename": filename, "size": 1, "type": type})
    assert_problem(answer, 415, "type-not-accepted")
