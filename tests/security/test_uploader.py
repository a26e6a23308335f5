"""The uploader itself: headers it puts on what it sends, more than it said, pointers to what is not its own."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import requests
from helpers.uploads import ONE, SEVERAL, BegunUpload, Site, assert_problem, md5
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from security.conftest import Account, MakeSite

from direct_upload_middleware import Upload
from direct_upload_middleware.storage.swift.tombstones import NAME as TOMBSTONE

BOTH = [pytest.param(ONE, id="one segment"), pytest.param(SEVERAL, id="several segments")]
EVIL = {
    "X-Delete-At": str(int(time.time()) + 3600),
    "X-Object-Meta-Evil": "1",
    "X-Object-Meta-Direct-Upload-State": "complete",
    "Content-Encoding": "gzip",
    "Content-Disposition": "inline; filename=evil.html",
    "Content-Type": "text/html",
    "Content-Language": "xx",
    "Cache-Control": "max-age=999999",
}
MiB = 1024**2
NAME = r"[a-zA-Z0-9!#$&^_.+*'`|~%-]{1,20}"
VALUE = r'(?:[a-z0-9]{1,9}|"(?:[ -!#-\[\]-~]|\\[ -~]){0,9}")'
MIME = rf"{NAME}/{NAME}(?:[ \t]*;[ \t]*[a-zA-Z_*]{{1,9}}={VALUE}){{0,2}}"


def stored(begun: BegunUpload, account: Account) -> dict[str, dict[str, str]]:
    """The metadata of everything that stays of an upload, by path."""
    container = begun.site.storage.container
    name = begun.complete().json["upload"]["name"]
    segments = f"{container}_segments_{begun.id}"
    paths = [f"{container}/{name}", *(f"{segments}/{segment}" for segment in account.names(segments))]
    return {path: account.metadata(path) for path in paths}


@pytest.mark.parametrize("data", BOTH)
def test_headers_that_the_uploader_adds_do_not_reach_the_stored_objects(
    site: Site, account: Account, data: bytes
) -> None:
    """S8, the expiry above all. Notices when the copy is made without ``X-Fresh-Metadata``, or the segments keep what
    they were sent with.
    """
    begun = site.begin(data)
    begun.send(EVIL)
    found = stored(begun, account)
    assert len(found) == (1 if len(begun.pieces()) == 1 else 1 + len(begun.pieces()))
    for path, metadata in found.items():
        for header in ("x-delete-at", "x-object-meta-evil", "content-encoding", "content-disposition"):
            assert header not in metadata, path
    answered = site.fetch("GET", begun.complete().json["download_url"])
    assert answered.body == data
    assert answered.headers["Content-Type"] == "application/pdf"
    assert "evil" not in answered.headers["Content-Disposition"]
    assert answered.headers.get("Cache-Control") != "max-age=999999"


@pytest.mark.parametrize("data", BOTH)
def test_an_expiry_that_comes_at_the_last_moment_is_found(
    site: Site, account: Account, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S8. Right bytes with an expiry, put there while complete runs. Notices when segments are looked at before their
    temp URLs end.
    """
    begun = site.begin(data)
    begun.send()
    request = site.storage._client.request
    last = "POST" if len(begun.pieces()) > 1 else "PUT"  # revokes; copies, or takes the name

    def attacked(method: str, *path: str, **options: object) -> requests.Response:
        if method == last:
            monkeypatch.undo()
            begun.send({"X-Delete-After": "3600"})
        return request(method, *path, **options)

    monkeypatch.setattr(site.storage._client, "request", attacked)
    assert begun.complete().status_int == 200
    assert not any("x-delete-at" in metadata for metadata in stored(begun, account).values())


