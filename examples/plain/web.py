"""Forms, the same-site check and security headers, as any small WSGI application needs them."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlsplit

from webob import Request, Response
from webob.multidict import MultiDict

from . import pages
from .pages import Html


class NoForm(ValueError):
    """The request body is not a form."""


def fields(request: Request) -> MultiDict[str, str]:
    """Return the text fields of a form."""
    return MultiDict((name, value) for name, value in _values(request).items() if isinstance(value, str))


def values(request: Request, name: str) -> list[Any]:
    """Return a file field's values: receipts, or files that a browser without JavaScript sent."""
    return list(_values(request).getall(name))


def _values(request: Request) -> Any:
    if request.content_type not in ("application/x-www-form-urlencoded", "multipart/form-data"):
        raise NoForm
    return request.POST


def is_same_site(request: Request) -> bool:
    """Return whether a page of this application sent the request. The session cookie is also SameSite=Lax."""
    site = request.headers.get("Sec-Fetch-Site")
    if site:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host


def page(content: Html, status: int = 200, **headers: str) -> Response:
    """Return a page with security headers. The middleware adds its script with the nonce of the policy."""
    policy = [
        "default-src 'none'",
        f"script-src 'nonce-{secrets.token_urlsafe(16)}'",
        "worker-src 'self'",  # the script computes MD5 in workers
        "connect-src 'self'",  # the middleware adds the origin of the storage
        "style-src 'self'",
        "img-src data:",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
    response = Response(content, status=status, content_type="text/html", charset="utf-8")
    response.headers["Content-Security-Policy"] = "; ".join(policy)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-store"
    for name, value in headers.items():
        response.headers[name.replace("_", "-")] = value
    return response


def see(url: str) -> Response:
    """Return a redirect to a URL."""
    response = Response(status=303)
    response.headers["Location"] = url
    response.headers["Cache-Control"] = "no-store"
    return response


def not_found() -> Response:
    return page(pages.problem("There is nothing here"), 404)
