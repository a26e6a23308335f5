"""Origins of requests and pages, the same-site check, and URLs below the mount."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from .errors import CrossSite

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

log = logging.getLogger(__name__)

MAX_ORIGIN_BYTES = 255

# Names that browsers accept, also beyond the rules for host names: without the characters that separate or match
# origins in a header (comma, semicolon, star), and without those that browsers forbid (URL Standard, 3.1).
_ORIGIN = re.compile(r"https?://(?:[a-z0-9._~!$&'()+=-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.ASCII)
_DEFAULT_PORTS = {"http": 80, "https": 443}


def normalize_origin(text: str) -> str | None:
    """Return an http(s) origin in lower case and without its default port; None for anything else, also "null".

    A longer one than 255 bytes, the limit of a host name, counts as none: it is never stored anywhere.
    """
    text = text.lower()
    if len(text) > MAX_ORIGIN_BYTES or not _ORIGIN.fullmatch(text):
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


def request_page_origin(environ: WSGIEnvironment) -> str | None:
    """Return the origin of the page that sent the request: its ``Origin``, else the request's own; None if invalid."""
    return request_origin(environ) or normalize_origin(f"{environ['wsgi.url_scheme']}://{request_host(environ)}")


def storage_page_origin(environ: WSGIEnvironment, origins: Collection[str]) -> str:
    """Return the origin whose pages storage must let send segments; "" for none.

    Any client can send any ``Host``, so storage learns only origins from ``origins`` once that is set.
    """
    origin = request_page_origin(environ)
    if origin is None:
        return ""
    if origins and origin not in origins:
        _warn_of_unlisted_origin(origin)
        return ""
    return origin


@lru_cache(maxsize=1)
def _warn_of_unlisted_origin(origin: str) -> None:
    log.warning(
        "pages of an origin that is not in origins cannot send to storage: add it", extra={"swift_origin": origin}
    )


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
