"""Names and values of HTTP headers that several modules use."""

from __future__ import annotations

UPLOAD_TICKET = "Upload-Ticket"
UPLOAD_OWNER = "Upload-Owner"

PRIVATE_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-site",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
"""The headers of every API response: it is not stored, not framed, and not loaded by other sites."""


def environ_name(header: str) -> str:
    """Return the header's name in a WSGI environ."""
    return "HTTP_" + header.upper().replace("-", "_")
