"""The browser's rules for the binding cookie (RFC 6265, and its successor for SameSite).

Pure functions of a ``Set-Cookie`` header and two URLs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from ...requester import COOKIE
from .http_client import LOOPBACK

_PROXY = "A proxy in front of the application rewrites its cookies. Configure it to keep {}."


def find_cookie(headers: Iterable[str]) -> str | None:
    """Return the binding cookie's ``Set-Cookie`` header, or None."""
    return next((header for header in headers if header.strip().startswith(f"{COOKIE}=")), None)


def pair_of(header: str) -> str:
    """Return the pair that a browser sends back: ``name=value``."""
    return header.partition(";")[0].strip()


def faults(header: str, page: str, api: str) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the cookie for this page and API, each with its remedy."""
    attributes = _attributes(header)
    parts = urlsplit(page)
    yield from _transport(attributes, parts.scheme, parts.hostname or "")
    for url, what in ((api, "the upload API"), (page, "the page")):
        if not _is_below(urlsplit(url).path or "/", attributes.get("path", "/")):
            yield (
                f"the cookie's path is {attributes['path']}, but the path of {what} is {urlsplit(url).path or '/'}",
                "Set SCRIPT_NAME to the application's public path, and configure proxies to keep the paths of cookies.",
            )
    domain = attributes.get("domain", "").lstrip(".").lower()
    if domain and not _is_of(parts.hostname or "", domain):
        yield f"browsers drop the cookie: its domain is {domain}", _PROXY.format("Domain")
    elif domain:
        yield f"browsers send the cookie to every host of {domain}", _PROXY.format("Domain")
    if "httponly" not in attributes:
        yield "scripts can read the cookie: it lacks HttpOnly", _PROXY.format("HttpOnly")
    if attributes.get("samesite", "").lower() != "strict":
        yield "other sites' requests carry the cookie: it lacks SameSite=Strict", _PROXY.format("SameSite")


def _attributes(header: str) -> dict[str, str]:
    pairs = (attribute.strip().partition("=") for attribute in header.split(";")[1:])
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _transport(attributes: dict[str, str], scheme: str, host: str) -> Iterator[tuple[str, str]]:
    if scheme == "https" and "secure" not in attributes:
        yield (
            "the cookie lacks Secure on an https page: the application sees wsgi.url_scheme 'http'",
            "Let the proxy send X-Forwarded-Proto and the application trust it (waitress: trusted_proxy; gunicorn: "
            "forwarded_allow_ips; Werkzeug: ProxyFix), so that wsgi.url_scheme is 'https'.",
        )
    if scheme == "http" and "secure" in attributes and host not in LOOPBACK:
        yield (
            "browsers drop the cookie: it is Secure, but the page is not https",
            "Serve the page over https, or correct wsgi.url_scheme to 'http'.",
        )


def _is_below(path: str, cookie_path: str) -> bool:
    """Tell whether a path matches a cookie's path (RFC 6265, 5.1.4)."""
    if not cookie_path.startswith("/"):
        return True  # browsers use the default path: the folder of the API's URL
    return path == cookie_path or path.startswith(cookie_path.rstrip("/") + "/")


def _is_of(host: str, domain: str) -> bool:
    """Tell whether a host matches a cookie's domain (RFC 6265, 5.1.3)."""
    return host == domain or host.endswith("." + domain)
