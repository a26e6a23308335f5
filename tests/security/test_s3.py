"""Attacks of an uploader, and of an eavesdropper who has a part URL, on S3 (SeaweedFS)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import pytest
import requests
from helpers.storage.s3 import BUCKET, s3_storage
from helpers.uploads import CALLS, BegunUpload, Site, assert_problem

from direct_upload_middleware.storage.s3 import S3Storage
from direct_upload_middleware.storage.s3.multipart import MIN_PART_SIZE
from direct_upload_middleware.testing.private_s3.server import S3Server

SECRET_FILE = b"the file of another user"
SIZES = [
    pytest.param(b"one file", id="one segment"),
    pytest.param(bytes(MIN_PART_SIZE) + b"end", id="several segments"),
]


@pytest.fixture(params=[False, True], ids=["plain", "sign_copy_source"])
def s3(request: pytest.FixtureRequest, s3_server: S3Server) -> S3Storage:
    return s3_storage(s3_server, sign_copy_source=request.param)


@pytest.fixture
def s3_site(s3: S3Storage) -> Site:
    return Site(s3)


def send(method: str, url: str, data: bytes = b"", **headers: str) -> int:
    """Return the status of a request without credentials."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.request(method, url, data=data, headers=sent, timeout=60, allow_redirects=False).status_code


def changed(url: str, path: str | None = None, **query: str | None) -> str:
    """The URL with another path and with other parameters; None removes one."""
    parts = urlsplit(url)
    parameters = {**dict(parse_qsl(parts.query, keep_blank_values=True)), **query}
    kept = urlencode({name: value for name, value in parameters.items() if value is not None})
    return urlunsplit(parts._replace(query=kept, path=path or parts.path))


def assert_unharmed(site: Site, begun: BegunUpload) -> None:
    """The upload has nothing but what its owner sends."""
    begun.send()
    done = begun.complete()
    assert done.status_int == 200, done.text
    assert site.download(done.json["download_url"]) == begun.data


@pytest.mark.parametrize("call", CALLS)
def test_a_stolen_ticket_does_nothing_in_s3(s3_site: Site, call: str) -> None:
    """S1. Notices when a ticket is not bound to the requester."""
    begun = s3_site.begin(b"data")
    begun.send()
    assert_problem(s3_site.call(call, begun, browser=s3_site.new_browser("bob")), 403, "not-yours")
    assert_unharmed(s3_site, begun)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"x_amz_copy_source": "{victim}"}, id="a path"),
        pytest.param({"x_amz_copy_source": "{victim}", "x_amz_copy_source_range": "bytes=0-3"}, id="a range"),
        pytest.param({"X_Amz_Copy_Source": "/{victim}"}, id="another spelling"),
        pytest.param({"x_amz_copy_source": "{victim}?versionId=null"}, id="a version"),
    ],
)
def test_a_part_url_copies_no_object(s3_site: Site, headers: dict[str, str]) -> None:
    """S9. Notices when the header that copies is neither refused by the server nor signed as empty."""
    victim = s3_site.upload(SECRET_FILE).json["upload"]["name"]
    source = f"{BUCKET}/{s3_site.storage.container.partition('/')[2]}/{victim}"  # type: ignore[union-attr]
    begun = s3_site.begin(b"x" * len(SECRET_FILE))
    sent = {name: value.format(victim=source) for name, value in headers.items()}
    assert send("PUT", begun.urls[0], **sent) in (400, 403)
    assert begun.status()["stored"] == []
    assert_unharmed(s3_site, begun)


@pytest.mark.parametrize("end", ["complete", "abort"])
@pytest.mark.parametrize("data", SIZES)
def test_no_part_url_writes_after_the_end(s3_site: Site, data: bytes, end: str) -> None:
    """S3. Notices when the multipart upload is not ended with the upload."""
    begun = s3_site.begin(data)
    begun.send()
    done = getattr(begun, end)()
    assert done.status_int < 300
    for index, piece in enumerate(begun.pieces()):
        assert begun.put(index, piece).status == 404
        assert begun.put(index, b"x" * len(piece)).status == 404
    if end == "complete":
        assert s3_site.download(done.json["download_url"]) == data
        assert begun.complete().json["upload"] == done.json["upload"]
    else:
        assert_problem(begun.complete(), 404, "not-found")


HEADERS = {
    "x_amz_meta_evil": "1",
    "x_amz_acl": "public-read",
    "x_amz_tagging": "evil=1",
    "x_amz_storage_class": "GLACIER",
    "x_amz_website_redirect_location": "http://evil.example/",
    "x_amz_server_side_encryption": "aws:kms",
    "x_amz_object_lock_mode": "COMPLIANCE",
    "X_Delete_After": "1",
    "Content_Type": "text/html",
    "Content_Encoding": "gzip",
    "Content_Disposition": "inline",
    "Cache_Control": "no-store",
    "Expires": "0",
}


@pytest.mark.parametrize("header", HEADERS)
def test_no_header_of_a_part_reaches_the_object(s3_site: Site, header: str) -> None:
    """S8. The type and the metadata are those of the begin; the server refuses or ignores all else."""
    begun = s3_site.begin(b"data")
    status = begun.put(0, b"data", {header.replace("_", "-"): HEADERS[header]}).status
    assert status in (200, 400, 403, 501), status
    if status != 200:
        begun.send()
    done = begun.complete()
    assert done.status_int == 200, done.text
    answer: Any = requests.get(done.json["download_url"], headers={"Accept-Encoding": "identity"}, timeout=60)
    assert answer.content == b"data"
    assert answer.headers["Content-Type"] == "application/pdf"
    for name in ("Content-Encoding", "Cache-Control", "Expires", "x-amz-meta-evil", "x-amz-tagging-count"):
        assert name not in answer.headers
    assert requests.get(done.json["download_url"].partition("?")[0], timeout=60).status_code == 403


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"partNumber": "2"}, id="another part"),
        pytest.param({"partNumber": None, "uploadId": None}, id="the object itself"),
        pytest.param({"partNumber": None}, id="the upload without a part"),
        pytest.param({"X-Amz-Expires": "604800"}, id="a longer life"),
        pytest.param({"X-Amz-SignedHeaders": "host;x-evil"}, id="other signed headers"),
        pytest.param({"tagging": ""}, id="the tags"),
        pytest.param({"acl": ""}, id="the permissions"),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "GET"])
def test_a_part_url_is_for_one_part_and_one_method(s3_site: Site, method: str, change: dict[str, str | None]) -> None:
    """S3, S9. Notices when a parameter of the URL is not signed."""
    begun = s3_site.begin(b"data")
    assert send(method, changed(begun.urls[0], **change), b"evil") in (400, 403, 405)
    assert begun.status()["stored"] == []
    assert_unharmed(s3_site, begun)


@pytest.mark.parametrize("kind", ["pin", "decision"])
def test_a_part_url_reaches_no_record(s3_site: Site, kind: str) -> None:
    """S10. Notices when the path is not signed: who writes records decides what becomes of uploads."""
    begun = s3_site.begin(b"data")
    folder = urlsplit(begun.urls[0]).path.rpartition("/")[0]
    record = f"{folder}/.direct-upload/uploads/{begun.id}/{kind}"
    for method in ("PUT", "GET", "DELETE"):
        for query in ({}, {"partNumber": None, "uploadId": None}):
            assert send(method, changed(begun.urls[0], record, **query), b"{}") == 403
    assert_unharmed(s3_site, begun)
