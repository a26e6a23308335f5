"""What an upload needs of a page's Content-Security-Policy (https://www.w3.org/TR/CSP3/), and nothing more.

The script tag takes the nonce that the policies already name; the storage's origin joins ``connect-src``. Pure
functions over response headers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import SplitResult, urlsplit

_FIELDS: Final = frozenset({"content-security-policy", "content-security-policy-report-only"})
_SPACE: Final = "\t\n\f\r "
_NONCE: Final = re.compile(r"'nonce-([A-Za-z0-9+/_-]+={0,2})'", re.IGNORECASE)
_NONE: Final = re.compile(r"\s+'none'(?!\S)", re.IGNORECASE)
_HOST: Final = re.compile(r"(?:(?P<scheme>[a-z][a-z0-9+.-]*)://)?(?P<host>[^:/]+)(?::(?P<port>[0-9]+|\*))?/?", re.I)
_PORTS: Final = {"http": 80, "https": 443}


def has_policy(headers: list[tuple[str, str]]) -> bool:
    return any(name.lower() in _FIELDS for name, _ in headers)


def nonce(headers: list[tuple[str, str]]) -> str | None:
    """The nonce with which most of the policies let a script run: a script can have only one."""
    offered = [offer for policy in _policies(headers) for offer in dict.fromkeys(_nonces(policy))]
    return max(offered, key=offered.count, default=None)


def allow(headers: list[tuple[str, str]], origin: str) -> list[tuple[str, str]]:
    """The headers, with this origin in ``connect-src`` of every policy that would refuse it; the rest stays as it is.

    :param origin: ``https://swift.example.com``, with a port where it is not the scheme's own.
    """
    return [
        (name, ",".join(_allow(policy, origin) for policy in value.split(",")) if name.lower() in _FIELDS else value)
        for name, value in headers
    ]


def lets_run(headers: list[tuple[str, str]], script: str, page_origin: str, nonce: str) -> bool:
    """Whether every policy lets a page run the script at a URL, whose tag has this nonce ("" for none)."""
    return all(_lets_run(policy.split(";"), script, page_origin, nonce) for policy in _policies(headers))


def _lets_run(directives: list[str], script: str, page_origin: str, nonce: str) -> bool:
    sources = _sources(directives, "script-src-elem", "script-src", "default-src")
    if sources is None or (nonce and f"'nonce-{nonce}'" in sources):
        return True
    return "'strict-dynamic'" not in sources and _is_source(sources, script, page_origin)


def lets_work(headers: list[tuple[str, str]], script: str, page_origin: str) -> bool:
    """Whether every policy lets the script start workers from beside itself."""
    governed = ("worker-src", "child-src", "script-src", "default-src")
    found = (_sources(policy.split(";"), *governed) for policy in _policies(headers))
    return all(
        sources is None or "'strict-dynamic'" in sources or _is_source(sources, script, page_origin)
        for sources in found
    )


def _sources(directives: list[str], *names: str) -> list[str] | None:
    """What the governing directive lists; None where there is none."""
    index = _governing(directives, *names)
    return None if index is None else directives[index].split()[1:]


def _is_source(sources: list[str], url: str, page_origin: str) -> bool:
    parts = urlsplit(url)
    is_own = f"{parts.scheme}://{parts.netloc}" == page_origin and "'self'" in [source.lower() for source in sources]
    return is_own or any(_covers(source, parts) for source in sources)


def _policies(headers: list[tuple[str, str]]) -> Iterator[str]:
    for name, value in headers:
        if name.lower() in _FIELDS:
            yield from value.split(",")


def _nonces(policy: str) -> list[str]:
    governing = _governing(policy.split(";"), "script-src-elem", "script-src", "default-src")
    sources = policy.split(";")[governing].split() if governing is not None else []
    return [match[1] for match in map(_NONCE.fullmatch, sources) if match]


def _allow(policy: str, origin: str) -> str:
    directives = policy.split(";")
    index = _governing(directives, "connect-src", "default-src")
    if index is None or any(_covers(source, urlsplit(origin)) for source in directives[index].split()[1:]):
        return policy
    text = directives[index].strip(_SPACE)
    allowing = f"{_NONE.sub('', text)} {origin}"  # 'none' means something only alone
    if text.lower().startswith("default-src"):
        return f"{policy.rstrip(_SPACE + ';')}; connect-src{allowing[len('default-src') :]}"
    directives[index] = directives[index].replace(text, allowing, 1)
    return ";".join(directives)


def _governing(directives: list[str], *names: str) -> int | None:
    """Where the directive is that is asked first, of those there are; of two with one name the first is meant."""
    found = [(directive.split() or [""])[0].lower() for directive in directives]
    return next((found.index(name) for name in names if name in found), None)


def _covers(source: str, origin: SplitResult) -> bool:
    """Whether a source lets all of an origin pass, from a page of whatever scheme."""
    source = source.lower()
    if source in ("*", f"{origin.scheme}:") or (source == "http:" and origin.scheme == "https"):
        return True
    match = _HOST.fullmatch(source)
    return match is not None and _covers_scheme_and_port(match, origin) and _covers_host(match["host"], origin)


def _covers_scheme_and_port(source: re.Match[str], origin: SplitResult) -> bool:
    scheme = source["scheme"] or "https"  # without one it is the page's, and https is always more
    if scheme != origin.scheme and (scheme, origin.scheme) != ("http", "https"):
        return False
    default = _PORTS.get(origin.scheme)
    return source["port"] == "*" or int(source["port"] or default or 0) == (origin.port or default)


def _covers_host(host: str, origin: SplitResult) -> bool:
    name = origin.hostname or ""
    return name.endswith(host[1:]) if host.startswith("*.") else host in (name, "*")