@pytest.mark.parametrize("data", BOTH)
@pytest.mark.parametrize(
    "header",
    [
        pytest.param({"X-Object-Manifest": "uploads/"}, id="dynamic large object"),
        pytest.param({"X-Static-Large-Object": "true"}, id="static large object"),
        pytest.param({"X-Symlink-Target": "uploads/x"}, id="symlink"),
        pytest.param({"X-Copy-From": "/uploads/x"}, id="copy"),
    ],
)
def test_no_pointer_to_other_objects_is_stored(
    site: Site, account: Account, data: bytes, header: dict[str, str]
) -> None:
    """An uploader that could store a pointer would read every object of the account. Swift refuses each of them."""
    victim = site.upload(ONE).json["upload"]["name"]
    container = site.storage.container
    pointing = {name: value.replace("uploads/x", f"{container}/{victim}") for name, value in header.items()}
    begun = site.begin(data)
    assert begun.site.fetch("PUT", begun.urls[0], b"", pointing).status in (400, 401, 403)
    assert begun.status()["stored"] == []


@pytest.mark.parametrize("data", BOTH)
def test_a_manifest_is_not_taken_by_temp_url(site: Site, data: bytes) -> None:
    """Swift signs no query: what was PUT as a manifest is the bytes of one, and differs."""
    victim = site.upload(ONE).json["upload"]
    begun = site.begin(data)
    manifest = b'[{"path":"/%s/%s","size_bytes":8}]' % (site.storage.container.encode(), victim["name"].encode())
    site.fetch("PUT", begun.urls[0] + "&multipart-manifest=put", manifest)
    for index, piece in enumerate(begun.pieces()[1:], 1):
        begun.put(index, piece)
    assert_problem(begun.complete(), 409, "segments-differ", indexes=[0])


@pytest.mark.parametrize("data", BOTH)
def test_a_timestamp_that_the_uploader_sends_is_ignored(site: Site, account: Account, data: bytes) -> None:
    """An object from the future could be neither overwritten nor deleted. Swift's gatekeeper takes the header away."""
    begun = site.begin(data)
    begun.send({"X-Timestamp": str(time.time() + 10**7), "X-Backend-Timestamp": str(time.time() + 10**7)})
    done = begun.complete()
    assert done.status_int == 200
    site.uploads(lambda uploads: uploads.delete(uploads.verify(done.json["receipt"])))
    assert site.fetch("GET", done.json["download_url"]).status == 404
    assert account.names(f"{site.storage.container}_segments_{begun.id}") == []


@pytest.mark.parametrize("data", BOTH)
def test_a_type_that_lies_to_listings_is_refused(site: Site, data: bytes) -> None:
    """Swift lists an object with the size that its type claims, and keeps that (``swift_bytes``) for itself. Notices
    when such a type gets into a ticket: Swift would refuse it in the end.
    """
    begun = site.begin(data)
    lie = {"Content-Type": "x/y;swift_bytes=1"}
    assert {site.fetch("PUT", url, b"x", lie).status for url in begun.urls.values()} == {400}
    for type in ("x/y;swift_bytes=1", 'x/y; a="b"; SWIFT_bytes=1'):
        answer = site.request("POST", "/uploads", json={"filename": "a", "size": 1, "type": type})
        assert_problem(answer, 422, "invalid-request", field="type")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(type=st.from_regex(MIME, fullmatch=True).filter(lambda type: len(type) <= 255))
def test_every_other_type_can_be_stored(site: Site, type: str) -> None:
    """S6. Notices when a type passes that Swift will not have: complete would answer 502."""
    answer = site.request("POST", "/uploads", json={"filename": "a", "size": 8, "type": type})
    if answer.status_int == 422:
        assert "swift_" in type.lower()
        return
    begun = BegunUpload(site, ONE, answer)
    begun.send()
    done = begun.complete()
    assert done.status_int == 200, done.text
    assert site.fetch("GET", done.json["download_url"]).headers["Content-Type"] == type


def test_a_claim_of_a_kilobyte_and_a_body_of_a_hundred_megabytes(new_site: MakeSite, account: Account) -> None:
    """Policy is about what is stored. Notices when the size in the ticket is not compared with the object's."""
    site = new_site(segment_size=MiB, max_size=MiB)
    begun = site.begin(b"x" * 1024)
    block = bytes(MiB)

    def body() -> Iterator[bytes]:
        for _ in range(100):
            yield block

    assert requests.put(begun.urls[0], data=body(), timeout=60).status_code == 201
    assert_problem(begun.complete([{"index": 0, "etag": md5(block * 100)}]), 409, "segments-differ", indexes=[0])
    assert begun.abort().status_int == 204
    left = account.names(f"{site.storage.container}_staging")
    assert f"{begun.id}_over" in left
    assert all(TOMBSTONE.fullmatch(name) for name in left)


