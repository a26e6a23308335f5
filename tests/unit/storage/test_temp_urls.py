"""Temp URLs are what Swift's own code makes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from paste.deploy import loadwsgi
from swift.common.digest import get_hmac
from swiftclient.utils import generate_temp_url

from direct_upload_middleware.storage import temp_urls
from direct_upload_middleware.storage.temp_urls import Digest

KEY = "a key"
PATH = "/v1/AUTH_test/uploads/object"
ODD_PATHS = [
    pytest.param(PATH, id="plain"),
    pytest.param("/v1/AUTH_test/uploads/a b/c", id="space and slash"),
    pytest.param("/v1/AUTH_test/uploads/Ü-日本語-🦄", id="Unicode"),
    pytest.param("/v1/AUTH_test/uploads/100%2Fa?b#c&d=e+f", id="URL syntax"),
    pytest.param("/v1/AUTH_test/uploads/..a//b/", id="dots and empty segments"),
]


@pytest.mark.parametrize("ip_range", [None, "127.0.0.1", "2001:db8::/32"])
@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("path", ODD_PATHS)
def test_a_signature_is_the_one_that_swift_expects(path: str, digest: Digest, ip_range: str | None) -> None:
    expected = get_hmac("PUT", path, 1700000000, KEY, digest, ip_range)
    assert temp_urls.sign(KEY, "PUT", path, 1700000000, digest, ip_range) == expected


@pytest.mark.parametrize("ip_range", [None, "127.0.0.1"])
@pytest.mark.parametrize("digest", ["sha1", "sha256"])
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_temp_url_is_the_one_that_swifts_client_makes(method: str, digest: Digest, ip_range: str | None) -> None:
    theirs = generate_temp_url(PATH, 1700000000, KEY, method, absolute=True, digest=digest, ip_range=ip_range)
    assert temp_urls.url(KEY, method, PATH, 1700000000, digest=digest, ip_range=ip_range) == theirs


def test_sha256_is_the_default() -> None:
    assert temp_urls.sign(KEY, "GET", PATH, 1) == temp_urls.sign(KEY, "GET", PATH, 1, "sha256")
    assert len(temp_urls.sign(KEY, "GET", PATH, 1)) == 64


def test_a_signature_is_known() -> None:
    assert temp_urls.sign("key", "GET", "/v1/a/c/o", 1) == (
        "a5f8f9585da1b9bf6a92d54638a19af7c2821fbb03a22db5c29a2c07b6ac44ed"
    )


@pytest.mark.parametrize("path", ODD_PATHS)
def test_a_quoted_path_is_unquoted(path: str) -> None:
    url = temp_urls.url(KEY, "PUT", path, 1700000000)
    assert url.isascii()
    assert unquote(urlsplit(url).path) == path
    assert urlsplit(url).fragment == ""


@pytest.fixture
def read_by_swift(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], tuple[Any, ...]]:
    """Swift's own reader. To import it replaces a part of Paste Deploy for the whole process, which is put back."""
    monkeypatch.setattr(loadwsgi, "ConfigLoader", loadwsgi.ConfigLoader)
    from swift.common.middleware.tempurl import get_temp_url_info

    return get_temp_url_info


@pytest.mark.parametrize(
    "filename", ["plain.pdf", "a&b=c;d+e f.pdf", '"quoted".pdf', "50%.pdf", "Ü-日本語.pdf", "a/b", "#1?", ""]
)
@pytest.mark.parametrize("inline", [False, True])
def test_swift_reads_the_query_that_was_meant(
    read_by_swift: Callable[[dict[str, str]], tuple[Any, ...]], filename: str, inline: bool
) -> None:
    url = temp_urls.url(KEY, "GET", PATH, 1700000000, ip_range="10.0.0.0/8", filename=filename, inline=inline)
    found = read_by_swift({"QUERY_STRING": urlsplit(url).query})
    signature = temp_urls.sign(KEY, "GET", PATH, 1700000000, ip_range="10.0.0.0/8")
    assert found == (signature, "1700000000", None, filename, inline or None, "10.0.0.0/8")


@pytest.mark.parametrize("options", [{}, {"ip_range": None, "filename": None, "inline": False}, {"ip_range": ""}])
def test_options_that_are_not_given_are_not_in_the_query(options: dict[str, Any]) -> None:
    url = temp_urls.url(KEY, "GET", PATH, 1700000000, **options)
    assert [name for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)] == [
        "temp_url_sig",
        "temp_url_expires",
    ]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(("another key", "GET", PATH, 1), id="key"),
        pytest.param((KEY, "PUT", PATH, 1), id="method"),
        pytest.param((KEY, "GET", PATH + "2", 1), id="path"),
        pytest.param((KEY, "GET", PATH, 2), id="expiry"),
        pytest.param((KEY, "GET", PATH, 1, "sha256", "127.0.0.1"), id="IP range"),
    ],
)
def test_each_thing_that_is_signed_changes_the_signature(other: Any) -> None:
    assert temp_urls.sign(*other) != temp_urls.sign(KEY, "GET", PATH, 1)
