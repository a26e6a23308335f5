"""Files that are not what they are said to be: ``sniff=True`` against small real files of many types, and lies."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from helpers.uploads import Site, assert_problem
from hypothesis import given
from hypothesis import strategies as st
from security.conftest import Account, MakeSite
from security.samples import SAMPLES

from direct_upload_middleware import ConfigurationError
from direct_upload_middleware.file_types.sniff import may_be_accepted
from direct_upload_middleware.policy import parse_accept

IMAGES = ["a.png", "a.jpg", "a.gif", "a.webp", "a.tiff", "a.bmp", "a.heic", "a.avif"]
VECTORS = ["a.svg", "b.svg"]
SOUND = ["a.wav", "a.mp3", "b.mp3", "a.flac"]
BOTH_MEDIA = ["a.m4a", "a.mp4", "b.mp4", "a.mov", "a.webm", "a.mkv", "a.ogg"]  # sound alone, or with pictures
TEXT = ["a.txt", "latin.txt", "utf16.txt", "mail.txt", "MZ.txt", "a.csv", "BM.csv", "a.json", "a.md", "a.xml", "a.sh"]
PAGES = ["a.html", "b.html"]
ZIPS = ["a.zip", "a.docx", "a.xlsx", "a.odt", "a.epub"]
PROGRAMS = ["a.exe", "a.elf"]


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        pytest.param("image/*", [*IMAGES, *VECTORS], id="images"),
        pytest.param("image/png", ["a.png"], id="one type"),
        pytest.param(".png", ["a.png"], id="one extension"),
        pytest.param(".jpeg", ["a.jpg"], id="another spelling of an extension"),
        pytest.param("image/jpeg,image/webp", ["a.jpg", "a.webp"], id="two types"),
        pytest.param("image/heif", ["a.heic"], id="types with one signature"),
        pytest.param("audio/*", [*SOUND, *BOTH_MEDIA], id="sound"),
        pytest.param("video/*", ["a.avi", *BOTH_MEDIA], id="video"),
        pytest.param(".mp3", ["a.mp3", "b.mp3"], id="mp3"),
        pytest.param("video/mp4", ["a.m4a", "a.mp4", "b.mp4", "a.mov"], id="one container"),
        pytest.param("application/pdf", ["a.pdf"], id="pdf"),
        pytest.param(".pdf,.doc", ["a.pdf", "a.doc"], id="documents"),
        pytest.param("application/zip", ZIPS, id="zip and what is one"),
        pytest.param(".docx", ["a.docx", "a.zip"], id="a format that is a zip archive"),
        pytest.param(".odt,.epub", ["a.odt", "a.epub", "a.zip"], id="others that are"),
        pytest.param(".gz,.bz2,.xz,.tar", ["a.gz", "a.bz2", "a.xz", "a.tar"], id="archives"),
        pytest.param(".sqlite", ["a.sqlite"], id="a database"),
        pytest.param("font/*", ["a.ttf"], id="fonts"),
        pytest.param("text/plain", [*TEXT, "empty"], id="text"),
        pytest.param(".csv", [*TEXT, "empty"], id="text by an extension"),
        pytest.param("application/json", [*TEXT, "empty"], id="text by a type of application"),
        pytest.param(".md,.log,.yaml", [*TEXT, "empty"], id="text by other extensions"),
        pytest.param("text/html", [*TEXT, *PAGES, "empty"], id="HTML"),
        pytest.param("text/*", [*TEXT, *PAGES, "a.rtf", "empty"], id="all of text"),
        pytest.param(".svg", [*VECTORS, *TEXT, "empty"], id="SVG"),
        pytest.param(".rtf", ["a.rtf"], id="rich text"),
        pytest.param(".dat", sorted(set(SAMPLES) - {*VECTORS, *PAGES, *PROGRAMS}), id="an unknown extension"),
        pytest.param("application/x-mine", sorted(set(SAMPLES) - {*VECTORS, *PAGES, *PROGRAMS}), id="an unknown type"),
        pytest.param("application/octet-stream", sorted(SAMPLES), id="anything by its type"),
        pytest.param("*/*", sorted(SAMPLES), id="anything"),
        pytest.param(".exe", ["a.exe"], id="programs"),
    ],
)
def test_a_content_is_accepted_by_the_types_that_it_can_have(accept: str, expected: list[str]) -> None:
    """Every sample against every kind of ``accept``. Notices any change of the rule in ``sniff.may_be_accepted``."""
    tokens = parse_accept(accept.split(","))
    found = [name for name, data in SAMPLES.items() if may_be_accepted(tokens, "", data)]
    assert sorted(found) == sorted(expected)


@pytest.mark.parametrize(
    ("accept", "claimed", "passes"),
    [
        pytest.param(".csv", "text/csv", True, id="by extension"),
        pytest.param(".csv", "application/vnd.ms-excel", True, id="as browsers on Windows say"),
        pytest.param(".csv", "text/html", False, id="to be shown as a page"),
        pytest.param(".csv", "Text/HTML; charset=utf-8", False, id="to be shown as a page, spelled otherwise"),
        pytest.param(".csv", "image/svg+xml", False, id="to be shown as a picture with scripts"),
        pytest.param(".csv,.html", "text/html", True, id="where pages are accepted"),
    ],
)
def test_text_is_not_sent_as_a_page(accept: str, claimed: str, passes: bool) -> None:
    """``accept=".csv"`` takes ``a.csv`` of whatever claimed type. Notices when that type is not looked at."""
    assert may_be_accepted(parse_accept(accept.split(",")), claimed, b"a,b\nann,<b onclick=alert(1)>5</b>\n") is passes


@given(st.binary(max_size=2000), st.sampled_from(["", "text/html", "image/png"]))
def test_no_bytes_break_it(data: bytes, claimed: str) -> None:
    """S6."""
    for accept in ("image/*", ".csv", ".dat", "application/zip"):
        assert may_be_accepted((accept,), claimed, data) in (True, False)


@pytest.mark.parametrize(
    "segment_size", [pytest.param(10, id="several segments"), pytest.param(10**6, id="one segment")]
)
def test_a_false_type_is_refused_and_the_object_is_deleted(
    new_site: MakeSite, account: Account, segment_size: int
) -> None:
    """Notices when the content is not looked at, or looked at and kept."""
    site = new_site(accept=["image/png", ".jpg"], sniff=True, segment_size=segment_size)
    for lie in ("a.exe", "a.html", "a.pdf", "a.gif", "a.txt", "empty"):
        for filename, type in (("holiday.png", "image/png"), ("holiday.jpg", "")):
            answer = site.upload(SAMPLES[lie], filename=filename, type=type)
            assert_problem(answer, 415, "type-not-accepted")
    assert account.everything_of(site) == []
    assert site.upload(SAMPLES["a.png"], filename="holiday.png", type="image/png").status_int == 200
    assert site.upload(SAMPLES["a.jpg"], filename="holiday.jpg", type="").status_int == 200


def test_on_complete_is_not_called_for_a_refused_upload(tmp_path: Path) -> None:
    told: list[str] = []
    site = Site(
        f"local:{tmp_path}",
        accept=["image/*"],
        sniff=True,
        on_complete=lambda environ, upload: told.append(upload.filename),
    )
    assert site.upload(SAMPLES["a.exe"], filename="a.png", type="image/png").status_int == 415
    assert site.upload(SAMPLES["a.png"], filename="b.png", type="image/png").status_int == 200
    assert told == ["b.png"]


def test_without_sniff_the_claim_counts(tmp_path: Path) -> None:
    site = Site(f"local:{tmp_path}", accept=["image/*"])
    assert site.upload(SAMPLES["a.exe"], filename="a.png", type="image/png").status_int == 200


def test_sniff_without_accept_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="accept"):
        Site(f"local:{tmp_path}", sniff=True)


def test_sniff_without_its_library_is_a_configuration_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pure_magic_rs", None)
    with pytest.raises(ConfigurationError, match=r"direct-upload-middleware\[sniff\]"):
        Site(f"local:{tmp_path}", sniff=True, accept=["image/*"])
