"""The middleware's options: what is wrong is said when it is made, and what to do about it."""

from __future__ import annotations

import inspect
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from helpers.uploads import SECRET, page

from direct_upload_middleware import ConfigurationError, DirectUploadMiddleware
from direct_upload_middleware.options import OPTIONS, Options, parse_strings
from direct_upload_middleware.storage import storage_from_url
from direct_upload_middleware.storage.local import LocalStorage
from direct_upload_middleware.storage.swift import SwiftStorage


def make(storage: Any = "local:", **options: Any) -> DirectUploadMiddleware:
    return DirectUploadMiddleware(page, storage, **options)


@pytest.fixture(autouse=True)
def _nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    yield
    assert list(tmp_path.iterdir()) == []


def test_one_line_is_enough() -> None:
    options = DirectUploadMiddleware(page).options
    assert (options.mount, options.inject, options.seal) == ("/_upload", "auto", "revoke")
    assert (options.segment_size, options.parallel) == (16 * 1024**2, 4)
    assert (options.ticket_ttl, options.url_ttl, options.bind_ip) == (86400, 900, False)
    assert (options.policy.max_size, options.policy.accept, options.origins) == (None, (), frozenset())
    assert options.anonymous is False


def test_swift_needs_nothing_but_a_secret() -> None:
    """Neither credentials nor a network: storage is asked on first use."""
    assert make("swift://uploads", secret=SECRET).options.storage.container == "uploads"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("secret", ""),
        ("secret", []),
        ("secret", ["a", ""]),
        ("secret", ["a", None]),
        ("secret", 5),
        ("secret", b"bytes"),
        ("secret", "\ud800"),
        ("identify", "user"),
        ("anonymous", "yes"),
        ("anonymous", None),
        ("authorize", 1),
        ("on_complete", "print"),
        ("object_name", "name"),
        ("mount", ""),
        ("mount", "/"),
        ("mount", "_upload"),
        ("mount", "/_upload/"),
        ("mount", "/a//b"),
        ("mount", "/a b"),
        ("mount", "/a/../b"),
        ("mount", "/."),
        ("mount", "/<script>"),
        ("mount", "/ä"),
        ("mount", None),
        ("inject", "always"),
        ("inject", None),
        ("inject", 1),
        ("max_size", -1),
        ("max_size", "5"),
        ("max_size", 1.5),
        ("max_size", True),
        ("accept", ["pdf"]),
        ("accept", ["*/png"]),
        ("accept", 5),
        ("accept", [5]),
        ("accept", None),
        ("segment_size", 0),
        ("segment_size", 5 * 1024**3 + 1),
        ("segment_size", "16M"),
        ("parallel", 0),
        ("parallel", 65),
        ("parallel", 1.5),
        ("seal", "none"),
        ("seal", None),
        ("ticket_ttl", 0),
        ("ticket_ttl", -5),
        ("ticket_ttl", True),
        ("url_ttl", 0),
        ("url_ttl", None),
        ("bind_ip", 1),
        ("origins", ["example.com"]),
        ("origins", ["https://example.com/path"]),
        ("origins", ["https://*.example.com"]),
        ("origins", ["*"]),
        ("origins", ["null"]),
        ("origins", ["ftp://example.com"]),
        ("origins", ["https://user@example.com"]),
        ("origins", ["https://example.com:99999"]),
        ("origins", 5),
    ],
)
def test_a_wrong_option_is_named(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=name) as caught:
        make(**{name: value})
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("secrets", "secret"),
        ("identity", "identify"),
        ("on_completed", "on_complete"),
        ("maxsize", "max_size"),
        ("segmentsize", "segment_size"),
        ("origin", "origins"),
        ("storge", "storage"),
    ],
)
def test_a_misspelled_option_gets_a_suggestion(name: str, meant: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name}.*did you mean '{meant}'"):
        make(**{name: "x"})


def test_an_unknown_option_gets_the_list_of_those_there_are() -> None:
    with pytest.raises(ConfigurationError, match=r"'zzz'.*max_size"):
        make(zzz=1)


def test_a_secret_is_never_shown() -> None:
    with pytest.raises(ConfigurationError) as caught:
        make(secret=["a very secret thing", 5])
    assert "very secret" not in str(caught.value)


@pytest.mark.parametrize("storage", ["swift://uploads", SwiftStorage("uploads")])
def test_a_secret_is_required_where_the_storage_has_none(storage: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"secret.*token_urlsafe"):
        make(storage)


