"""Checks that upload, copy and download like a browser and the middleware, in a temporary container."""

from __future__ import annotations

import secrets
import time
from collections.abc import Generator, Iterator, Mapping
from hashlib import md5
from typing import Any

import requests

from ...errors import StorageError
from ...storage.base import Seal
from ...storage.swift.admin import SwiftAdmin
from ...storage.swift.cluster.capabilities import REFUSED
from ...storage.swift.cluster.metadata import cors_headers
from ...storage.swift.final_objects import copy_conditions
from ...storage.swift.headers import ACCOUNT_KEYS, CONTAINER_KEYS
from ...storage.swift.manifests import ManifestEntry, manifest_body
from ...storage.swift.signing import temp_url
from .capabilities import examine_capabilities
from .result import Result, failure, judge, ok, warning

FOREIGN_ORIGIN = "https://foreign.example.invalid"
DATA = b"direct-upload doctor\n"
ETAG = md5(DATA, usedforsecurity=False).hexdigest()
FILENAME = "your mom's jokes ü.pdf"
REVOCATION_PATIENCE = 90
PIPELINE = (
    "In Swift's pipeline, tempurl must come before the authentication, and Keystone's [filter:authtoken] needs "
    "delay_auth_decision = true."
)
CONNECTIONS = 20
"""New connections that have to agree before a key counts as removed from every proxy."""
_PIN = "its limits are under Operations, 'Where containers have no keys'."


