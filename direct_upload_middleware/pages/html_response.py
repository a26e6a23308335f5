"""Recognize HTML pages by status and headers, and adapt the headers of changed pages and of answers about them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from . import csp

Headers: TypeAlias = list[tuple[str, str]]
ConnectSrc: TypeAlias = Callable[[], str | None]
_Fields: TypeAlias = dict[str, list[str]]  # values by lower-case name

_STATUS_WITHOUT_PAGE: Final = frozenset({"204", "206", "304"})
_CHARSET: Final = re.compile(r';\s*charset\s*=\s*["\']?([^\s"\';]*)', re.IGNORECASE)
_ENTITY_TAG: Final = re.compile(r'(W/)?("[^"]*")')
_DIGESTS: Final = frozenset({"content-md5", "digest", "content-digest", "repr-digest"})

# Includes the escape sequences of the encodings in which ASCII bytes can mean something else: UTF-7, HZ, ISO-2022.
_ASCII_SAMPLE: Final = "<!-- Aa09 --><a b=\"c\" d='e'/>\r\n\t +ADw- ~{<:Ky~} \x1b$B<:\x1b(B"


def is_html(headers: Headers) -> bool:
    """Return whether the content type is HTML. This is the only check that other responses cost."""
    for name, value in headers:
        if name == "Content-Type" or name.lower() == "content-type":
            return value[:9].lower() == "text/html"
    return False


def is_page(status: str, headers: Headers) -> bool:
    """Return whether the response is a complete HTML page whose bytes can be read and changed."""
    return is_html(headers) and _is_plain_page(status, _group(headers))


def _is_plain_page(status: str, fields: _Fields) -> bool:
    return _is_shown_page(status, fields) and not _find_encodings(fields) and _has_ascii_compatible_charset(fields)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """The reason why an HTML page cannot be changed: content encodings in the order applied, or its charset."""

    encodings: tuple[str, ...]
    charset: str | None  #: that is not ASCII-compatible

    def __str__(self) -> str:
        return f"Content-Encoding {', '.join(self.encodings)}" if self.encodings else f"charset {self.charset}"


def find_obstacle(status: str, headers: Headers) -> Obstacle | None:
    """Return why a browser shows this response as an HTML page, but it cannot be changed; None otherwise."""
    fields = _group(headers)
    if not is_html(headers) or not _is_shown_page(status, fields):
        return None
    encodings = _find_encodings(fields)
    charset = None if _has_ascii_compatible_charset(fields) else _find_charset(fields)
    return Obstacle(encodings, charset) if encodings or charset else None


def _group(headers: Headers) -> _Fields:
    fields: _Fields = {}
    for name, value in headers:
        fields.setdefault(name.lower(), []).append(value)
    return fields


def _is_shown_page(status: str, fields: _Fields) -> bool:
    """Return whether browsers show this HTML response as a whole page."""
    return (
        status[:3] not in _STATUS_WITHOUT_PAGE
        and not status.startswith("1")
        and fields.keys().isdisjoint({"content-range", "transfer-encoding"})
        and len(fields["content-type"]) == 1
        and _main_value(fields["content-type"][0]) == "text/html"
        and {_main_value(value) for value in fields.get("content-disposition", ())} <= {"", "inline"}
    )


def _main_value(value: str) -> str:
    """Return a header's value in lower case, without its parameters."""
    return value.partition(";")[0].strip().lower()


def _find_encodings(fields: _Fields) -> tuple[str, ...]:
    names = [name.strip().lower() for value in fields.get("content-encoding", ()) for name in value.split(",")]
    return tuple(name for name in names if name not in ("", "identity"))


def _find_charset(fields: _Fields) -> str | None:
    charset = _CHARSET.search(fields["content-type"][0])
    return charset[1] if charset else None


def _has_ascii_compatible_charset(fields: _Fields) -> bool:
    charset = _find_charset(fields)
    return charset is None or _is_ascii_compatible(charset)


@lru_cache(maxsize=64)
def _is_ascii_compatible(charset: str) -> bool:
    try:
        return _ASCII_SAMPLE.encode("ascii").decode(charset or "ascii") == _ASCII_SAMPLE
    except (LookupError, ValueError):  # an unknown charset, or one that cannot decode the sample
        return False


def change_page_headers(headers: Headers, length: int | None, connect_src: ConnectSrc) -> Headers:
    """Return the headers for a page that contains the script tag now.

    :param length: bytes of the changed page; None when that is unknown.
    :param connect_src: return the storage's origin; called only when the headers contain a policy.
    """
    changed = []
    for name, value in _allow_storage(headers, connect_src):
        field = name.lower()
        if field == "content-length" and length is not None:
            changed.append((name, str(length)))
        elif field not in _DIGESTS and field not in ("content-length", "accept-ranges"):
            changed.append((name, value))
    return _weaken_etag(changed)


def change_headers_only(headers: Headers, connect_src: ConnectSrc) -> Headers:
    """Return the headers for a page that the application itself gave the script tag.

    The ETag becomes weak with the policy, because :func:`change_not_modified_headers` needs it to recognize the page.
    """
    changed = _allow_storage(headers, connect_src)
    return headers if changed == headers else _weaken_etag(changed)


def change_not_modified_headers(headers: Headers, if_none_match: str | None, connect_src: ConnectSrc) -> Headers:
    """Return the headers for a 304 response, which update those of the page that the client has stored.

    A page that was changed has a weak ETag. Therefore a client that sends a strong ETag has stored an unchanged page,
    and its headers stay as they are. Without this evidence (the application's ETags are weak, or it sends only
    Last-Modified) the policy is extended: a page that was changed cannot upload otherwise.

    :param if_none_match: the header of the request.
    """
    if any(name.lower() == "content-type" for name, _ in headers) and not is_html(headers):
        return headers
    if _is_strong_match(headers, if_none_match):
        return headers
    return change_page_headers(headers, None, connect_src)


def replace_page_headers(status: str, headers: Headers, get_status: str, get_headers: Headers) -> Headers:
    """Return the headers for a HEAD response, with those that depend on the content taken from the GET response."""
    if status != get_status:
        return headers
    kept = [header for header in headers if not _is_of_content(header[0])]
    return kept + [header for header in get_headers if _is_of_content(header[0])]


def depends_on_content(headers: Headers) -> bool:
    """Return whether the headers would differ for a page with the script tag."""
    return any(_is_of_content(name) for name, _ in headers)


def _is_of_content(name: str) -> bool:
    field = name.lower()
    return field in ("etag", "content-length", "accept-ranges") or field in _DIGESTS or csp.is_policy(field)


def _is_strong_match(headers: Headers, if_none_match: str | None) -> bool:
    """Return whether the client has stored a response with a strong ETag, and none with a weak one."""
    stored = _ENTITY_TAG.findall(if_none_match or "")
    current = _ENTITY_TAG.search(next((value for name, value in headers if name.lower() == "etag"), ""))
    matching = [weak for weak, tag in stored if current is None or tag == current[2]] or [weak for weak, _ in stored]
    return bool(matching) and not any(matching)


def _allow_storage(headers: Headers, connect_src: ConnectSrc) -> Headers:
    origin = connect_src() if csp.has_policy(headers) else None
    return csp.allow_origin(headers, origin) if origin else headers


def _weaken_etag(headers: Headers) -> Headers:
    """Return the headers without a strong ETag, which would promise the application's bytes."""
    return [
        (name, f"W/{value}" if name.lower() == "etag" and not value.startswith("W/") else value)
        for name, value in headers
    ]
