"""Files that the application itself stores: from a form without JavaScript, from its own code, outside requests."""

from __future__ import annotations

import io
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import bottle
import pytest
from django.core.files.uploadedfile import InMemoryUploadedFile, SimpleUploadedFile
from helpers.uploads import EMPTY, ONE, SECRET, SEVERAL, Site, swift_storage
from webob import Request
from werkzeug.datastructures import FileStorage

from direct_upload_middleware import (
    DirectUploadError,
    InvalidReceipt,
    NotYours,
    Refused,
    StorageError,
    StorageUnavailable,
    Upload,
    UploadStore,
)
from direct_upload_middleware.errors import (
    ApplicationError,
    InvalidRequest,
    NotAuthenticated,
    TooLarge,
    TypeNotAccepted,
)
from direct_upload_middleware.storage import Storage
from direct_upload_middleware.testing.private_swift.server import SwiftServer

if TYPE_CHECKING:
    from helpers.fixtures import MakeStorage

pytest_plugins = ["helpers.fixtures"]

NAME = "笑い話 “1”.txt"


def field_storage(name: str, data: bytes) -> Any:
    """A file of a form as WebOb and Pyramid give it."""
    body, boundary = io.BytesIO(), b"boundary"
    disposition = f'form-data; name="document"; filename="{name}"'.encode()
    body.write(b"--%s\r\nContent-Disposition: %s\r\nContent-Type: text/plain\r\n\r\n" % (boundary, disposition))
    body.write(b"%s\r\n--%s--\r\n" % (data, boundary))
    request = Request.blank("/", method="POST", body=body.getvalue())
    request.headers["Content-Type"] = "multipart/form-data; boundary=boundary"
    return request.POST["document"]


def bottle_upload(name: str, data: bytes) -> Any:
    return bottle.FileUpload(io.BytesIO(data), "document", name, {"Content-Type": "text/plain"})


def binary_file(name: str, data: bytes) -> Any:
    file = io.BytesIO(data)
    file.name = name
    return file


class Pipe(io.RawIOBase):
    """A file that cannot seek."""

    name = NAME

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._data.readinto(buffer)


GIVEN = [
    pytest.param(field_storage, id="WebOb"),
    pytest.param(lambda name, data: FileStorage(io.BytesIO(data), name, content_type="text/plain"), id="Werkzeug"),
    pytest.param(lambda name, data: SimpleUploadedFile(name, data, "text/plain"), id="Django"),
    pytest.param(bottle_upload, id="Bottle"),
    pytest.param(binary_file, id="binary file"),
    pytest.param(lambda name, data: Pipe(data), id="file without seek"),
]
MakeFile = Callable[[str, bytes], Any]


def stored(site: Site, value: Any, **options: Any) -> Any:
    return site.uploads(lambda uploads: uploads.from_form(value, **options))


def content(site: Site, upload: Upload) -> bytes:
    def read(uploads: Any) -> bytes:
        with uploads.open(upload) as file:
            data: bytes = file.read()
            return data

    found: bytes = site.uploads(read)
    return found


# -- what frameworks give --------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", GIVEN)
@pytest.mark.parametrize("data", [EMPTY, ONE, SEVERAL])
def test_a_file_of_any_framework_is_stored(local_site: Site, make: MakeFile, data: bytes) -> None:
    upload = stored(local_site, make(NAME, data))
    assert (upload.filename, upload.size, upload.owner) == (NAME, len(data), "ann")
    assert content(local_site, upload) == data
    assert local_site.download(local_site.uploads(lambda uploads: uploads.download_url(upload))) == data


@pytest.mark.parametrize("make", GIVEN[:-2])
def test_the_type_is_the_one_that_the_browser_sent(local_site: Site, make: MakeFile) -> None:
    assert stored(local_site, make(NAME, ONE)).type == "text/plain"


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("", id="empty text"),
        pytest.param(b"", id="WebOb's empty field"),
        pytest.param(None, id="None"),
        pytest.param(field_storage("", b""), id="WebOb"),
        pytest.param(FileStorage(io.BytesIO(), ""), id="Werkzeug"),
        pytest.param(InMemoryUploadedFile(io.BytesIO(), None, None, None, 0, None), id="Django"),
        pytest.param(bottle.FileUpload(io.BytesIO(), "document", ""), id="Bottle"),
    ],
)
def test_an_empty_field_returns_none(local_site: Site, value: Any) -> None:
    assert stored(local_site, value) is None
    assert local_site.uploads(lambda uploads: uploads.from_form_all([value, value])) == []


class Text:
    """A text field as ``cgi.FieldStorage`` wraps it."""

    filename = None
    file = io.BytesIO()

    def __init__(self, value: str) -> None:
        self.value = value


def test_a_receipt_is_verified(local_site: Site) -> None:
    receipt = local_site.upload(ONE, filename=NAME).json["receipt"]
    for value in (receipt, receipt.encode(), Text(receipt)):
        assert stored(local_site, value).filename == NAME
    assert stored(local_site, Text("")) is None
    with pytest.raises(InvalidReceipt):
        stored(local_site, receipt[:-1])
    with pytest.raises(InvalidReceipt, match="too old"):
        stored(local_site, receipt, max_age=-1)
    local_site.log_in("bob")
    with pytest.raises(NotYours):
        stored(local_site, receipt)
    assert stored(local_site, receipt, any_owner=True).owner == "ann"


