"""Read and extend a page's Content-Security-Policy (https://www.w3.org/TR/CSP3/).

The script tag uses a nonce that the policies already contain, and the storage's origin joins ``connect-src``. Nothing
else changes. Pure functions over response headers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import SplitResult, urlsplit

_ENFORCED: Final = "content-security-policy"
_FIELDS: Final = frozenset({_ENFORCED, "content-security-policy-report-only"})
_SPACE: Final = "\t\n\f\r "
_NONCE: Final = re.compile(r"'nonce-([A-Za-z0-9+/_-]+={0,2})'", re.IGNORECASE)
_NONE: Final = re.compile(r"\s+'none'(?!\S)", re.IGNORECASE)
_HOST: Final = re.compile(r"(?:(?P<scheme>[a-z][a-z0-9+.-]*)://)?(?P<host>[^:/]+)(?::(?P<port>[0-9]+|\*))?/?", re.I)
_PORTS: Final = {"http": 80, "https": 443}


def is_policy(name: str) -> bool:
    """Return whether a header with this name contains a policy, enforced or report-only."""
    return name.lower() in _FIELDS


def has_policy(headers: list[tuple[str, str]]) -> bool:
    """Return whether a header contains a policy, enforced or report-only."""
    return any(is_policy(name) for name, _ in headers)


def find_nonce(headers: list[tuple[str, str]]) -> str | None:
    """Return the nonce for the script tag, which can have only one.

    The nonce satisfies as many enforced policies as possible, and then as many report-only policies as possible.
    """
    offered = [
        (nonce, name.lower() == _ENFORCED)
        for name, policy in _iterate_policies(headers)
        for nonce in dict.fromkeys(_find_nonces(policy))
    ]

    def count(nonce: str) -> tuple[int, int]:
        return offered.count((nonce, True)), offered.count((nonce, False))

    return max((nonce for nonce, _ in offered), key=count, default=None)


def allow_origin(headers: list[tuple[str, str]], origin: str) -> list[tuple[str, str]]:
    """Return the headers with the origin added to ``connect-src`` of every policy that would block it.

    :param origin: such as ``https://swift.example.com``, with its port unless that is the default of the scheme.
    """
    return [
        (name, ",".join(_extend(policy, origin) for policy in value.split(",")) if is_policy(name) else value)
        for name, value in headers
    ]


def allows_script(headers: list[tuple[str, str]], script: str, page_origin: str, nonce: str) -> bool:
    """Return whether every policy lets a page run a script.

    :param script: its URL.
    :param nonce: the nonce of its tag, ``""`` without one.
    """
    return all(
        _allows_script(policy.split(";"), script, page_origin, nonce) for _, policy in _iterate_policies(headers)
    )


def _allows_script(directives: list[str], script: str, page_origin: str, nonce: str) -> bool:
    sources = _find_sources(directives, "script-src-elem", "script-src", "default-src")
    if sources is None or (nonce and f"'nonce-{nonce}'" in sources):
        return True
    return "'strict-dynamic'" not in sources and _matches_any(sources, script, page_origin)


def allows_workers(headers: list[tuple[str, str]], script: str, page_origin: str) -> bool:
    """Return whether every policy lets a script start workers from the folder of its own URL."""
    names = ("worker-src", "child-src", "script-src", "default-src")
    found = (_find_sources(policy.split(";"), *names) for _, policy in _iterate_policies(headers))
    return all(
        sources is None or "'strict-dynamic'" in sources or _matches_any(sources, script, page_origin)
        for sources in found
    )


def _find_sources(directives: list[str], *names: str) -> list[str] | None:
    """Return the sources of the effective directive, None when the policy does not have one of these names."""
    index = _find_effective(directives, *names)
    return None if index is None else directives[index].split()[1:]


def _matches_any(sources: list[str], url: str, page_origin: str) -> bool:
    parts = urlsplit(url)
    is_own = f"{parts.scheme}://{parts.netloc}" == page_origin and "'self'" in [source.lower() for source in sources]
    return is_own or any(_matches(source, parts) for source in sources)


def _iterate_policies(headers: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for name, value in headers:
        if is_policy(name):
            for policy in value.split(","):
                yield name, policy


def _find_nonces(policy: str) -> list[str]:
    sources = _find_sources(policy.split(";"), "script-src-elem", "script-src", "default-src") or []
    return [match[1] for match in map(_NONCE.fullmatch, sources) if match]


def _extend(policy: str, origin: str) -> str:
    directives = policy.split(";")
    index = _find_effective(directives, "connect-src", "default-src")
    if index is None or any(_matches(source, urlsplit(origin)) for source in directives[index].split()[1:]):
        return policy
    text = directives[index].strip(_SPACE)
    extended = f"{_NONE.sub('', text)} {origin}"  # 'none' is valid only as the single source
    if text.lower().startswith("default-src"):
        return f"{policy.rstrip(_SPACE + ';')}; connect-src{extended[len('default-src') :]}"
    directives[index] = directives[index].replace(text, extended, 1)
    return ";".join(directives)


def _find_effective(directives: list[str], *names: str) -> int | None:
    """Return the index of the directive that applies: the first of these names, and the first directive of a name."""
    found = [(directive.split() or [""])[0].lower() for directive in directives]
    return next((found.index(name) for name in names if name in found), None)


def _matches(source: str, origin: SplitResult) -> bool:
    """Return whether a source allows a whole origin, for pages of http and https."""
    source = source.lower()
    if source in ("*", f"{origin.scheme}:") or (source == "http:" and origin.scheme == "https"):
        return True
    match = _HOST.fullmatch(source)
    return match is not None and _matches_scheme_and_port(match, origin) and _matches_host(match["host"], origin)


def _matches_scheme_and_port(source: re.Match[str], origin: SplitResult) -> bool:
    scheme = source["scheme"] or "https"  # a source without a scheme takes the page's, and that may be https
    if scheme != origin.scheme and (scheme, origin.scheme) != ("http", "https"):
        return False
    default = _PORTS.get(origin.scheme)
    return source["port"] == "*" or int(source["port"] or default or 0) == (origin.port or default)


def _matches_host(host: str, origin: SplitResult) -> bool:
    name = origin.hostname or ""
    return name.endswith(host[1:]) if host.startswith("*.") else host in (name, "*")