def test_the_signature_is_the_declaration() -> None:
    parameters = inspect.signature(DirectUploadMiddleware).parameters.values()
    keyword_only = [each for each in parameters if each.kind is inspect.Parameter.KEYWORD_ONLY]
    assert {each.name: each.default for each in keyword_only} == {o.name: o.default for o in OPTIONS.values()}


def test_the_validated_options_are_the_declared_ones() -> None:
    derived = {"secret": "keys", "max_size": "policy", "accept": "policy"}
    assert {"storage", *(derived.get(name, name) for name in OPTIONS)} == {field.name for field in fields(Options)}


def test_the_documentation_of_every_option_comes_from_its_declaration() -> None:
    text = " ".join(str(DirectUploadMiddleware.__doc__).split())
    for option in OPTIONS.values():
        assert f":param {option.name}: {' '.join(option.text.split())}" in text


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("secret", "one, with,commas two\n three", ["one,", "with,commas", "two", "three"]),
        ("accept", ".pdf, image/*\n.png", (".pdf", "image/*", ".png")),
        ("origins", "https://a.example\n  https://b.example", frozenset({"https://a.example", "https://b.example"})),
        ("on_complete", "os.path:join", __import__("os").path.join),
        ("on_complete", "os.path.join", __import__("os").path.join),
        ("identify", "/whoami", "/whoami"),
        ("anonymous", "Yes", True),
        ("inject", "auto", "auto"),
        ("inject", "off", False),
        ("max_size", "5", 5),
        ("mount", "/files", "/files"),
    ],
)
def test_a_string_of_a_settings_file_is_converted(name: str, text: str, value: Any) -> None:
    parsed = parse_strings({name: f" {text} "})[name]
    assert parsed == value if name in ("secret", "identify") else OPTIONS[name].kind.check(name, parsed) == value


@pytest.mark.parametrize(
    "text", ["module", ":attr", "module:", ".attr", "no.such.module", "os.path:missing", "os..path"]
)
def test_a_callable_that_cannot_be_imported_is_named(text: str) -> None:
    with pytest.raises(ConfigurationError, match="authorize"):
        parse_strings({"authorize": text})


def test_options_that_are_lists_may_be_one_string() -> None:
    options = make(accept=".pdf, image/*", origins="https://a.example, https://B.example:443/").options
    assert options.policy.accept == (".pdf", "image/*")
    assert options.origins == {"https://a.example", "https://b.example"}


@pytest.mark.parametrize("app", [None, "app", 5])
def test_an_object_that_is_no_application_is_refused(app: Any) -> None:
    with pytest.raises(ConfigurationError, match="app"):
        DirectUploadMiddleware(app)


@pytest.mark.parametrize(
    ("url", "kind", "container"),
    [
        ("local:", LocalStorage, "uploads"),
        ("local:some/where", LocalStorage, "uploads"),
        ("local:/some%20where", LocalStorage, "uploads"),
        ("swift://Uploads", SwiftStorage, "Uploads"),
        ("swift://uploads/", SwiftStorage, "uploads"),
        ("swift://uploads?cloud=mine", SwiftStorage, "uploads"),
        ("swift://my%20files", SwiftStorage, "my files"),
    ],
)
def test_a_storage_url(url: str, kind: type, container: str) -> None:
    storage = storage_from_url(url)
    assert type(storage) is kind
    assert storage.container == container


@pytest.mark.parametrize(
    "storage",
    [
        "",
        "uploads",
        "/var/uploads",
        "ftp://uploads",
        "http://example.com/",
        "local://host/path",
        "local:x?cloud=a",
        "swift:",
        "swift://",
        "swift:///uploads",
        "swift://a/b",
        "swift://a%2Fb",
        "swift://user@a",
        "swift://a#b",
        "swift://a?clud=b",
        "swift://a?cloud=b&cloud=c",
        "swift://a?cloud",
        "swift://a?cloud=",
        "rackspace://a?region=",
        "swift://a?cloud=%FF",
        "swift://%FF",
        "swift://a%0Ab",
        "swift://.",
        "swift://..",
        "local:%FF",
        "local:a%00b",
        "swift://[a",
        "swift://" + "a" * 215,
        5,
        object(),
        Path("uploads"),
    ],
)
def test_a_wrong_storage_is_a_configuration_error(storage: Any) -> None:
    with pytest.raises(ConfigurationError, match="storage"):
        make(storage, secret=SECRET)
