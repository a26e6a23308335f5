"""What the bucket must have: the capabilities, and CORS for the pages that upload.

The capabilities are probed on first use and remembered as long as the process lives. An origin joins the bucket's CORS
rules when it first begins an upload, where the credentials may change them; ``direct-upload setup`` does it ahead.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from ...errors import StorageError
from .capabilities import Probe
from .client import Refusal, S3Client

log = logging.getLogger(__name__)

CORS_ID = "direct-upload"
METHODS = ("PUT", "GET", "HEAD")
EXPOSED = ("ETag", "Date", "Retry-After", "x-amz-request-id")
CORS_MAX_AGE = 3600
MAX_ORIGIN_BYTES = 255
_NO_CORS = ("NoSuchCORSConfiguration", "404")
_DENIED = ("403", "405", "501", "NotImplemented", "AccessDenied")


@dataclass(frozen=True, slots=True)
class Server:
    """Facts about the server: whether Complete honours ``If-None-Match``, and whether the bucket is versioned."""

    has_conditional_complete: bool
    is_versioned: bool


class Provisioning:
    """Probes one bucket, and keeps its CORS rules."""

    def __init__(self, client: S3Client, prefix: str, *, signs_copy_source: bool) -> None:
        self._client = client
        self._prefix = prefix
        self._signs_copy_source = signs_copy_source
        self._lock = threading.Lock()
        self._server: Server | None = None
        self._origins: set[str] = set()

    def server(self) -> Server:
        """Return the facts; probe the server on first use. Raise StorageError if it is refused."""
        if self._server is None:
            with self._lock:
                if self._server is None:
                    self._server = self._find_out()
        return self._server

    def probe(self) -> Probe:
        """Return a new trial of the server."""
        return Probe(self._client, self._prefix, signs_copy_source=self._signs_copy_source)

    def _find_out(self) -> Server:
        found = {}
        for capability in self.probe().results():
            capability.check()
            found[capability.name] = capability.is_there
        server = Server(found["conditional-complete"], self.is_versioned())
        if server.is_versioned:
            bucket = {"s3_bucket": self._client.bucket}
            log.warning("a bucket is versioned: what is deleted stays there as an old version", extra=bucket)
        return server

    def is_versioned(self) -> bool:
        """Return whether the bucket keeps what is deleted; False if the credentials may not ask."""
        try:
            answer = self._client.call("get_bucket_versioning", expect=(*_DENIED, "404"))
        except Refusal:
            return False
        return bool(answer.get("Status"))

    # -- CORS ----------------------------------------------------------------------------------------------------

    def allow_origin(self, origin: str) -> None:
        """Let pages of this origin use the bucket, if the credentials permit it."""
        if origin in self._origins or len(origin.encode()) > MAX_ORIGIN_BYTES:
            return
        with self._lock:
            try:
                rules = self.cors_rules()
                if not allows(rules, origin):
                    self.put_cors_rules(with_origins(rules, [origin]))
                    fields = {"s3_bucket": self._client.bucket, "s3_origin": origin}
                    log.info("pages of an origin may use a bucket", extra=fields)
            except (Refusal, StorageError):
                log.warning(
                    "the CORS rules of a bucket cannot be read or changed: if browsers cannot upload, run "
                    "direct-upload setup with an operator's credentials",
                    extra={"s3_bucket": self._client.bucket, "s3_origin": origin},
                )
            self._origins.add(origin)

    def cors_rules(self) -> list[dict[str, Any]]:
        """Return the bucket's CORS rules. Raise Refusal if they cannot be read."""
        try:
            rules: list[dict[str, Any]] = self._client.call("get_bucket_cors", expect=(*_NO_CORS, *_DENIED))[
                "CORSRules"
            ]
        except Refusal as refusal:
            if refusal.code in _NO_CORS:
                return []
            raise
        return rules

    def put_cors_rules(self, rules: Sequence[dict[str, Any]]) -> None:
        """Replace the bucket's CORS rules. Raise Refusal if that is not permitted."""
        self._client.call("put_bucket_cors", expect=_DENIED, CORSConfiguration={"CORSRules": list(rules)})


def allows(rules: Sequence[dict[str, Any]], origin: str) -> bool:
    """Return whether a rule lets pages of this origin send parts with their checksums and read the ETags."""
    return any(
        any(fnmatchcase(origin, pattern) for pattern in rule.get("AllowedOrigins", ()))
        and set(METHODS) <= set(rule.get("AllowedMethods", ()))
        and "*" in rule.get("AllowedHeaders", ())
        and "etag" in [name.lower() for name in rule.get("ExposeHeaders", ())]
        for rule in rules
    )


def with_origins(rules: Sequence[dict[str, Any]], origins: Sequence[str]) -> list[dict[str, Any]]:
    """Return the rules with these origins added to ours. Rules of others stay as they are."""
    others = [rule for rule in rules if rule.get("ID") != CORS_ID]
    ours = [origin for rule in rules if rule.get("ID") == CORS_ID for origin in rule["AllowedOrigins"]]
    rule = {
        "ID": CORS_ID,
        "AllowedOrigins": list(dict.fromkeys((*ours, *origins))),
        "AllowedMethods": list(METHODS),
        "AllowedHeaders": ["*"],
        "ExposeHeaders": list(EXPOSED),
        "MaxAgeSeconds": CORS_MAX_AGE,
    }
    return [*others, rule]
