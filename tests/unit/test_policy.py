"""What may be uploaded, and how a size becomes segments."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from direct_upload_middleware import ConfigurationError, UploadRequest
from direct_upload_middleware.errors import InvalidRequest, TooLarge, TypeNotAccepted
from direct_upload_middleware.file_types import extension_types
from direct_upload_middleware.plan import MiB, make_plan
from direct_upload_middleware.policy import Policy, parse_accept, parse_request
from direct_upload_middleware.storage.base import GiB, Limits, Transfer

BODY = {"filename": "a.pdf", "size": 1, "type": "application/pdf"}


@pytest.mark.parametrize(
    "filename",
    [
        "a",
        ".htaccess",
        "...",
        "a b.pdf",
        "Your mom's “jokes”.pdf",
        'quo"te.pdf',
        "back\\slash.pdf",
        "<script>.pdf",
        "%2e%2e%2f",
        "\u202egpj.exe",
        "\u2028",
        "\xa0",
        "é" * 512,
        "\U0001f600" * 256,
        "x" * 1024,
    ],
)
def test_a_filename_is_what_the_user_calls_the_file(filename: str) -> None:
    assert parse_request(BODY | {"filename": filename}, "ann").filename == filename


@pytest.mark.parametrize(
    "filename",
    [
        pytest.param("", id="empty"),
        pytest.param("x" * 1025, id="1025 bytes"),
        pytest.param("é" * 513, id="1026 bytes in UTF-8"),
        pytest.param(".", id="dot"),
        pytest.param("..", id="dots"),
        pytest.param("/", id="slash"),
        pytest.param("../../etc/passwd", id="path"),
        pytest.param("a/b", id="below"),
        pytest.param("a\0", id="NUL"),
        pytest.param("a\r\nSet-Cookie: x", id="CRLF"),
        pytest.param("a\t", id="tab"),
        pytest.param("a\x1b", id="escape"),
        pytest.param("a\x7f", id="DEL"),
        pytest.param("a\x85", id="C1 next line"),
        pytest.param("a\x9b", id="C1 control sequence"),
        pytest.param("a\ud800", id="high surrogate"),
        pytest.param("\udcff", id="low surrogate"),
        pytest.param(None, id="null"),
        pytest.param(1, id="number"),
        pytest.param(["a"], id="list"),
        pytest.param({}, id="object"),
    ],
)
def test_an_invalid_filename_is_refused(filename: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_request(BODY | {"filename": filename}, "ann")
    assert caught.value.field == "filename"


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="/"), min_size=1, max_size=256))
def test_every_other_text_is_a_filename(filename: str) -> None:
    if filename not in (".", ".."):
        assert parse_request(BODY | {"filename": filename}, None).filename == filename


@pytest.mark.parametrize("size", [0, 1, 10**15])
def test_a_size_is_an_integer_of_bytes(size: int) -> None:
    assert parse_request(BODY | {"size": size}, None).size == size


@pytest.mark.parametrize("size", [-1, 1.0, 0.5, True, False, "1", None, [], {}, float("nan"), float("inf")])
def test_an_invalid_size_is_refused(size: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_request(BODY | {"size": size}, None)
    assert caught.value.field == "size"


@pytest.mark.parametrize(
    ("type", "taken"),
    [
        ("", "application/octet-stream"),
        ("image/png", "image/png"),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document",) * 2,
        ("text/plain; charset=utf-8", "text/plain; charset=utf-8"),
        ('text/plain;charset="utf-8"', 'text/plain;charset="utf-8"'),
        ("audio/webm;codecs=opus", "audio/webm;codecs=opus"),
        ("image/svg+xml", "image/svg+xml"),
    ],
)
def test_a_type_is_a_mime_type_or_empty(type: str, taken: str) -> None:
    assert parse_request(BODY | {"type": type}, None).type == taken


@pytest.mark.parametrize(
    "type",
    [
        "pdf",
        "application/",
        "/pdf",
        "a/b/c",
        "text/html\r\nX-Injected: 1",
        "text/html\n",
        " text/html",
        "text/html ",
        "text/html;",
        "text/html; charset",
        "tëxt/html",
        'text/html; charset="\x00"',
        "x/" + "y" * 300,
        None,
        1,
        [],
    ],
)
def test_an_invalid_type_is_refused(type: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_request(BODY | {"type": type}, None)
    assert caught.value.field == "type"


@pytest.mark.parametrize("missing", sorted(BODY))
def test_every_field_has_to_be_there(missing: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_request({name: value for name, value in BODY.items() if name != missing}, None)
    assert caught.value.field == missing


@pytest.mark.parametrize(
    ("accept", "filename", "type", "accepted"),
    [
        pytest.param([], "a", "x/y", True, id="anything"),
        pytest.param([".pdf"], "a.pdf", "", True, id="extension"),
        pytest.param([".pdf"], "A.PDF", "x/y", True, id="extension in capitals"),
        pytest.param([".PDF"], "a.pdf", "x/y", True, id="rule in capitals"),
        pytest.param([".pdf"], "a.pdf.exe", "application/pdf", False, id="extension in the middle"),
        pytest.param([".pdf"], "apdf", "application/pdf", False, id="no extension"),
        pytest.param([".tar.gz"], "a.tar.gz", "", True, id="double extension"),
        pytest.param(["image/*"], "a", "image/png", True, id="family"),
        pytest.param(["image/*"], "a.png", "imagex/png", False, id="another family"),
        pytest.param(["image/*"], "a", "", False, id="no type and no extension"),
        pytest.param(["image/*"], "a.bin", "", False, id="no type and an unknown extension"),
        pytest.param(["video/mp4"], "a", "video/mp4", True, id="type"),
        pytest.param(["video/mp4"], "a", "VIDEO/MP4; codecs=avc1", True, id="type with parameters"),
        pytest.param(["video/mp4"], "a", "video/webm", False, id="another type"),
        pytest.param([" video/mp4 ", ".ogg"], "a.ogg", "x/y", True, id="one of several"),
        pytest.param(["*/*"], "a", "x/y", True, id="every type"),
    ],
)
def test_accept_is_as_htmls(accept: list[str], filename: str, type: str, accepted: bool) -> None:
    policy = Policy(accept=parse_accept(accept))
    request = UploadRequest(filename, 1, type or "application/octet-stream", None)
    if accepted:
        policy.check(request)
    else:
        with pytest.raises(TypeNotAccepted):
            policy.check(request)


@pytest.mark.parametrize(
    ("accept", "filename", "type"),
    [
        ("image/*", "IMG_1.HEIC", ""),
        ("image/heic", "a.heic", "image/heif"),
        ("image/heif", "a.heic", "image/heic-sequence"),
        ("image/jpeg", "a.jpg", "image/jpg"),
        ("text/plain", "a.log", "text/x-log"),
        ("text/plain", "a.log", "text/x-some-log"),
        ("text/csv", "a.csv", "application/vnd.ms-excel"),
        ("text/csv", "a.csv", "text/plain"),
        ("text/csv", "data.2026.CSV", ""),
        ("text/markdown", "README.md", ""),
        ("application/zip", "a.zip", "application/x-zip-compressed"),
        ("video/*", "a.mkv", ""),
        ("video/matroska", "a.mkv", "video/x-matroska"),
        ("audio/*", "a.m4a", "video/mp4"),
        ("audio/mpeg", "a.mp3", "audio/mp3; codecs=mp3"),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "a.docx", ""),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "a.docx", "application/zip"),
    ],
)
def test_the_extension_decides_for_a_missing_type_or_another_name(accept: str, filename: str, type: str) -> None:
    Policy(accept=(accept,)).check(UploadRequest(filename, 1, type or "application/octet-stream", None))


@pytest.mark.parametrize(
    ("accept", "filename", "type"),
    [
        pytest.param("image/*", "a.png", "text/plain", id="a known type of another extension"),
        pytest.param("image/png", "a.png", "image/gif", id="a known type of the same family"),
        pytest.param("text/plain", "a.md", "text/markdown", id="a name that the extension only may have"),
        pytest.param("application/vnd.ms-excel", "a.csv", "text/csv", id="a name that the type only may have"),
        pytest.param("text/plain", "a.txt", "text/html", id="a page"),
        pytest.param("image/png", "a.png", "image/svg+xml", id="a page that is an image"),
        pytest.param("text/plain", "a.log", "text/javascript", id="a script"),
        pytest.param("text/*", "a.csv", "application/xhtml+xml", id="a page in XML"),
        pytest.param("application/zip", "a.zip", "application/x-javascript", id="a script of the same family"),
        pytest.param("application/pdf", "a.pdf", "application/wasm", id="a program of the same family"),
        pytest.param("application/pdf", "pdf.exe", "", id="another extension"),
    ],
)
def test_a_type_that_contradicts_the_extension_is_refused(accept: str, filename: str, type: str) -> None:
    with pytest.raises(TypeNotAccepted):
        Policy(accept=(accept,)).check(UploadRequest(filename, 1, type or "application/octet-stream", None))


def test_the_table_of_extensions_is_well_formed() -> None:
    lines = extension_types.TABLE.splitlines()
    extensions = [extension for line in lines for extension in line.partition(":")[0].split()]
    assert len(extensions) == len(set(extensions))
    pattern = r"[a-z0-9 ]+: [a-z]+/[a-z0-9.+-]+( [a-z]+/[a-z0-9.+-]+)*( \|( [a-z]+/[a-z0-9.+-]+)+)?"
    assert [line for line in lines if not re.fullmatch(pattern, line)] == []


@pytest.mark.parametrize("token", ["", "pdf", ".", "image/", "*", "image/*/x", ".a,.b", ". pdf", "text/html;q=1"])
def test_an_invalid_accept_token_is_a_configuration_error(token: str) -> None:
    with pytest.raises(ConfigurationError, match="accept"):
        parse_accept([token])


@pytest.mark.parametrize(
    ("max_size", "size", "taken"), [(None, 10**15, True), (5, 5, True), (5, 6, False), (0, 0, True)]
)
def test_max_size_is_the_largest_that_is_taken(max_size: int | None, size: int, taken: bool) -> None:
    request = UploadRequest("a", size, "x/y", None)
    if taken:
        Policy(max_size=max_size).check(request)
    else:
        with pytest.raises(TooLarge):
            Policy(max_size=max_size).check(request)


SWIFT = Limits()


@pytest.mark.parametrize(
    ("size", "segment_size", "planned", "count"),
    [
        pytest.param(0, 16 * MiB, 16 * MiB, 1, id="no bytes"),
        pytest.param(1, 16 * MiB, 16 * MiB, 1, id="one byte"),
        pytest.param(16 * MiB, 16 * MiB, 16 * MiB, 1, id="exactly one segment"),
        pytest.param(16 * MiB + 1, 16 * MiB, 16 * MiB, 2, id="one byte more"),
        pytest.param(16000 * MiB, 16 * MiB, 16 * MiB, 1000, id="a thousand segments"),
        pytest.param(16000 * MiB + 1, 16 * MiB, 17 * MiB, 942, id="grows"),
        pytest.param(5000 * GiB, 16 * MiB, 5 * GiB, 1000, id="the largest"),
        pytest.param(1001, 1, MiB, 1, id="grows by whole mebibytes"),
    ],
)
def test_the_plan(size: int, segment_size: int, planned: int, count: int) -> None:
    plan = make_plan(size, segment_size, SWIFT)
    assert (plan.segment_size, plan.segment_count) == (planned, count)


@pytest.mark.parametrize("size", [5000 * GiB + 1, 10**30])
def test_larger_than_storage_can_take_is_too_large(size: int) -> None:
    with pytest.raises(TooLarge):
        make_plan(size, 16 * MiB, SWIFT)


@given(
    st.integers(0, 5000 * GiB),
    st.integers(1, 5 * GiB),
    st.builds(Limits, st.integers(1, 1000), st.integers(MiB, 5 * GiB)),
)
def test_the_segments_of_a_plan_are_the_file(size: int, segment_size: int, limits: Limits) -> None:
    if size > limits.max_segments * limits.max_segment_size:
        with pytest.raises(TooLarge):
            make_plan(size, segment_size, limits)
        return
    plan = make_plan(size, segment_size, limits)
    assert plan.segment_count <= limits.max_segments
    assert plan.segment_size <= limits.max_segment_size
    transfer = Transfer("", "", "", size, plan.segment_size, plan.segment_count, "revoke", 0)
    segments = list(transfer.segments())
    assert sum(segment.size for segment in segments) == size
    assert [segment.offset for segment in segments] == [i * plan.segment_size for i in range(len(segments))]
    assert size == 0 or all(0 < segment.size <= plan.segment_size for segment in segments)
    for outside in (-1, plan.segment_count):
        with pytest.raises(IndexError):
            transfer.segment(outside)