def test_several_values_are_one_list_in_order(local_site: Site) -> None:
    receipt = local_site.upload(ONE, filename="receipt.txt").json["receipt"]
    values = [binary_file("one.txt", ONE), "", receipt, binary_file("two.txt", ONE)]
    found = local_site.uploads(lambda uploads: uploads.from_form_all(values))
    assert [upload.filename for upload in found] == ["one.txt", "receipt.txt", "two.txt"]


def test_nothing_is_stored_beside_an_invalid_receipt(local_site: Site) -> None:
    def store(uploads: Any) -> None:
        uploads.from_form_all([binary_file("one.txt", ONE), "not a receipt"])

    completed: list[Upload] = []
    site = Site(local_site.storage, on_complete=lambda environ, upload: completed.append(upload))
    with pytest.raises(InvalidReceipt):
        site.uploads(store)
    assert completed == []


def test_one_value_for_from_form_all_is_an_error(local_site: Site) -> None:
    with pytest.raises(TypeError, match="from_form"):
        local_site.uploads(lambda uploads: uploads.from_form_all("receipt"))


# -- the rules of an upload ------------------------------------------------------------------------------------


def test_the_application_is_asked_as_for_an_upload(tmp_path: Any) -> None:
    calls: list[Any] = []
    site = Site(
        f"local:{tmp_path}",
        authorize=lambda environ, request: calls.append(request),
        on_complete=lambda environ, upload: calls.append(upload),
        object_name=lambda environ, request: f"of/{request.identity}/{request.filename}",
    )
    upload = stored(site, binary_file(NAME, ONE))
    request, completed = calls
    assert (request.filename, request.size, request.identity) == (NAME, len(ONE), "ann")
    assert completed == upload
    assert upload.name == f"of/ann/{NAME}"


def refuse(environ: Any, given: Any) -> None:
    raise Refused("Not today.", status=402)


def fail(environ: Any, given: Any) -> None:
    raise RuntimeError("a bug of the application")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        pytest.param({"max_size": 3}, TooLarge, id="max_size"),
        pytest.param({"accept": [".png"]}, TypeNotAccepted, id="accept"),
        pytest.param({"authorize": refuse}, Refused, id="authorize"),
        pytest.param({"on_complete": refuse}, Refused, id="on_complete"),
        pytest.param({"on_complete": fail}, ApplicationError, id="a bug in on_complete"),
        pytest.param({"accept": ["image/png"], "sniff": True}, TypeNotAccepted, id="sniff"),
        pytest.param({"user": None}, NotAuthenticated, id="not logged in"),
    ],
)
def test_a_refused_file_leaves_nothing_in_storage(
    new_storage: MakeStorage,
    options: dict[str, Any],
    error: type[DirectUploadError],
) -> None:
    storage = new_storage()
    site = Site(storage, **options)
    value = FileStorage(io.BytesIO(b"%PDF-1.7\n" + SEVERAL), "report.txt", content_type="image/png")
    with pytest.raises(error):
        stored(site, value)
    assert nothing_swept(storage)


def nothing_swept(storage: Storage) -> bool:
    return [finding for finding in storage.sweep(older_than=0, dry_run=True) if finding.size] == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["a/b.txt", "..", "\0", "x" * 1025])
def test_an_impossible_filename_is_an_error(local_site: Site, name: str) -> None:
    with pytest.raises(InvalidRequest, match="filename"):
        local_site.uploads(lambda uploads: uploads.store(io.BytesIO(ONE), filename=name))


def test_store_takes_bytes_and_files_and_a_type(local_site: Site, tmp_path: Any) -> None:
    upload = local_site.uploads(lambda uploads: uploads.store(ONE, filename="a.txt", type="text/plain"))
    assert (upload.filename, upload.type, content(local_site, upload)) == ("a.txt", "text/plain", ONE)
    path = tmp_path / "report.txt"
    path.write_bytes(SEVERAL)
    with path.open("rb") as file:
        file.read(3)
        upload = local_site.uploads(lambda uploads: uploads.store(file))
    assert (upload.filename, content(local_site, upload)) == ("report.txt", SEVERAL)


@pytest.mark.parametrize("value", [io.StringIO("text"), object(), 5])
def test_storing_anything_but_a_binary_file_is_a_type_error(local_site: Site, value: Any) -> None:
    with pytest.raises(TypeError, match="binary"):
        local_site.uploads(lambda uploads: uploads.store(value, filename="a.txt"))


def test_an_anonymous_file_is_stored(tmp_path: Any) -> None:
    site = Site(f"local:{tmp_path}", user=None, anonymous=True)
    assert stored(site, binary_file(NAME, ONE)).owner is None


