"""Media types, and those that a browser executes, or displays as a page that can execute scripts. Pure functions."""

from __future__ import annotations

import re

ANY_TYPE = "application/octet-stream"
"""The type of unknown content."""

_SCRIPT = re.compile(
    r".+/.*(?:java|ecma|live|vb|j)script.*"  # JavaScript MIME types of the MIME Sniffing Standard, and VBScript
    r"|text/css|application/wasm|text/xsl|text/x-component"
    r"|multipart/.+|message/.+"  # parts have types of their own
)
_PAGE = re.compile(r"text/html|text/xml|application/xml|application/hta|.+/.*html.*|.+\+xml|.+/.*svg.*")


def essence_of(media_type: str) -> str:
    """Return a media type without its parameters, in lower case."""
    return media_type.partition(";")[0].strip().lower()


def is_script(media_type: str) -> bool:
    """Return whether a page can load this type as code: scripts, style sheets, WebAssembly."""
    return _SCRIPT.fullmatch(essence_of(media_type)) is not None


def is_page(media_type: str) -> bool:
    """Return whether a browser displays this type as a document in which scripts run: HTML, SVG, XML."""
    return _PAGE.fullmatch(essence_of(media_type)) is not None
