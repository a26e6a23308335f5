"""What an application does with the receipts that its forms carry: verify one or many, and read the files."""

from __future__ import annotations

import io
import shutil
import zipfile
from typing import Any

import pytest
from helpers.uploads import Site, spoilt
from PIL import Image

from direct_upload_middleware import InvalidReceipt, NotYours, StorageError
from direct_upload_middleware.storage import Storage
from direct_upload_middleware.storage.local.files import FilesReader
from direct_upload_middleware.storage.object_reader import ObjectReader

pytest_plugins = ["helpers.fixtures"]

FIRST, SECOND = b"the first", b"the second, of several segments"


def receipts(site: Site, *contents: bytes) -> list[str]:
    return [site.upload(content, filename=f"{number}.txt").json["receipt"] for number, content in enumerate(contents)]


def test_many_receipts_give_their_uploads_in_order(local_site: Site) -> None:
    first, second = receipts(local_site, FIRST, SECOND)
    uploads = local_site.uploads(lambda uploads: uploads.verify_all([second, first, second]))
    assert [upload.filename for upload in uploads] == ["1.txt", "0.txt", "1.txt"]
    assert [upload.size for upload in uploads] == [len(SECOND), len(FIRST), len(SECOND)]


def test_no_receipt_gives_no_upload(local_site: Site) -> None:
    assert local_site.uploads(lambda uploads: uploads.verify_all([])) == []


def test_one_bad_receipt_spoils_all(local_site: Site) -> None:
    good, other = receipts(local_site, FIRST, SECOND)
    [bad] = spoilt(other, limit=1)
    with pytest.raises(InvalidReceipt):
        local_site.uploads(lambda uploads: uploads.verify_all([good, bad]))


def test_anothers_receipt_among_many_is_not_yours_unless_that_is_wanted(local_site: Site) -> None:
    mine, other = receipts(local_site, FIRST, SECOND)
    local_site.log_in("bob")
    with pytest.raises(NotYours):
        local_site.uploads(lambda uploads: uploads.verify_all([mine, other]))
    assert len(local_site.uploads(lambda uploads: uploads.verify_all([mine, other], any_owner=True))) == 2


def test_the_age_limits_each(local_site: Site) -> None:
    with pytest.raises(InvalidReceipt, match="too old"):
        local_site.uploads(lambda uploads: uploads.verify_all(receipts(local_site, FIRST), max_age=-1))


def test_a_single_receipt_is_no_list(local_site: Site) -> None:
    [receipt] = receipts(local_site, FIRST)
    with pytest.raises(TypeError, match=r"verify\(\)"):
        local_site.uploads(lambda uploads: uploads.verify_all(receipt))


@pytest.fixture
def big_site(storage: Storage) -> Site:
    return Site(storage, segment_size=1024**2)


def opened(site: Site, content: bytes, use: Any) -> Any:
    [receipt] = receipts(site, content)

    def read(uploads: Any) -> Any:
        with uploads.open(uploads.verify(receipt)) as file:
            return use(file)

    return site.uploads(read)


@pytest.fixture
def bytes_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes each look into storage took."""
    read: list[int] = []
    read_files, read_ahead = FilesReader.readinto, ObjectReader._read_ahead

    def count_files(reader: FilesReader, buffer: Any) -> int:
        read.append(read_files(reader, buffer))
        return read[-1]

    def count_ahead(reader: ObjectReader, wanted: int) -> None:
        read_ahead(reader, wanted)
        read.append(len(reader._window))

    monkeypatch.setattr(FilesReader, "readinto", count_files)
    monkeypatch.setattr(ObjectReader, "_read_ahead", count_ahead)
    return read


NOISE = bytes(range(251)) * 12_000  # some 3 MB, in three segments


def test_copyfileobj_copies_it(big_site: Site) -> None:
    copy = io.BytesIO()
    opened(big_site, NOISE, lambda file: shutil.copyfileobj(file, copy))
    assert copy.getvalue() == NOISE


def zipped() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("noise", NOISE)
        file.writestr("small.txt", "hello")
    return archive.getvalue()


def test_zipfile_reads_a_member_without_the_rest(big_site: Site, bytes_read: list[int]) -> None:
    assert opened(big_site, zipped(), lambda file: zipfile.ZipFile(file).read("small.txt")) == b"hello"
    assert 0 < sum(bytes_read) < len(NOISE) / 5


def test_pillow_learns_the_size_of_a_picture_without_its_pixels(big_site: Site, bytes_read: list[int]) -> None:
    picture = io.BytesIO()
    Image.effect_noise((1500, 1400), 80).save(picture, "PNG")
    content = picture.getvalue()
    assert len(content) > 1024**2
    assert opened(big_site, content, lambda file: Image.open(file).size) == (1500, 1400)
    assert 0 < sum(bytes_read) < len(content) / 5


def test_a_deleted_upload_cannot_be_read(site: Site) -> None:
    [receipt] = receipts(site, SECOND)

    def read(uploads: Any) -> bytes:
        upload = uploads.verify(receipt)
        uploads.delete(upload)
        uploads.delete(upload)
        with uploads.open(upload) as file:
            return bytes(file.read())

    with pytest.raises(StorageError):
        site.uploads(read)
