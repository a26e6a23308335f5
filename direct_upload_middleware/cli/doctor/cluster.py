"""What the doctor sees of a cluster by asking: credentials, clock, capabilities, containers, keys, quotas."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from ...storage.base import Seal
from ...storage.swift.admin import SwiftAdmin
from ...storage.swift.headers import ACCOUNT_KEYS, CONTAINER_KEYS, ORIGIN_HEADER, QUOTA
from ...storage.swift.provisioning import PINNED, STAGING
from .result import Result, failure, judge, ok, warning

SETUP = "Run direct-upload setup, or let the first upload do the same."
_EXPOSED = "X-Container-Meta-Access-Control-Expose-Headers"
_METHODS = {"GET", "HEAD", "PUT"}


def examine(admin: SwiftAdmin, origin: str, *, has_secret: bool, seal: Seal) -> Iterator[Result]:
    """Look only. Raises a DirectUploadError where not even that can be."""
    url = admin.client.login().storage_url
    yield ok("credentials", f"logged in; the account is at {url}")
    yield from _transport(url, origin)
    account = admin.headers_of() or {}
    yield _clock(admin)
    yield from _capabilities(admin.info())
    yield from _containers(admin, origin, has_secret=has_secret, seal=seal)
    yield _account_key(account)
    yield from _quotas(admin, account)


def _transport(url: str, origin: str) -> Iterator[Result]:
    mixed = origin.startswith("https:") and url.startswith("http:")
    host = urlsplit(url).hostname
    yield judge(
        "transport",
        not mixed,
        "browsers may go from your pages to Swift",
        f"pages under https may not send anything to http://{host}: browsers refuse mixed content",
        "Take the https endpoint of the object store from the catalog, or put TLS in front of it.",
    )


def _clock(admin: SwiftAdmin) -> Result:
    skew = admin.client.now() - int(time.time())
    if abs(skew) <= 30:
        return ok("clock", "this machine's clock and Swift's agree")
    return warning(
        "clock",
        f"Swift's clock is {abs(skew)} seconds {'ahead of' if skew > 0 else 'behind'} this machine's",
        "Run an NTP client on both. Temp URLs are signed by Swift's clock, tickets by this machine's.",
    )


def _capabilities(info: Any) -> Iterator[Result]:
    if info is None:
        yield warning(
            "info",
            "the provider does not answer /info: SHA-1 and the usual limits are taken for granted",
            "Ask the provider to expose it; uploads work without.",
        )
        return
    yield from _temp_url_capability(info.get("tempurl"))
    yield from _slo_capability(info.get("slo"))


def _temp_url_capability(tempurl: Any) -> Iterator[Result]:
    if tempurl is None:
        yield failure(
            "temp-urls", "the cluster has no temp URLs", "Ask for the tempurl middleware in Swift's pipeline."
        )
        return
    missing = _METHODS - set(tempurl.get("methods", _METHODS))
    yield judge(
        "temp-urls",
        not missing,
        "the cluster has temp URLs",
        f"temp URLs are not allowed for {', '.join(sorted(missing))}",
        "Ask for these in 'methods' of the tempurl middleware.",
    )
    digests = tempurl.get("allowed_digests", ["sha1"])
    if set(digests) & {"sha256", "sha512"}:
        yield ok("digests", f"temp URLs may be signed with {', '.join(digests)}")
    else:
        yield warning(
            "digests",
            "temp URLs can be signed with SHA-1 only",
            "Ask for sha256 in 'allowed_digests' of the tempurl middleware.",
        )


def _slo_capability(slo: Any) -> Iterator[Result]:
    if slo is None:
        yield failure(
            "slo", "the cluster has no static large objects", "Ask for the slo middleware in Swift's pipeline."
        )
        return
    segments = slo.get("max_manifest_segments", 1000)
    if segments >= 1000:
        yield ok("slo", f"a file may have {segments} segments")
    else:
        yield warning(
            "slo",
            f"a file may have no more than {segments} segments, so segments of large files are larger",
            "Ask for max_manifest_segments = 1000 in the slo middleware.",
        )


def _containers(admin: SwiftAdmin, origin: str, *, has_secret: bool, seal: Seal) -> Iterator[Result]:
    written = {admin.staging: STAGING, **({admin.pinned: PINNED} if seal == "pin" else {})}
    for container in (admin.container, *written):
        headers = admin.headers_of(container)
        if headers is None:
            yield warning("containers", f"there is no container {container}", SETUP)
        elif container in written:
            yield from _cors(container, headers, origin)
            if has_secret:
                yield _secret(container, headers, admin.keys.derive(*written[container]))


def _secret(container: str, headers: Mapping[str, str], key: str) -> Result:
    keys = [headers[name] for name in CONTAINER_KEYS if headers.get(name)]
    if not keys:
        return warning("secret", f"{container} has no temp URL key", SETUP)
    return judge(
        "secret",
        key in keys,
        f"the secret is the one that {container} has its key from",
        f"{container} has no key of this secret: its temp URLs would be refused",
        "Give every process the same secret; if it has just been changed, run direct-upload rotate-key.",
    )


def _cors(container: str, headers: Mapping[str, str], origin: str) -> Iterator[Result]:
    origins = headers.get(ORIGIN_HEADER, "").split()
    if origin in origins or "*" in origins:
        yield ok("cors-origin", f"{container} lets pages of {' '.join(origins)} use it")
    else:
        yield warning("cors-origin", f"{container} does not let pages of {origin} use it", SETUP)
    exposed = headers.get(_EXPOSED, "").lower().split()
    if origins:
        yield judge(
            "cors-headers",
            "etag" in exposed,
            "pages may read the ETag of what they sent",
            f"{container} does not expose the ETag header to pages",
            f"Remove {ORIGIN_HEADER} from the container, then run direct-upload setup.",
        )


def _account_key(account: Mapping[str, str]) -> Result:
    if any(account.get(name) for name in ACCOUNT_KEYS):
        return ok("account-key", "the account has a temp URL key, which signs downloads")
    return warning("account-key", "the account has no temp URL key for downloads", SETUP)


def _quotas(admin: SwiftAdmin, account: Mapping[str, str]) -> Iterator[Result]:
    limits = [("the account", account, "X-Account-Meta-Quota-Bytes", "X-Account-Bytes-Used")]
    for container in (admin.container, admin.staging):
        limits.append((container, admin.headers_of(container) or {}, QUOTA, "X-Container-Bytes-Used"))
    for place, headers, quota, used in limits:
        if headers.get(quota):
            left = int(headers[quota]) - int(headers.get(used, 0))
            yield judge(
                "quota",
                left >= 1024**2,
                f"{place} has room for {left} bytes",
                f"the quota of {place} leaves room for {max(0, left)} bytes",
                "Raise the quota (direct-upload setup --quota), or sweep and delete.",
            )