class RoundTrip:
    """One round trip.

    :param seal: the middleware's option of that name.
    :param patience: how many seconds to wait for a revoked key to end.
    """

    def __init__(self, admin: SwiftAdmin, origin: str, *, seal: Seal, patience: float = REVOCATION_PATIENCE) -> None:
        self._admin = admin
        self._origin = origin
        self._seal = seal
        self._digest = admin.digest()
        self._patience = patience
        self._container = f"{admin.container}_doctor_{secrets.token_hex(8)}"
        self._key = self._container_key = secrets.token_hex(32)
        self._has_container_keys = True

    def results(self) -> Iterator[Result]:
        """Yield the result of each check; remove the temporary container in any case."""
        try:
            headers = {CONTAINER_KEYS[0]: self._key, **cors_headers(self._origin)}
            try:
                self._request("PUT", self._container, headers=headers, expect=(201, 202))
            except StorageError as error:
                remedy = "Use credentials that may create containers."
                yield failure("permissions", f"creating a container failed: {error}", remedy)
                return
            yield ok("permissions", "the credentials may create containers")
            yield from self._preflights()
            if not (yield from self._puts()):
                return
            yield from examine_capabilities(
                self._admin.client, self._container, self._container_key, self._account_key() or "", self._digest
            )
            yield from self._copies()
            yield from self._large_object()
            yield from self._download()
            if self._has_container_keys:
                yield self._revocation()
        finally:
            self._clean_up()

    def _request(self, method: str, *path: str, **request: Any) -> requests.Response:
        return self._admin.client.request(method, *path, **request)

    def _temp_url(self, method: str, name: str, key: str | None = None, ttl: int = 300, **more: Any) -> str:
        client = self._admin.client
        options = {"expires": client.now() + ttl, "digest": self._digest, **more}
        return temp_url(client, key or self._key, method, self._container, name, **options)

    def _send(self, url: str, method: str = "PUT", **headers: str) -> requests.Response:
        """Send a request like a page of the origin."""
        sent = {"Origin": self._origin, **{name.replace("_", "-"): value for name, value in headers.items()}}
        data = DATA if method == "PUT" else None
        return self._request(method, url=url, anonymous=True, data=data, headers=sent, expect=range(200, 600))

    def _account_key(self) -> str | None:
        account: Mapping[str, str] = self._admin.headers_of() or {}
        return next((account[name] for name in ACCOUNT_KEYS if account.get(name)), None)

    def _preflights(self) -> Iterator[Result]:
        asked = {"Access_Control_Request_Method": "PUT", "Access_Control_Request_Headers": "etag,content-type"}
        url = self._temp_url("PUT", "preflight")
        answer = self._send(url, "OPTIONS", **asked)
        allowed = answer.headers.get("Access-Control-Allow-Origin", "")
        yield judge(
            "preflight",
            answer.status_code == 200 and allowed in (self._origin, "*"),
            f"Swift accepts uploads from pages of {self._origin}",
            f"Swift answers {answer.status_code} to a preflight request from {self._origin}",
            f"Let the proxy in front of Swift pass on OPTIONS requests and Access-Control-* headers. {PIPELINE}",
        )
        foreign = self._send(url, "OPTIONS", **asked, Origin=FOREIGN_ORIGIN)
        if foreign.status_code == 200:
            yield warning(
                "preflight-foreign",
                "Swift accepts uploads from pages of every origin",
                "This comes from the cluster's cors_allow_origin. It does no harm: signatures protect the objects.",
            )
        else:
            yield ok("preflight-foreign", "Swift refuses uploads from pages of other origins")

    def _puts(self) -> Generator[Result, None, bool]:
        """Upload with temp URLs; return whether they work at all."""
        good = self._send(self._temp_url("PUT", "good"), ETag=ETAG)
        if good.status_code in REFUSED:
            good = yield from self._put_by_account(good)
        works = good.status_code == 201
        yield judge(
            "put",
            works,
            f"uploading with a temp URL works ({good.elapsed.total_seconds() * 1000:.0f} ms)",
            f"Swift answers {good.status_code} to a PUT with a temp URL",
            f"Check quotas and the clock. {PIPELINE}",
        )
        if not works:
            return False
        if self._has_container_keys:
            yield ok("container-keys", "containers have their own temp URL keys")
        exposed = good.headers.get("Access-Control-Expose-Headers", "").lower()
        yield judge(
            "exposed-headers",
            "etag" in exposed and "Access-Control-Allow-Origin" in good.headers,
            "pages can read Swift's answers and their ETag",
            "pages cannot read Swift's answers: CORS headers are missing",
            "Configure the proxy in front of Swift to pass on Access-Control-* headers.",
        )
        yield self._refused("signature", 401, self._temp_url("PUT", "bad", key="wrong"), "a wrong signature")
        yield self._refused("expiry", 401, self._temp_url("PUT", "bad", ttl=-60), "an expired temp URL")
        yield self._refused("checksum", 422, self._temp_url("PUT", "bad"), "a damaged file", ETag="0" * 32)
        yield self._refused(
            "ip-range", 401, self._temp_url("PUT", "bad", ip_range="192.0.2.1"), "a PUT from another address"
        )
        return True

    def _put_by_account(self, refused: requests.Response) -> Generator[Result, None, requests.Response]:
        """Retry with the account's key, and return its answer if that works; else return ``refused``."""
        key = self._account_key()
        answer = self._send(self._temp_url("PUT", "good", key=key), ETag=ETAG) if key else refused
        if key is None or answer.status_code in REFUSED:
            return refused
        self._key, self._has_container_keys = key, False
        if self._seal == "pin":
            detail = "this cluster has no container temp URL keys: uploads are signed with the account's key"
            yield warning("container-keys", detail, f"This cannot be fixed with seal='pin'; {_PIN}")
        else:
            detail = "this cluster has no container temp URL keys, which seal='revoke' needs"
            yield failure("container-keys", detail, f"Use seal='pin' (here: --seal pin); {_PIN}")
        return answer

    def _refused(self, check: str, status: int, url: str, what: str, **headers: str) -> Result:
        answer = self._send(url, **headers)
        remedy = {
            "checksum": "A proxy in front of Swift drops the ETag header of PUT requests. Configure it to keep it.",
            "ip-range": "Do not use bind_ip: the cluster lacks temp_url_ip_range, or sees a proxy's address.",
        }
        return judge(
            check,
            answer.status_code == status,
            f"Swift refuses {what}",
            f"Swift answers {answer.status_code} instead of {status} to {what}",
            remedy.get(check, "Check the tempurl middleware, and the proxies in front of Swift."),
        )

    def _copy(self, name: str, etag: str, **headers: str) -> int:
        sent = {"X-Copy-From": f"/{self._container}/good", **copy_conditions(etag), **headers}
        expect = range(200, 500)
        return self._request("PUT", self._container, name, headers=sent, data=b"", expect=expect).status_code

    def _copies(self) -> Iterator[Result]:
        remedy = (
            "Ask the provider for Swift's copy middleware: without it, a sealed file may differ from what was sent."
        )
        good, wrong = self._copy("copy", ETAG), self._copy("copy-bad", "0" * 32)
        yield judge(
            "copy",
            (good, wrong) == (201, 412),
            "server-side copies honour If-Match",
            f"a copy answers {good} to a right and {wrong} to a wrong If-Match, instead of 201 and 412",
            remedy,
        )
        headers = {"X-Object-Meta-Doctor": "1"}
        self._request("POST", self._container, "good", headers=headers, expect=range(200, 500))
        self._copy("copy-fresh", ETAG, **{"X-Fresh-Metadata": "true"})
        copied = self._request("HEAD", self._container, "copy-fresh", expect=range(200, 500)).headers
        yield judge(
            "copy-metadata",
            "X-Object-Meta-Doctor" not in copied,
            "server-side copies drop the uploader's headers",
            "server-side copies keep the uploader's headers in spite of X-Fresh-Metadata",
            remedy,
        )

    def _large_object(self) -> Iterator[Result]:
        for name in ("1", "2"):
            self._request("PUT", self._container, name, data=DATA, expect=(201,))
        wrong, good = self._manifest("0" * 32), self._manifest(ETAG)
        yield judge(
            "slo-manifest",
            (wrong, good) == (400, 201),
            "Swift verifies the segments of a large object",
            f"Swift answers {good} to a right and {wrong} to a wrong manifest, instead of 201 and 400",
            "Ask the provider for Swift's slo middleware.",
        )

    def _manifest(self, etag: str) -> int:
        body = manifest_body([ManifestEntry(f"/{self._container}/{name}", etag, len(DATA)) for name in ("1", "2")])
        params = {"multipart-manifest": "put"}
        answer = self._request("PUT", self._container, "large", params=params, data=body, expect=range(200, 500))
        return answer.status_code

    def _download(self) -> Iterator[Result]:
        key = self._account_key()
        if key is None:
            return
        answer = self._send(self._temp_url("GET", "copy", key=key, filename=FILENAME), "GET")
        yield judge(
            "download",
            answer.status_code == 200 and answer.content == DATA,
            f"downloading with a temp URL works ({answer.elapsed.total_seconds() * 1000:.0f} ms to the first byte)",
            f"Swift answers {answer.status_code} to a download signed with the account's key",
            "Run direct-upload rotate-key. If another program sets the account's key, let it use the second one.",
        )
        disposition = answer.headers.get("Content-Disposition", "")
        yield judge(
            "download-name",
            "filename*=UTF-8''your%20mom" in disposition,
            "downloads keep their original names",
            "a download lost its original name",
            "A proxy in front of Swift drops Content-Disposition or the query's 'filename'. Configure it to keep them.",
        )

    def _revocation(self) -> Result:
        """Remove the key, and find the proxy that notices it last.

        Each request has a connection of its own, so that a load balancer may choose another proxy. First all of them
        get to know the container: only what a proxy remembers can be out of date.
        """
        url = self._temp_url("PUT", "good")
        for _ in range(CONNECTIONS):
            self._send(url, Connection="close")
        self._request("POST", self._container, headers={CONTAINER_KEYS[0]: ""}, expect=(204,))
        since = last = time.monotonic()
        refused = 0
        while refused < CONNECTIONS:
            if self._send(url, Connection="close").status_code == 401:
                refused += 1
                continue
            refused, last = 0, time.monotonic()
            if last - since > self._patience:
                return failure(
                    "revocation",
                    f"temp URLs still work {self._patience:.0f} seconds after their key was removed",
                    "Let all of Swift's proxies share one memcached, and cache containers for one minute at most.",
                )
            time.sleep(0.1)
        return self._judge_revocation(last - since)

    def _judge_revocation(self, seconds: float) -> Result:
        if seconds < 5:
            return ok(
                "revocation",
                f"temp URLs stop working {seconds:.1f} seconds after their key is removed, on {CONNECTIONS} "
                "connections in a row; a proxy that none of them reached may take up to a minute",
            )
        return warning(
            "revocation",
            f"temp URLs still work {seconds:.0f} seconds after their key was removed",
            "Let all of Swift's proxies share one memcached. Until a URL ends, its holder can break the download.",
        )

    def _clean_up(self) -> None:
        response = self._request("GET", self._container, params={"format": "json"}, expect=range(200, 500))
        for item in response.json() if response.status_code == 200 else []:
            self._request("DELETE", self._container, item["name"], expect=range(200, 500))
        self._request("DELETE", self._container, expect=range(200, 500))
