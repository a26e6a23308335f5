"""What a file's first bytes say of its type, and whether ``accept`` has that.

Signatures are recognised by pure-magic-rs: the rules of libmagic, read by memory-safe code. Bytes cannot tell
everything: formats of text look alike, many share a container, and some have no signature at all. So the question is
whether the content *may be* something that is accepted:

- What has a signature has to be accepted. A zip archive may be any of the formats that are zip archives (``.docx``,
  ``.odt``, ``.epub``); the same goes for the old formats of Office, and for sound and video that share a container.
- Text may be anything that is text: ``text/*``, JSON, XML, an extension of those.
- Anything may be of a type or have an extension that nobody knows a signature of (``application/x-mine``, ``.dat``).
- Only HTML, XHTML, SVG and programs are never taken for anything else. And what is claimed to be a page in HTML, say,
  has to be accepted as such, not by its extension: a browser would show it as what was claimed.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from .errors import ConfigurationError
from .media_types import OLE, SIGNED, all_names, normal, type_of
from .policy import ANY_TYPE

HEAD_SIZE = 64 * 1024
"""How many bytes are looked at."""

_ANY = ("*/*", ANY_TYPE)
_PAGES = {"text/html", "application/xhtml+xml", "image/svg+xml"}
_PROGRAMS = re.compile(
    r"application/(vnd\.microsoft\.portable-executable|dosexec|mach-binary|(pie-)?executable|sharedlib)"
)
_TEXT = re.compile(
    r"text/(?!rtf).*|message/.*|.+\+(xml|json)|application/(json|ndjson|xml|javascript|yaml|toml|sql|c?sh|tex|latex)"
)
_NO_TEXT = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")  # "binary data byte" of the MIME Sniffing Standard
_BYTE_ORDER = (b"\xfe\xff", b"\xff\xfe")
_SIGNATURES = {bytes.fromhex("d0cf11e0a1b11ae1"): next(iter(OLE)), b"\0\1\0\0\0": "font/ttf"}
"""What the library does not know."""


def check_library() -> None:
    """Raises ConfigurationError when pure-magic-rs is not installed."""
    try:
        import pure_magic_rs  # noqa: F401
    except ImportError as error:
        raise ConfigurationError("sniff needs pure-magic-rs: pip install 'direct-upload-middleware[sniff]'") from error


@lru_cache(maxsize=1)
def _magic() -> Any:
    from pure_magic_rs import MagicDb

    return MagicDb()


def look(head: bytes) -> str | None:
    """The type that the first bytes of a file show, in normal form; None when they show none."""
    for signature, type in _SIGNATURES.items():
        if head.startswith(signature):
            return type
    found = normal(_magic().best_magic_buffer(head).mime_type)
    return None if found == ANY_TYPE else found


def may_be(accept: tuple[str, ...], claimed: str, head: bytes) -> bool:
    """Whether a file may be of a type that is accepted.

    :param accept: tokens as in HTML, in lower case.
    :param claimed: the type that it is said to have, and will be sent with.
    :param head: its first bytes.
    """
    if normal(claimed) in _PAGES and not any(_is(token, {normal(claimed)}) for token in accept):
        return False
    found = look(head)
    return any(token in _ANY or _may_be(token, found, _is_text(head)) for token in accept)


def _may_be(token: str, found: str | None, is_text: bool) -> bool:
    if found is not None and _is(token, all_names(found)):
        return True
    if found is not None and (found in _PAGES or _PROGRAMS.fullmatch(found)):
        return False
    meant = type_of(token) if token.startswith(".") else normal(token)
    if meant is not None and _TEXT.fullmatch(meant):
        return is_text and not _is_signed(found)
    return meant is None or not _is_signed(meant)


def _is(token: str, types: set[str]) -> bool:
    if token.startswith("."):
        return type_of(token) in types
    family, _, name = token.partition("/")
    return normal(token) in types or (name == "*" and any(type.startswith(family + "/") for type in types))


def _is_signed(type: str | None) -> bool:
    """Whether files of this type, or family of types, have a signature."""
    if type is None or _TEXT.fullmatch(type):
        return False
    return type in SIGNED or type.startswith(("image/", "audio/", "video/", "font/"))


def _is_text(head: bytes) -> bool:
    return head.startswith(_BYTE_ORDER) or not _NO_TEXT.search(head)