def test_bind_ip_does_not_bind_the_applications_own_requests(swift_server: SwiftServer) -> None:
    site = Site(swift_storage(swift_server), bind_ip=True)
    site.browser.extra_environ["REMOTE_ADDR"] = "192.0.2.1"
    assert content(site, stored(site, binary_file(NAME, SEVERAL))) == SEVERAL


# -- storages --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [EMPTY, ONE, SEVERAL])
def test_every_storage_keeps_the_file(site: Site, data: bytes) -> None:
    upload = stored(site, binary_file(NAME, data))
    assert content(site, upload) == data
    assert site.download(site.uploads(lambda uploads: uploads.download_url(upload))) == data
    url = site.uploads(lambda uploads: uploads.download_url(upload))
    site.uploads(lambda uploads: uploads.delete(upload))
    assert site.fetch("GET", url).status == 404


@pytest.mark.parametrize("seal", ["revoke", "pin"])
def test_both_seals_keep_the_file(swift_server: SwiftServer, seal: str) -> None:
    site = Site(swift_storage(swift_server), seal=seal)
    assert content(site, stored(site, binary_file(NAME, SEVERAL))) == SEVERAL


@contextmanager
def failing(storage: Storage, statuses: list[int]) -> Iterator[None]:
    """Answer the first PUTs of segments with these statuses, before storage reads them."""
    send = storage.send  # type: ignore[attr-defined]
    storage.send = lambda signed, body: statuses.pop(0) if statuses else send(signed, body)  # type: ignore[attr-defined]
    try:
        yield
    finally:
        storage.send = send  # type: ignore[attr-defined]


def test_a_segment_is_sent_again_after_a_fault(swift_server: SwiftServer) -> None:
    storage = swift_storage(swift_server)
    site = Site(storage)
    with failing(storage, [503, 500]):
        upload = stored(site, binary_file(NAME, SEVERAL))
    assert content(site, upload) == SEVERAL


@pytest.mark.parametrize(
    ("statuses", "error"), [([503] * 4, StorageUnavailable), ([403], StorageError), ([201] * 3, StorageError)]
)
def test_a_failed_store_leaves_nothing(swift_server: SwiftServer, statuses: list[int], error: type[Exception]) -> None:
    storage = swift_storage(swift_server)
    site = Site(storage)
    with failing(storage, statuses), pytest.raises(error):
        stored(site, binary_file(NAME, SEVERAL))
    assert nothing_swept(storage)


class Shrinking(io.BytesIO):
    """A file that another process truncates."""

    name = NAME

    def read(self, size: int | None = -1) -> bytes:
        return b"" if size else super().read(size)


@pytest.mark.parametrize("kind", ["local", "swift"])
def test_a_file_that_becomes_shorter_is_an_error(kind: str, tmp_path: Any, swift_server: SwiftServer) -> None:
    site = Site(f"local:{tmp_path}" if kind == "local" else swift_storage(swift_server))
    with pytest.raises((ValueError, StorageError)):
        stored(site, Shrinking(SEVERAL))
    assert nothing_swept(site.middleware.options.storage)


@pytest.mark.parametrize("kind", ["local", "swift"])
def test_memory_does_not_grow_with_the_file(kind: str, tmp_path: Any, swift_server: SwiftServer) -> None:
    store = UploadStore(f"local:{tmp_path}" if kind == "local" else swift_storage(swift_server), secret=SECRET)
    with tempfile.TemporaryFile() as file:
        file.truncate(40 * 1024**2)
        tracemalloc.start()
        upload = store.store(file, filename="zeros")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert upload.size == 40 * 1024**2
    assert peak < 4 * 1024**2


# -- outside of requests ---------------------------------------------------------------------------------------


def test_a_worker_reads_downloads_stores_and_deletes(storage: Storage) -> None:
    site = Site(storage)
    upload = stored(site, binary_file(NAME, SEVERAL))
    worker = UploadStore(storage, secret=SECRET)
    with worker.open(Upload.from_dict(upload.to_dict())) as file:
        assert file.read() == SEVERAL
    assert site.download(worker.download_url(upload)) == SEVERAL
    made = worker.store(io.BytesIO(ONE), filename="thumbnail.txt", owner="ann")
    assert (made.owner, content(site, made)) == ("ann", ONE)
    worker.delete(upload)
    worker.delete(upload)
    with pytest.raises(StorageError):
        content(site, upload)


def test_a_middlewares_store_has_its_storage_and_mount(tmp_path: Any) -> None:
    site = Site(f"local:{tmp_path}", mount="/files/up", max_size=1)
    upload = site.middleware.store.store(ONE, filename="a.txt")
    url = site.middleware.store.download_url(upload)
    assert url.startswith("/files/up/")
    assert site.download(url) == ONE


def test_a_store_of_swift_needs_the_secret() -> None:
    with pytest.raises(ValueError, match="secret is required"):
        UploadStore("swift://uploads")


def test_the_application_adds_no_origin_to_the_containers(swift_server: SwiftServer) -> None:
    storage = swift_storage(swift_server)
    UploadStore(storage, secret=SECRET).store(SEVERAL * 2**20, filename="a.bin")
    assert "X-Container-Meta-Access-Control-Allow-Origin" not in (storage.admin().headers_of(storage.container) or {})
