"""What a browser makes of the binding cookie, as the application sends it (RFC 6265, and its successor for SameSite).

Pure: it knows a header and two addresses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from ...requester import COOKIE
from .http_client import LOOPBACK

_PROXY = "Something in front of the application rewrites its cookies; leave {} as it is there."


def find_cookie(headers: Iterable[str]) -> str | None:
    """Our own of all ``Set-Cookie`` headers."""
    return next((header for header in headers if header.strip().startswith(f"{COOKIE}=")), None)


def pair_of(header: str) -> str:
    """What comes back: ``name=value``."""
    return header.partition(";")[0].strip()


def faults(header: str, page: str, api: str) -> Iterator[tuple[str, str]]:
    """What keeps the cookie from doing its work for a page at one URL and the API at another: fault and remedy."""
    attributes = _attributes(header)
    parts = urlsplit(page)
    yield from _transport(attributes, parts.scheme, parts.hostname or "")
    for url, what in ((api, "the upload API"), (page, "the page")):
        if not _is_below(urlsplit(url).path or "/", attributes.get("path", "/")):
            yield (
                f"the cookie is for addresses below {attributes['path']}, and {what} is at {urlsplit(url).path or '/'}",
                "Give the application its path outside as SCRIPT_NAME, and let no proxy rewrite the paths of cookies.",
            )
    domain = attributes.get("domain", "").lstrip(".").lower()
    if domain and not _is_of(parts.hostname or "", domain):
        yield f"browsers drop the cookie: it is for {domain}", _PROXY.format("Domain")
    elif domain:
        yield f"the cookie goes to every host of {domain}", _PROXY.format("Domain")
    if "httponly" not in attributes:
        yield "scripts can read the cookie: it lacks HttpOnly", _PROXY.format("HttpOnly")
    if attributes.get("samesite", "").lower() != "strict":
        yield "the cookie goes with requests of other sites: it lacks SameSite=Strict", _PROXY.format("SameSite")


def _attributes(header: str) -> dict[str, str]:
    pairs = (attribute.strip().partition("=") for attribute in header.split(";")[1:])
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _transport(attributes: dict[str, str], scheme: str, host: str) -> Iterator[tuple[str, str]]:
    if scheme == "https" and "secure" not in attributes:
        yield (
            "the cookie lacks Secure, though the page is under https: the application believes that it is under http",
            "Have the proxy send X-Forwarded-Proto, and the application trust it (waitress: trusted_proxy; gunicorn: "
            "forwarded_allow_ips; Werkzeug: ProxyFix), so that wsgi.url_scheme is https.",
        )
    if scheme == "http" and "secure" in attributes and host not in LOOPBACK:
        yield (
            "browsers drop the cookie: it is Secure, and the page is under http",
            "Serve the page under https, or let wsgi.url_scheme be http.",
        )


def _is_below(path: str, cookie_path: str) -> bool:
    """RFC 6265, 5.1.4."""
    if not cookie_path.startswith("/"):
        return True  # browsers take a default, the folder of the API's own address
    return path == cookie_path or path.startswith(cookie_path.rstrip("/") + "/")


def _is_of(host: str, domain: str) -> bool:
    """RFC 6265, 5.1.3."""
    return host == domain or host.endswith("." + domain)
