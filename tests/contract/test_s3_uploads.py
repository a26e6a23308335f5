"""The middleware on S3: the HTTP API, the application's side, Uppy, and a server that goes away."""

from __future__ import annotations

import io
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from helpers import companion
from helpers.companion import Multipart
from helpers.storage.s3 import s3_storage
from helpers.uploads import Site

from direct_upload_middleware import DirectUploadMiddleware, Refused
from direct_upload_middleware.errors import ConfigurationError, StorageUnavailable
from direct_upload_middleware.storage.s3 import S3Storage
from direct_upload_middleware.storage.s3.multipart import MIN_PART_SIZE
from direct_upload_middleware.testing import upload_file
from direct_upload_middleware.testing.private_s3.server import S3Server

LARGE = b"a" * MIN_PART_SIZE + b"b" * MIN_PART_SIZE + b"the end"


@pytest.fixture
def storage(s3_server: S3Server) -> S3Storage:
    return s3_storage(s3_server)


@pytest.fixture
def site(storage: S3Storage) -> Site:
    return Site(storage)


@pytest.mark.parametrize("options", [{"seal": "pin"}, {"bind_ip": True}])
def test_options_that_s3_cannot_honour_are_configuration_errors(storage: S3Storage, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        DirectUploadMiddleware(lambda *_: [], storage, secret="s" * 32, **options)


def test_segments_say_how_storage_takes_their_md5_and_are_no_smaller_than_s3_allows(site: Site) -> None:
    begun = site.begin(LARGE)
    assert begun.segment_size == MIN_PART_SIZE
    assert len(begun.segments) == 3
    for segment in begun.segments:
        assert segment["checksum"] == {"header": "Content-MD5", "encoding": "base64"}
        assert segment["method"] == "PUT"


@pytest.mark.parametrize("data", [b"", b"one segment", LARGE])
def test_a_file_is_uploaded_opened_downloaded_and_deleted(site: Site, data: bytes) -> None:
    filename = "Übergrößen-日本語-🦄.pdf"
    done = site.upload(data, filename=filename)
    assert done.status_int == 200, done.text
    assert site.download(done.json["download_url"]) == data
    answered = site.fetch("GET", done.json["download_url"])
    assert "filename*=UTF-8''%C3%9Cbergr" in answered.headers["Content-Disposition"]
    upload = site.uploads(lambda uploads: uploads.verify(done.json["receipt"]))
    assert (upload.filename, upload.size) == (filename, len(data))
    assert site.uploads(lambda uploads: uploads.open(upload).read()) == data
    url = site.uploads(lambda uploads: uploads.download_url(upload, inline=True))
    assert site.fetch("GET", url).headers["Content-Disposition"].startswith("inline")
    site.uploads(lambda uploads: uploads.delete(upload))
    assert site.fetch("GET", url).status == 404


def test_an_upload_resumes_where_it_stopped(site: Site) -> None:
    begun = site.begin(LARGE)
    pieces = begun.pieces()
    begun.put(1, pieces[1])
    assert [s["index"] for s in begun.status()["stored"]] == [1]
    assert begun.complete().json["code"] == "segments-missing"
    begun.sign([0, 2])
    for index in (0, 2):
        begun.put(index, pieces[index])
    first, second = begun.complete(), begun.complete()
    assert first.json["receipt"]
    assert second.json["upload"] == first.json["upload"]
    assert begun.status()["state"] == "complete"
    assert begun.abort().json["code"] == "already-complete"


def test_an_upload_that_outlives_its_ticket_goes_on_with_a_renewed_one(
    storage: S3Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time
    site = Site(storage, ticket_ttl=1000)
    begun = site.begin(LARGE)
    begun.put(0, begun.pieces()[0])
    monkeypatch.setattr(time, "time", lambda: now() + 600)
    begun.ticket = site.call("sign", begun).json["ticket"]
    monkeypatch.setattr(time, "time", lambda: now() + 1200)
    assert [s["index"] for s in begun.status()["stored"]] == [0]
    begun.sign([1, 2])
    for index in (1, 2):
        assert begun.put(index, begun.pieces()[index]).status == 200
    assert site.download(begun.complete().json["download_url"]) == LARGE


def test_an_upload_that_the_application_refuses_leaves_nothing(storage: S3Storage) -> None:
    seen: list[Any] = []

    def refuse(environ: dict[str, Any], upload: Any) -> None:
        seen.append(upload)
        raise Refused("Not this one.")

    site = Site(storage, on_complete=refuse)
    begun = site.begin(b"unwanted")
    begun.send()
    assert begun.complete().json["code"] == "refused"
    assert begun.complete().json["code"] == "not-found"
    [upload] = seen
    assert site.fetch("GET", storage.download_url(upload.name, filename="x", inline=False, ttl=60)).status == 404


def test_an_abort_ends_the_urls(site: Site) -> None:
    begun = site.begin(b"aborted")
    begun.send()
    assert begun.abort().status_int == 204
    assert begun.abort().status_int == 204
    assert begun.put(0, b"aborted").status == 404
    assert begun.complete().json["code"] == "not-found"
    assert site.call("status", begun).json["code"] == "not-found"


def test_of_an_abort_and_a_complete_one_succeeds_while_the_application_thinks(storage: S3Storage) -> None:
    asked, answer = threading.Event(), threading.Event()

    def think(environ: dict[str, Any], upload: Any) -> None:
        asked.set()
        assert answer.wait(30)

    site = Site(storage, on_complete=think)
    begun = site.begin(b"contested")
    begun.send()
    with ThreadPoolExecutor(1) as pool:
        completing = pool.submit(begun.complete)
        assert asked.wait(30)
        aborted = begun.abort()
        answer.set()
        completed = completing.result()
    assert aborted.status_int == 204
    assert completed.json["code"] == "not-found"


@pytest.mark.parametrize("data", [b"small", LARGE])
def test_an_application_tests_itself_with_upload_file(site: Site, data: bytes) -> None:
    receipt = upload_file(site.browser, "report.pdf", data)
    upload = site.uploads(lambda uploads: uploads.verify(receipt))
    assert site.uploads(lambda uploads: uploads.open(upload).read()) == data


@pytest.mark.parametrize("data", [b"", b"small", LARGE])
def test_an_application_stores_a_file_itself(site: Site, data: bytes) -> None:
    upload = site.uploads(lambda uploads: uploads.store(io.BytesIO(data), filename="own.pdf", type="application/pdf"))
    assert site.uploads(lambda uploads: uploads.open(upload).read()) == data


# -- Uppy's own plugin ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [100, 2 * MIN_PART_SIZE + 7])
def test_uppys_own_plugin_uploads(site: Site, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(companion, "PART", MIN_PART_SIZE)
    data = bytes(size)
    plugin = Multipart(site, data)
    for number, piece in enumerate(plugin.pieces, 1):
        assert plugin.put(number, piece).status == 200
    done = plugin.complete()
    again = plugin.complete()
    assert again.status_int == 200, again.text
    assert done.status_int == 200, done.text
    assert site.download(done.json["download_url"]) == data


# -- a server that goes away -----------------------------------------------------------------------------------------


@pytest.fixture
def own_server() -> Iterator[S3Server]:
    with S3Server() as server:
        yield server


def test_a_restarted_server_loses_nothing(own_server: S3Server) -> None:
    storage = s3_storage(own_server)
    site = Site(storage)
    begun = site.begin(LARGE)
    pieces = begun.pieces()
    begun.put(0, pieces[0])
    own_server.stop()
    for name in ("sign", "status", "complete", "abort"):
        answer = site.call(name, begun)
        assert (answer.status_int, answer.json["code"]) == (503, "storage-unavailable"), name
        assert int(answer.headers["Retry-After"]) > 0
    with pytest.raises(StorageUnavailable):
        storage._client.call("head_bucket")
    own_server.start()
    assert [s["index"] for s in begun.status()["stored"]] == [0]
    begun.put(1, pieces[1])
    begun.put(2, pieces[2])
    assert site.download(begun.complete().json["download_url"]) == LARGE


def test_the_server_ends_with_its_owner() -> None:
    with S3Server() as server:
        url, pids = server.url, server.pids
        assert urllib.request.urlopen(f"{url}/healthz", timeout=10).status == 200
    assert set(pids) == {"supervisor", "weed"}
    with pytest.raises(OSError, match=r"(?i)refused"):
        urllib.request.urlopen(url, timeout=10)
