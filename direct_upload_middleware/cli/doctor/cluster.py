"""Checks that only read: credentials, transport, clock, capabilities, containers, keys and quotas of a cluster."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from ...storage.base import Seal
from ...storage.swift.admin import SwiftAdmin
from ...storage.swift.cluster.provisioning import PINNED, STAGING
from ...storage.swift.headers import ACCOUNT_KEYS, CONTAINER_KEYS, ORIGIN_HEADER, QUOTA
from .result import Result, failure, judge, ok, warning

SETUP = "Run direct-upload setup; otherwise the first upload does the same."
_EXPOSED = "X-Container-Meta-Access-Control-Expose-Headers"
_METHODS = {"GET", "HEAD", "PUT"}


def examine(admin: SwiftAdmin, origin: str, *, has_secret: bool, seal: Seal) -> Iterator[Result]:
    """Check the cluster without changing anything; raise DirectUploadError when it cannot be read."""
    url = admin.client.login().storage_url
    yield ok("credentials", f"logged in to the account {url}")
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
        "browsers allow requests from your pages to Swift",
        f"browsers block requests from https pages to http://{host} (mixed content)",
        "Use Swift's https endpoint, or put a TLS proxy in front of Swift.",
    )


def _clock(admin: SwiftAdmin) -> Result:
    skew = admin.client.now() - int(time.time())
    if abs(skew) <= 30:
        return ok("clock", "the clocks of this machine and of Swift agree")
    return warning(
        "clock",
        f"Swift's clock is {abs(skew)} seconds {'ahead of' if skew > 0 else 'behind'} this machine's",
        "Run an NTP client on both. Temp URLs expire by Swift's clock, tickets by this machine's.",
    )


def _capabilities(info: Any) -> Iterator[Result]:
    if info is None:
        yield warning(
            "info",
            "the provider does not answer /info, so the middleware assumes SHA-1 and Swift's default limits",
            "Ask the provider to expose /info. Uploads work without it.",
        )
        return
    yield from _temp_url_capability(info.get("tempurl"))
    yield from _slo_capability(info.get("slo"))


def _temp_url_capability(tempurl: Any) -> Iterator[Result]:
    if tempurl is None:
        yield failure(
            "temp-urls", "the cluster has no temp URLs", "Ask the provider to add tempurl to Swift's pipeline."
        )
        return
    missing = _METHODS - set(tempurl.get("methods", _METHODS))
    yield judge(
        "temp-urls",
        not missing,
        "the cluster has temp URLs",
        f"temp URLs are not allowed for {', '.join(sorted(missing))}",
        "Ask the provider to add these to 'methods' of the tempurl middleware.",
    )
    digests = tempurl.get("allowed_digests", ["sha1"])
    if set(digests) & {"sha256", "sha512"}:
        yield ok("digests", f"temp URLs may be signed with {', '.join(digests)}")
    else:
        yield warning(
            "digests",
            "temp URLs can be signed with SHA-1 only",
            "Ask the provider to add sha256 to 'allowed_digests' of the tempurl middleware.",
        )


def _slo_capability(slo: Any) -> Iterator[Result]:
    if slo is None:
        yield failure(
            "slo", "the cluster has no static large objects", "Ask the provider to add slo to Swift's pipeline."
        )
        return
    segments = slo.get("max_manifest_segments", 1000)
    if segments >= 1000:
        yield ok("slo", f"a file may have {segments} segments")
    else:
        yield warning(
            "slo",
            f"a file may have only {segments} segments, so large files need larger segments",
            "Ask the provider for max_manifest_segments = 1000 in the slo middleware.",
        )


def _containers(admin: SwiftAdmin, origin: str, *, has_secret: bool, seal: Seal) -> Iterator[Result]:
    written = {admin.staging: STAGING, **({admin.pinned: PINNED} if seal == "pin" else {})}
    for container in (admin.container, *written):
        headers = admin.headers_of(container)
        if headers is None:
            yield warning("containers", f"the container {container} does not exist", SETUP)
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
        f"the temp URL key of {container} comes from this secret",
        f"the temp URL key of {container} comes from another secret: uploads would be refused",
        "Give every process the same secret. After changing it, run direct-upload rotate-key.",
    )


def _cors(container: str, headers: Mapping[str, str], origin: str) -> Iterator[Result]:
    origins = headers.get(ORIGIN_HEADER, "").split()
    if origin in origins or "*" in origins:
        yield ok("cors-origin", f"{container} allows pages of {' '.join(origins)}")
    else:
        yield warning("cors-origin", f"{container} does not allow pages of {origin}", SETUP)
    exposed = headers.get(_EXPOSED, "").lower().split()
    if origins:
        yield judge(
            "cors-headers",
            "etag" in exposed,
            f"{container} exposes the ETag header to pages",
            f"{container} does not expose the ETag header to pages",
            f"Remove {ORIGIN_HEADER} from the container, then run direct-upload setup.",
        )


def _account_key(account: Mapping[str, str]) -> Result:
    if any(account.get(name) for name in ACCOUNT_KEYS):
        return ok("account-key", "the account has a temp URL key for downloads")
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
                f"the quota of {place} leaves {left} bytes",
                f"the quota of {place} leaves only {max(0, left)} bytes",
                "Raise the quota (direct-upload setup --quota), or free space: direct-upload sweep.",
            )
