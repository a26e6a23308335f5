"""Recognize HTML pages by status and headers, and adapt the headers of a changed page."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final, TypeAlias

from . import csp

Headers: TypeAlias = list[tuple[str, str]]

_STATUS_WITHOUT_PAGE: Final = frozenset({"204", "206", "304"})
_CHARSET: Final = re.compile(r';\s*charset\s*=\s*["\']?([^\s"\';]*)', re.IGNORECASE)
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
    return is_html(headers) and _is_plain_page(status, headers)


def _is_plain_page(status: str, headers: Headers) -> bool:
    fields: dict[str, list[str]] = {}
    for name, value in headers:
        fields.setdefault(name.lower(), []).append(value)
    return (
        status[:3] not in _STATUS_WITHOUT_PAGE
        and not status.startswith("1")
        and fields.keys().isdisjoint({"content-range", "transfer-encoding"})
        and len(fields["content-type"]) == 1
        and _is_readable_html(fields["content-type"][0])
        and {value.strip().lower() for value in fields.get("content-encoding", ())} <= {"", "identity"}
        and {_main_value(value) for value in fields.get("content-disposition", ())} <= {"", "inline"}
    )


def _main_value(value: str) -> str:
    """Return a header's value in lower case, without its parameters."""
    return value.partition(";")[0].strip().lower()


def _is_readable_html(content_type: str) -> bool:
    charset = _CHARSET.search(content_type)
    return _main_value(content_type) == "text/html" and (charset is None or _is_ascii_compatible(charset[1]))


@lru_cache(maxsize=64)
def _is_ascii_compatible(charset: str) -> bool:
    try:
        return _ASCII_SAMPLE.encode("ascii").decode(charset or "ascii") == _ASCII_SAMPLE
    except (LookupError, ValueError):  # an unknown charset, or one that cannot decode the sample
        return False


def change_page_headers(headers: Headers, length: int | None, connect_src: Callable[[], str | None]) -> Headers:
    """Return the headers for a page that contains the script tag now.

    :param length: bytes of the changed page; None when that is unknown.
    :param connect_src: return the storage's origin; called only when the headers contain a policy.
    """
    origin = connect_src() if csp.has_policy(headers) else None
    changed = []
    for name, value in csp.allow_origin(headers, origin) if origin else headers:
        field = name.lower()
        if field == "content-length" and length is not None:
            changed.append((name, str(length)))
        elif field == "etag":  # a strong ETag would promise the application's bytes
            changed.append((name, value if value.startswith("W/") else f"W/{value}"))
        elif field not in _DIGESTS and field not in ("content-length", "accept-ranges"):
            changed.append((name, value))
    return changed