def test_a_container_quota_bounds_an_uploader_that_never_completes(new_site: MakeSite, account: Account) -> None:
    """What a temp URL writes is not bounded by its signature, only in number; quotas of the containers are the
    bound.
    """
    site = new_site(segment_size=MiB)
    site.upload(b"makes the containers")
    for container in (f"{site.storage.container}_staging",):
        account.request("POST", container, headers={"X-Container-Meta-Quota-Bytes": str(2 * MiB)})
    begun = site.begin(b"x" * 1024)
    assert site.fetch("PUT", begun.urls[0], bytes(3 * MiB)).status == 413
    begun.send()
    assert begun.complete().status_int == 200


@pytest.mark.parametrize("data", BOTH)
def test_the_uploader_has_no_say_in_names(site: Site, account: Account, data: bytes) -> None:
    """S5. Notices when filename, type or anything else of the client's becomes part of a name in storage."""
    begun = site.begin(data, filename="..evil..%2f.pdf", name="evil", id="evil", container="evil", object_name="evil")
    begun.send()
    name = begun.complete().json["upload"]["name"]
    assert len(name) == len(begun.id) == 32
    assert set(name + begun.id) <= set("0123456789abcdef")
    assert not any("evil" in path for path in (*account.everything_of(site), *begun.urls.values()))


def test_an_object_that_a_later_upload_gets_the_name_of_stays_as_it_is(new_site: MakeSite) -> None:
    """``object_name`` should not give a name twice. If it does, no upload can overwrite or remove another's object,
    neither by completing nor by giving up. Notices when either writes to a name without looking whose it is.
    """
    site = new_site(object_name=lambda environ, request: request.filename)
    first = site.upload(ONE, filename="same")
    site.log_in("bob")
    for data in (b"another", SEVERAL):
        begun = site.begin(data, filename="same")
        begun.send()
        assert_problem(begun.complete(), 500, "application-error")
        assert begun.abort().status_int == 204
    assert site.download(first.json["download_url"]) == ONE


def test_status_does_not_return_a_receipt_before_confirmation(new_site: MakeSite) -> None:
    """Status tells a receipt only when the application has said yes. Notices when a sealed upload counts as
    complete.
    """

    def on_complete(environ: object, upload: Upload) -> None:
        raise RuntimeError("down for a moment")

    site = new_site(on_complete=on_complete)
    for data in (ONE, SEVERAL):
        begun = site.begin(data)
        begun.send()
        assert begun.complete().status_int == 500
        for index, piece in enumerate(begun.pieces()):
            begun.put(index, piece)  # a staged object that is newer than the copy
        assert (begun.status()["state"], "receipt" in begun.status()) == ("open", False)


@pytest.mark.parametrize("seal", ["revoke", "pin"])
@pytest.mark.parametrize("data", BOTH)
def test_an_upload_that_the_application_deleted_is_not_brought_back(new_site: MakeSite, data: bytes, seal: str) -> None:
    """S3. Ticket and temp URLs of one segment outlive the file, and would write other bytes under its name. Notices
    when ``delete`` leaves no word.
    """
    site = new_site(seal=seal)
    begun = site.begin(data)
    begun.send()
    done = begun.complete().json
    site.uploads(lambda uploads: uploads.delete(uploads.verify(done["receipt"])))
    evil = bytes(byte ^ 1 for byte in data)
    for index in range(len(begun.pieces())):
        begun.data = evil
        site.fetch("PUT", begun.urls[index], begun.pieces()[index])
    assert_problem(site.call("sign", begun), 404, "not-found")
    assert_problem(site.call("status", begun), 404, "not-found")
    assert begun.complete().status_int in (404, 409)
    assert site.fetch("GET", done["download_url"]).status == 404
