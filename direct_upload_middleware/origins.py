"""Origins of requests and pages, the same-site check, and URLs below the mount."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from .errors import CrossSite

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_ORIGIN = re.compile(r"https?://(?:[a-z0-9.\-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def normalize_origin(text: str) -> str | None:
    """Return an http(s) origin in lower case and without its default port; None for anything else, also "null"."""
    text = text.lower()
    if not _ORIGIN.fullmatch(text):
        return None
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    if port == _DEFAULT_PORTS[parts.scheme]:
        return text.rpartition(":")[0]
    return text


def request_origin(environ: WSGIEnvironment) -> str | None:
    """Return the normalized ``Origin`` header; None if it is missing or not an origin."""
    return normalize_origin(environ.get("HTTP_ORIGIN", ""))


def request_host(environ: WSGIEnvironment) -> str:
    """Return the request's own host[:port], as the browser names it."""
    host: str = environ.get("HTTP_HOST") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    return host


def request_page_origin(environ: WSGIEnvironment) -> str:
    """Return the origin of the page that sent the request: its ``Origin``, else the request's own origin."""
    own = f"{environ['wsgi.url_scheme']}://{request_host(environ)}"
    return request_origin(environ) or normalize_origin(own) or "http://localhost"


def check_same_site(environ: WSGIEnvironment, origins: Collection[str]) -> None:
    """Raise :class:`~.errors.CrossSite` if a page of another origin sent the request.

    ``Sec-Fetch-Site`` (Fetch Metadata) decides if the browser sends it; else ``Origin`` against the request's own host,
    whose scheme a proxy may hide. A request without both does not come from a page in a browser. ``origins`` pass.
    """
    header = environ.get("HTTP_ORIGIN")
    origin = request_origin(environ)
    if origin is not None and origin in origins:
        return
    site = environ.get("HTTP_SEC_FETCH_SITE")
    if site is not None:
        is_same = site in ("same-origin", "none")
    else:
        is_same = header is None or (origin is not None and _names_host(origin, request_host(environ)))
    if not is_same:
        raise CrossSite


def _names_host(origin: str, host: str) -> bool:
    scheme = origin.partition(":")[0]
    return normalize_origin(f"{scheme}://{host}") == origin


def mount_url(script_name: str, mount: str, url: str) -> str:
    """Return ``url`` for the browser: one that begins with a slash is relative to the mount.

    :param script_name: SCRIPT_NAME as in WSGI.
    """
    return quote(script_name.encode("latin-1")) + mount + url if url.startswith("/") else url
