"""What any small WSGI application needs of requests and responses: forms, the same-site check, safe headers."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from webob import Request, Response
from webob.multidict import MultiDict

from . import pages
from .pages import Html


class NoForm(ValueError):
    """What was sent is no form."""


def fields(request: Request) -> MultiDict[str, str]:
    """The fields of a form. Files are none of them: they do not come this way."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise NoForm
    return MultiDict((name, str(value)) for name, value in request.POST.items())


def is_same_site(request: Request) -> bool:
    """Whether one of our own pages sent it. The session cookie is SameSite=Lax besides."""
    site = request.headers.get("Sec-Fetch-Site")
    if site:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host


def page(content: Html, status: int = 200, **headers: str) -> Response:
    """A page, with headers that keep it to itself. The middleware puts its script in, with the policy's nonce."""
    policy = [
        "default-src 'none'",
        f"script-src 'nonce-{secrets.token_urlsafe(16)}'",
        "worker-src 'self'",  # the script computes MD5 in workers
        "connect-src 'self'",  # the middleware adds the storage
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
    """Go there."""
    response = Response(status=303)
    response.headers["Location"] = url
    response.headers["Cache-Control"] = "no-store"
    return response


def not_found() -> Response:
    return page(pages.problem("There is nothing here"), 404)
