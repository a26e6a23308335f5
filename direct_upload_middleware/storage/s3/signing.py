"""Presigned URLs of AWS Signature Version 4. Pure: no clock, no I/O.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

LONGEST_TTL = 7 * 86400
_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Signer:
    """The credentials and the address of presigned URLs. ``base`` is the URL of the bucket, with a slash at its end."""

    base: str
    region: str
    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(repr=False)


def presigned_url(
    signer: Signer,
    method: str,
    key: str,
    query: Mapping[str, str],
    *,
    now: int,
    ttl: int,
    headers: Mapping[str, str] | None = None,
) -> str:
    """Return the URL for one request, valid for ``ttl`` seconds (at most a week) from ``now`` (Unix seconds).

    :param query: further parameters, which the URL gets and the signature covers.
    :param headers: headers, by names in lower case, that the request must have with exactly these values.
    """
    when = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{when[:8]}/{signer.region}/s3/aws4_request"
    base = urlsplit(signer.base)
    path = base.path + quote(key, safe="/-_.~")
    signed = dict(sorted({"host": base.netloc, **(headers or {})}.items()))
    parameters = _query(
        {
            **query,
            "X-Amz-Algorithm": _ALGORITHM,
            "X-Amz-Credential": f"{signer.access_key}/{scope}",
            "X-Amz-Date": when,
            "X-Amz-Expires": str(min(ttl, LONGEST_TTL)),
            "X-Amz-SignedHeaders": ";".join(signed),
            **({"X-Amz-Security-Token": signer.token} if signer.token else {}),
        }
    )
    lines = "".join(f"{name}:{value}\n" for name, value in signed.items())
    request = "\n".join((method, path, parameters, lines, ";".join(signed), "UNSIGNED-PAYLOAD"))
    text = "\n".join((_ALGORITHM, when, scope, hashlib.sha256(request.encode()).hexdigest()))
    signature = hmac.digest(_key(signer.secret_key, scope), text.encode(), "sha256").hex()
    return f"{base.scheme}://{base.netloc}{path}?{parameters}&X-Amz-Signature={signature}"


def _query(parameters: Mapping[str, str]) -> str:
    quoted = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in parameters.items())
    return "&".join(f"{name}={value}" for name, value in quoted)


def _key(secret: str, scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
