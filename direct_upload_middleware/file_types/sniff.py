"""Decide from a file's first bytes whether ``accept`` allows it.

pure-magic-rs recognizes signatures: the rules of libmagic in memory-safe code. Bytes cannot prove every type: text
formats look alike, many formats share a container, and some have no signature. So the question is whether the content
*may be* of an accepted type:

- Content with a signature must match ``accept``. A zip archive may be any format that is a zip archive (``.docx``,
  ``.odt``, ``.epub``); the same applies to the old Office formats, and to audio and video formats that share a
  container.
- Text may be anything that is text: ``text/*``, JSON, XML, or an extension of those.
- Any content may have a type or an extension without a known signature (``application/x-mine``, ``.dat``).
- HTML, XHTML, SVG and programs never pass as anything else. A file that *claims* to be an HTML page must be accepted by
  its type, not by its extension, because a browser displays it as the claimed type.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from ..errors import ConfigurationError
from .active_types import ANY_TYPE
from .media_types import OLE, SIGNED, equivalent_types, normalize_type, type_of_extension

HEAD_SIZE = 64 * 1024
"""The number of bytes that are inspected."""

_ANY = ("*/*", ANY_TYPE)
_PAGES = {"text/html", "application/xhtml+xml", "image/svg+xml"}
_PROGRAMS = re.compile(
    r"application/(vnd\.microsoft\.portable-executable|dosexec|mach-binary|(pie-)?executable|sharedlib)"
)
_TEXT = re.compile(
    r"text/(?!rtf).*|message/.*|.+\+(xml|json)|application/(json|ndjson|xml|javascript|yaml|toml|sql|c?sh|tex|latex)"
)
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")  # "binary data byte" of the MIME Sniffing Standard
_BYTE_ORDER_MARKS = (b"\xfe\xff", b"\xff\xfe")
_SIGNATURES = {bytes.fromhex("d0cf11e0a1b11ae1"): next(iter(OLE)), b"\0\1\0\0\0": "font/ttf"}
"""Signatures that the library does not know."""


def check_library() -> None:
    """Raise ConfigurationError if pure-magic-rs is not installed."""
    try:
        import pure_magic_rs  # noqa: F401
    except ImportError as error:
        raise ConfigurationError(
            "sniff=True needs pure-magic-rs: pip install 'direct-upload-middleware[sniff]'"
        ) from error


@lru_cache(maxsize=1)
def _magic() -> Any:
    from pure_magic_rs import MagicDb

    return MagicDb()


def detect_type(head: bytes) -> str | None:
    """Return the type that a file's first bytes show, normalized; None if they show none."""
    for signature, signed_type in _SIGNATURES.items():
        if head.startswith(signature):
            return signed_type
    found = normalize_type(_magic().best_magic_buffer(head).mime_type)
    return None if found == ANY_TYPE else found


def may_be_accepted(accept: tuple[str, ...], claimed: str, head: bytes) -> bool:
    """Return whether a file may be of an accepted type.

    :param accept: tokens as in HTML, in lower case.
    :param claimed: the type that the uploader claims, which downloads will have.
    :param head: the file's first bytes.
    """
    if normalize_type(claimed) in _PAGES and not any(_matches(token, {normalize_type(claimed)}) for token in accept):
        return False
    found = detect_type(head)
    return any(token in _ANY or _may_match(token, found, _is_text(head)) for token in accept)


def _may_match(token: str, found: str | None, is_text: bool) -> bool:
    if found is not None and _matches(token, equivalent_types(found)):
        return True
    if found is not None and (found in _PAGES or _PROGRAMS.fullmatch(found)):
        return False
    meant = type_of_extension(token) if token.startswith(".") else normalize_type(token)
    if meant is not None and _TEXT.fullmatch(meant):
        return is_text and not _has_signature(found)
    return meant is None or not _has_signature(meant)


def _matches(token: str, types: set[str]) -> bool:
    if token.startswith("."):
        return type_of_extension(token) in types
    family, _, name = token.partition("/")
    return normalize_type(token) in types or (name == "*" and any(each.startswith(family + "/") for each in types))


def _has_signature(media_type: str | None) -> bool:
    """Return whether files of this type, or this family of types, have a signature."""
    if media_type is None or _TEXT.fullmatch(media_type):
        return False
    return media_type in SIGNED or media_type.startswith(("image/", "audio/", "video/", "font/"))


def _is_text(head: bytes) -> bool:
    return head.startswith(_BYTE_ORDER_MARKS) or not _BINARY.search(head)
