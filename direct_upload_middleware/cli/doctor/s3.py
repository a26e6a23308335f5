"""What the doctor finds out about an S3 storage: by asking, and by doing what a browser and the middleware do."""

from __future__ import annotations

import secrets
import time
from base64 import b64encode
from collections.abc import Generator, Iterator
from dataclasses import replace
from hashlib import md5
from urllib.parse import urlsplit

from ...errors import DirectUploadError
from ...storage.base import StoredObject, Transfer
from ...storage.s3.admin import S3Admin
from ...storage.s3.browser import Answer, fetch
from ...storage.s3.capabilities import FAULTS, GOOD, REMEDIES, Capability
from ...storage.s3.client import Refusal
from ...storage.s3.provisioning import allows
from ...storage.s3.storage import S3Storage
from .result import Result, failure, judge, ok, warning
from .round_trip import DATA, FILENAME, FOREIGN_ORIGIN

SETUP = "Run direct-upload setup with --origin."
_SKEW = 30


def diagnose_s3(storage: S3Storage, origin: str) -> Generator[Result, None, bool]:
    """Run every check in order, until one makes the rest impossible. Return whether a page can be examined next."""
    try:
        if not (yield from examine_bucket(storage.admin(), origin)):
            return False
        if not (yield from _examine_server(storage)):
            return False
        yield from _round_trip(storage, origin)
    except DirectUploadError as error:
        yield failure("storage", str(error), "See the credentials, the endpoint, and what a firewall may forbid.")
        return False
    return True


def examine_bucket(admin: S3Admin, origin: str) -> Generator[Result, None, bool]:
    """Check the bucket without changing it; return whether it exists. Raise a storage error if it cannot."""
    if not admin.has_bucket():
        yield failure("bucket", f"there is no bucket {admin.client.bucket}", "Run direct-upload setup, or make it.")
        return False
    yield ok("bucket", f"the bucket is at {admin.client.bucket_url}")
    yield from _transport(admin.client.bucket_url, origin)
    yield _clock(admin)
    yield _cors(admin, origin)
    yield from _lifecycle(admin)
    if admin.provisioning.is_versioned():
        yield warning(
            "versioning",
            "the bucket is versioned: deleted files, and refused ones, stay as old versions",
            "Use a bucket without versioning, or let a lifecycle rule expire noncurrent versions.",
        )
    else:
        yield ok("versioning", "the bucket keeps no old versions")
    return True


def _transport(url: str, origin: str) -> Iterator[Result]:
    mixed = origin.startswith("https:") and url.startswith("http:")
    yield judge(
        "transport",
        not mixed,
        "browsers may go from your pages to storage",
        f"pages under https may not send anything to http://{urlsplit(url).hostname}: browsers refuse mixed content",
        "Give an https endpoint in the storage URL.",
    )


def _clock(admin: S3Admin) -> Result:
    skew = admin.client.now() - int(time.time())
    if abs(skew) <= _SKEW:
        return ok("clock", "this machine's clock and storage's agree")
    return warning(
        "clock",
        f"storage's clock is {abs(skew)} seconds {'ahead of' if skew > 0 else 'behind'} this machine's",
        "Run an NTP client on both. S3 refuses every request when they differ by 15 minutes.",
    )


def _cors(admin: S3Admin, origin: str) -> Result:
    try:
        allowed = allows(admin.provisioning.cors_rules(), origin)
    except Refusal:
        return warning("cors-rules", "the bucket's CORS rules cannot be read", "The preflight below tells what counts.")
    return judge(
        "cors-rules",
        allowed,
        f"a CORS rule lets pages of {origin} upload",
        f"no CORS rule lets pages of {origin} send parts and read their ETags",
        SETUP,
    )


def _lifecycle(admin: S3Admin) -> Iterator[Result]:
    rules = admin.lifecycle_rules()
    if rules is None:
        yield warning("lifecycle", "the server has no lifecycle rules", "Run direct-upload sweep from cron.")
        return
    if admin.ends_abandoned_uploads(rules):
        yield ok("lifecycle", "a lifecycle rule ends abandoned uploads")
    else:
        yield warning("lifecycle", "no lifecycle rule ends abandoned uploads", "Run direct-upload setup, or sweep.")
    if name := admin.expiring_rule(rules):
        yield warning(
            "expiration",
            f"lifecycle rule {name} deletes objects of this storage",
            "Make sure that this is meant: it deletes finished uploads, and the records of those in progress.",
        )


def _examine_server(storage: S3Storage) -> Generator[Result, None, bool]:
    """Try each capability; return whether the middleware would use the server."""
    is_usable = True
    for capability in storage.admin().provisioning.probe().results():
        result = _judge_capability(capability)
        is_usable = is_usable and result.verdict != "failure"
        yield result
    return is_usable


def _judge_capability(capability: Capability) -> Result:
    name = capability.name
    if capability.is_there:
        return ok(name, GOOD[name])
    if name in REMEDIES:
        return failure(name, f"{FAULTS[name]} ({capability.status})", REMEDIES[name])
    detail = "storage ignores If-None-Match on completion: each completion looks first whether the name is taken"
    return warning(name, detail, "Let object_name give every upload a name of its own, as it does by default.")


