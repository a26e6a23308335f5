"""Which responses are HTML pages, and the headers of a page that was changed."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final, TypeAlias

from . import csp

Headers: TypeAlias = list[tuple[str, str]]

_NO_PAGE: Final = frozenset({"204", "206", "304"})
_CHARSET: Final = re.compile(r';\s*charset\s*=\s*["\']?([^\s"\';]*)', re.IGNORECASE)
_DIGESTS: Final = frozenset({"content-md5", "digest", "content-digest", "repr-digest"})

# What escapes from ASCII in the encodings that have such escapes: UTF-7, HZ, ISO-2022.
_TELLING_TEXT: Final = "<!-- Aa09 --><a b=\"c\" d='e'/>\r\n\t +ADw- ~{<:Ky~} \x1b$B<:\x1b(B"


def is_html(headers: Headers) -> bool:
    """Whether the type is HTML. A response that is none costs this one look."""
    for name, value in headers:
        if name == "Content-Type" or name.lower() == "content-type":
            return value[:9].lower() == "text/html"
    return False


def is_page(status: str, headers: Headers) -> bool:
    """Whether this is an HTML page that can be read as it is."""
    return is_html(headers) and _is_plain_page(status, headers)


def _is_plain_page(status: str, headers: Headers) -> bool:
    fields: dict[str, list[str]] = {}
    for name, value in headers:
        fields.setdefault(name.lower(), []).append(value)
    return (
        status[:3] not in _NO_PAGE
        and not status.startswith("1")
        and fields.keys().isdisjoint({"content-range", "transfer-encoding"})
        and len(fields["content-type"]) == 1
        and _is_readable_html(fields["content-type"][0])
        and {value.strip().lower() for value in fields.get("content-encoding", ())} <= {"", "identity"}
        and {_first(value) for value in fields.get("content-disposition", ())} <= {"", "inline"}
    )


def _first(value: str) -> str:
    return value.partition(";")[0].strip().lower()


def _is_readable_html(content_type: str) -> bool:
    charset = _CHARSET.search(content_type)
    return _first(content_type) == "text/html" and (charset is None or _is_ascii_compatible(charset[1]))


@lru_cache(maxsize=64)
def _is_ascii_compatible(charset: str) -> bool:
    try:
        return _TELLING_TEXT.encode("ascii").decode(charset or "ascii") == _TELLING_TEXT
    except (LookupError, ValueError):  # unknown, or no such text
        return False


def headers_of_changed_page(headers: Headers, length: int | None, connect_src: Callable[[], str | None]) -> Headers:
    """The headers of a page after the script tag was put in.

    :param length: of the changed page, in bytes; None when that is not known yet.
    :param connect_src: is asked for the origin of the storage when there is a policy that may refuse it.
    """
    origin = connect_src() if csp.has_policy(headers) else None
    changed = []
    for name, value in csp.allow(headers, origin) if origin else headers:
        field = name.lower()
        if field == "content-length" and length is not None:
            changed.append((name, str(length)))
        elif field == "etag":  # a strong one promises the same bytes
            changed.append((name, value if value.startswith("W/") else f"W/{value}"))
        elif field not in _DIGESTS and field not in ("content-length", "accept-ranges"):
            changed.append((name, value))
    return changed