def _round_trip(storage: S3Storage, origin: str) -> Iterator[Result]:
    """Upload a file from begin to delete, as a page of the origin and the middleware do."""
    transfer = _transfer()
    transfer = replace(transfer, reference=storage.begin(transfer, origin=origin))
    try:
        [signed] = storage.sign(transfer, [0], ttl=300, fresh=True)
        yield from _preflights(signed.url, origin)
        yield from _refusals(storage, transfer, signed.url, dict(signed.headers), origin)
        sent = _put(signed.url, DATA, dict(signed.headers), origin)
        exposed = sent.headers.get("access-control-expose-headers", "").lower()
        yield judge(
            "exposed-headers",
            "etag" in exposed and "access-control-allow-origin" in sent.headers,
            "a page can read the answer and its ETag",
            "a page cannot read the answer to what it sent: CORS headers are missing",
            SETUP,
        )
        sealed = storage.seal(transfer, {0: md5(DATA, usedforsecurity=False).hexdigest()}, pending=False)
        yield ok("complete", "an upload is completed")
        yield from _download(storage, transfer.name)
        storage.delete(StoredObject(transfer.name, transfer.id, sealed.size, sealed.etag))
        gone = fetch("GET", storage.download_url(transfer.name, filename="gone", inline=False, ttl=60)).status == 404
        yield judge(
            "delete", gone, "an object is deleted", "an object is there after it was deleted", "See the policy."
        )
    finally:
        storage.remove_trial(transfer)


def _preflights(url: str, origin: str) -> Iterator[Result]:
    asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-md5"}
    answer = fetch("OPTIONS", url, headers={"Origin": origin, **asked})
    allowed = answer.headers.get("access-control-allow-origin", "")
    yield judge(
        "preflight",
        200 <= answer.status < 300 and allowed in (origin, "*"),
        f"storage lets pages of {origin} send",
        f"storage answers {answer.status} to the preflight request of a page of {origin}",
        SETUP,
    )
    foreign = fetch("OPTIONS", url, headers={"Origin": FOREIGN_ORIGIN, **asked})
    if "access-control-allow-origin" not in foreign.headers:
        yield ok("preflight-foreign", "storage refuses pages of other origins")
    else:
        yield warning(
            "preflight-foreign",
            "storage lets pages of every origin send",
            "What guards objects is the signature, so it does no harm.",
        )


def _put(url: str, body: bytes, headers: dict[str, str], origin: str) -> Answer:
    checksum = b64encode(md5(DATA, usedforsecurity=False).digest()).decode()
    return fetch("PUT", url, body, {**headers, "Origin": origin, "Content-MD5": checksum})


def _refusals(
    storage: S3Storage, transfer: Transfer, url: str, headers: dict[str, str], origin: str
) -> Iterator[Result]:
    wrong = url[:-1] + ("0" if url[-1] != "0" else "1")
    yield _refused("signature", _put(wrong, DATA, headers, origin), 403, "a wrong signature")
    [soon] = storage.sign(transfer, [0], ttl=1, fresh=True)
    yield _refused("checksum", _put(url, DATA[::-1], headers, origin), 400, "a damaged part")
    time.sleep(2.5)  # until the URL has expired: its life is measured in whole seconds
    expired = _put(soon.url, DATA, headers, origin)
    yield _refused("expiry", expired, 403, "an expired URL")
    if "access-control-allow-origin" not in expired.headers:
        detail = "storage's refusals have no CORS headers: to a page they look like a broken network"
        yield warning("cors-on-errors", detail, "Uploads work all the same; the script asks for a new URL.")


def _refused(check: str, answer: Answer, status: int, what: str) -> Result:
    return judge(
        check,
        answer.status == status,
        f"storage refuses {what}",
        f"storage answers {answer.status} to {what}, and should say {status}",
        "Look at what stands between here and storage.",
    )


def _download(storage: S3Storage, name: str) -> Iterator[Result]:
    answer = fetch("GET", storage.download_url(name, filename=FILENAME, inline=False, ttl=60))
    yield judge(
        "download",
        answer.status == 200 and answer.body == DATA,
        "downloads work",
        f"storage answers {answer.status} to a presigned URL for download",
        "The credentials need s3:GetObject: see the policy that direct-upload setup prints.",
    )
    yield judge(
        "download-name",
        "filename*=UTF-8''your%20mom" in answer.headers.get("content-disposition", ""),
        "downloads have their original names",
        "a download does not have the name that was asked for",
        "Something in front of storage drops Content-Disposition, or response-content-disposition of the query.",
    )


def _transfer() -> Transfer:
    plan = (len(DATA), len(DATA), 1)
    name = f"doctor-{secrets.token_hex(8)}"
    return Transfer(secrets.token_hex(16), name, "text/plain", *plan, "revoke", int(time.time()) + 300)
