"""The capabilities of a cluster. Each is probed, never assumed from a version number.

The probes use a container of their own, which they remove. ``/info`` is read for limits and digests only.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import md5
from typing import Any
from urllib.parse import quote, urlsplit

from ....errors import StorageError
from ...base import Transfer
from ...temp_urls import Digest
from ..client import AGAIN, SwiftClient
from ..final_objects import copy_conditions
from ..headers import CONTAINER_KEYS
from ..manifests import ManifestEntry, manifest_body
from ..signing import temp_url

REFUSED = (401, 403)
DIGESTS: tuple[Digest, ...] = ("sha256", "sha512", "sha1")
TRIAL = "_trial_"
"""Part of the names of the containers that the probes use."""
_ANY = frozenset(range(200, 500)) - AGAIN
_TTL = 60
_DATA = b"trial"
_ETAG = md5(_DATA, usedforsecurity=False).hexdigest()
_OTHER_ETAG = "0" * 32


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The capabilities of a cluster.

    ``accepts_temp_urls``: temp URLs work at all. ``refuses_taken_names``: ``If-None-Match: *`` on PUT.
    ``checks_manifests``: SLO manifests verify each ETag. ``honours_copy_conditions``: copies honour ``If-Match`` or
    ``Copy-If-Match``. ``has_container_keys``: containers may have temp URL keys. ``isolates_temp_urls``: a PUT temp URL
    cannot copy another object (``X-Copy-From``).
    """

    accepts_temp_urls: bool = True
    refuses_taken_names: bool = True
    checks_manifests: bool = True
    honours_copy_conditions: bool = True
    has_container_keys: bool = True
    isolates_temp_urls: bool = True


@dataclass(frozen=True, slots=True)
class Capability:
    """A capability by its name, with what its presence and its absence mean, and the remedy."""

    name: str
    field: str
    present: str
    missing: str
    remedy: str


NO_CLUSTER = "Use a storage that has it: OpenStack Swift, or the S3 API of this one."
CAPABILITIES = (
    Capability(
        "temp-urls",
        "accepts_temp_urls",
        "the cluster has temp URLs",
        "the cluster refuses every temp URL",
        "tempurl must come before the authentication in Swift's pipeline, and Keystone's [filter:authtoken] needs "
        "delay_auth_decision = true.",
    ),
    Capability(
        "if-none-match",
        "refuses_taken_names",
        "Swift refuses to overwrite what has a name already",
        "the cluster ignores If-None-Match: * on PUT, so an upload could overwrite another",
        NO_CLUSTER,
    ),
    Capability(
        "copy-conditions",
        "honours_copy_conditions",
        "copies are made of the verified bytes only",
        "copies ignore If-Match, so other bytes than the verified ones could be copied",
        NO_CLUSTER,
    ),
    Capability(
        "slo-etags",
        "checks_manifests",
        "manifests verify the ETags of their segments",
        "SLO manifests do not verify the ETags of their segments, so uploads of several segments are refused",
        f"{NO_CLUSTER} Or set segment_size so that every file is one segment.",
    ),
    Capability(
        "container-keys",
        "has_container_keys",
        "containers have their own temp URL keys",
        "the cluster ignores temp URL keys of containers, which seal='revoke' needs",
        "Use seal='pin' if its weaker guarantees suffice, or another storage.",
    ),
    Capability(
        "temp-url-isolation",
        "isolates_temp_urls",
        "a temp URL for uploading cannot copy other objects",
        "a PUT temp URL can copy other objects by X-Copy-From",
        "Update to Swift 2.38.2 or later, or set incoming_remove_headers = x-timestamp x-open-expired x-copy-from in "
        "[filter:tempurl]. Until then each upload gets a container of its own, if containers may have keys.",
    ),
)


def missing_capability(name: str) -> StorageError:
    """Return the error that names a capability that the cluster lacks, and the remedy."""
    capability = next(c for c in CAPABILITIES if c.name == name)
    return StorageError(f"This storage cannot be used: {capability.missing} (capability {name}). {capability.remedy}")


def check_capabilities(transfer: Transfer, capabilities: Capabilities) -> None:
    """Raise StorageError, which names what the cluster lacks for this upload."""
    if not capabilities.accepts_temp_urls:
        raise missing_capability("temp-urls")
    if not capabilities.refuses_taken_names:
        raise missing_capability("if-none-match")
    if not capabilities.honours_copy_conditions:
        raise missing_capability("copy-conditions")
    if transfer.is_segmented and not capabilities.checks_manifests:
        raise missing_capability("slo-etags")
    if not capabilities.has_container_keys:
        # Temp URLs that the account's key signs cannot be revoked.
        if transfer.seal == "revoke":
            raise missing_capability("container-keys")
        if not capabilities.isolates_temp_urls:
            raise missing_capability("temp-url-isolation")


def accepts_key(client: SwiftClient, key: str, container: str, digest: Digest) -> bool:
    """Return whether Swift accepts this key's signature for a container: it then says that an object is missing."""
    name = f"no-such-object-{secrets.token_hex(8)}"
    url = temp_url(client, key, "GET", container, name, expires=client.now() + _TTL, digest=digest, internal=True)
    response = client.request("GET", container, name, url=url, anonymous=True, expect=_ANY)
    return response.status_code not in REFUSED


def choose_digest(client: SwiftClient, info: Any, key: str, container: str) -> Digest:
    """Return the best digest for temp URLs. Where ``/info`` does not list them, they are tried.

    :param key: a temp URL key that is valid for ``container``.
    """
    tempurl = info.get("tempurl") if isinstance(info, Mapping) else None
    allowed = tempurl.get("allowed_digests") if isinstance(tempurl, Mapping) else None
    if isinstance(allowed, list):
        return next((digest for digest in DIGESTS if digest in allowed), "sha1")
    return next((digest for digest in DIGESTS if accepts_key(client, key, container, digest)), "sha1")


def read_info(client: SwiftClient) -> Any:
    """Return the answer to ``/info`` as a mapping; None where the provider hides it."""
    parts = urlsplit(client.login().storage_url)
    url = f"{parts.scheme}://{parts.netloc}{parts.path.partition('/v1')[0]}/info"
    response = client.request("GET", url=url, expect=(200, 401, 403, 404))
    try:
        info = response.json() if response.status_code == 200 else None
    except ValueError:
        return None
    return info if isinstance(info, dict) else None


class CapabilityCache:
    """The capabilities of a cluster, probed once in each process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: Capabilities | None = None

    def get(self, probe: Callable[[], Capabilities]) -> Capabilities:
        """Return the capabilities; ``probe`` is called the first time."""
        with self._lock:
            if self._known is None:
                self._known = probe()
            return self._known


def probe(client: SwiftClient, written: str, key: str, account_key: str, digest: Digest) -> Capabilities:
    """Try each capability once.

    :param written: a container that has the temp URL key ``key``, in whose name the trial container is made.
    """
    with _trial(client, written) as trial:
        accepts_temp_urls = _accepts_temp_urls(trial, account_key, digest)
        container_keys = _has_container_keys(trial, written, key, account_key, digest)
        return Capabilities(
            accepts_temp_urls=accepts_temp_urls,
            refuses_taken_names=_refuses_taken_names(trial),
            checks_manifests=_checks_manifests(trial),
            honours_copy_conditions=_honours_copy_conditions(trial),
            has_container_keys=container_keys,
            isolates_temp_urls=not accepts_temp_urls
            or _isolates_temp_urls(trial, trial.key if container_keys else account_key, digest),
        )


@dataclass(frozen=True, slots=True)
class _Trial:
    """A container for trials, with a key of its own and one object, ``source``."""

    client: SwiftClient
    container: str
    key: str

    def put(self, name: str, headers: Mapping[str, str], data: bytes = b"", **params: str) -> int:
        response = self.client.request(
            "PUT", self.container, name, headers=headers, data=data, params=params, expect=_ANY
        )
        return response.status_code


@contextmanager
def _trial(client: SwiftClient, written: str) -> Iterator[_Trial]:
    trial = _Trial(client, f"{written}{TRIAL}{secrets.token_hex(8)}", secrets.token_hex(32))
    headers = {CONTAINER_KEYS[0]: trial.key}
    client.request("PUT", trial.container, headers=headers, expect=(201, 202))
    try:
        client.request("PUT", trial.container, "source", data=_DATA, expect=(201,))
        yield trial
    finally:
        for name in ("manifest", "copy", "stolen", "source"):
            client.request("DELETE", trial.container, name, expect=(204, 404))
        client.request("DELETE", trial.container, expect=(204, 404, 409))


def _accepts_temp_urls(trial: _Trial, account_key: str, digest: Digest) -> bool:
    """Return whether any key is accepted for the new container, whose key no proxy can remember otherwise."""
    return any(accepts_key(trial.client, key, trial.container, digest) for key in (trial.key, account_key) if key)


def _refuses_taken_names(trial: _Trial) -> bool:
    return trial.put("source", {"If-None-Match": "*"}, _DATA) == 412


def _checks_manifests(trial: _Trial) -> bool:
    manifest = manifest_body([ManifestEntry(f"/{trial.container}/source", _OTHER_ETAG, len(_DATA))])
    return trial.put("manifest", {}, manifest, **{"multipart-manifest": "put"}) >= 400


def _honours_copy_conditions(trial: _Trial) -> bool:
    headers = {"X-Copy-From": quote(f"/{trial.container}/source"), **copy_conditions(_OTHER_ETAG)}
    return trial.put("copy", headers) == 412


def _has_container_keys(trial: _Trial, written: str, key: str, account_key: str, digest: Digest) -> bool:
    """Return whether containers may have temp URL keys.

    Ceph's gateway knows none (https://docs.ceph.com/en/latest/radosgw/swift/tempurl/). A proxy of Swift may remember a
    container as it was before it had the key: where the key is refused and the account's is not, the new container
    decides. Where no signature is accepted at all, the keys are not the cause: True.
    """
    if accepts_key(trial.client, key, written, digest) or not accepts_key(trial.client, account_key, written, digest):
        return True
    return accepts_key(trial.client, trial.key, trial.container, digest)


def _isolates_temp_urls(trial: _Trial, key: str, digest: Digest) -> bool:
    """Return whether a PUT temp URL refuses or ignores ``X-Copy-From``.

    Where it is refused itself: False, to be safe.
    """
    client = trial.client
    for source in (f"/{trial.container}/source", f"{trial.container}/source"):
        expires = client.now() + _TTL
        url = temp_url(client, key, "PUT", trial.container, "stolen", expires=expires, digest=digest, internal=True)
        headers = {"X-Copy-From": quote(source)}
        response = client.request(
            "PUT", trial.container, "stolen", url=url, anonymous=True, headers=headers, data=b"", expect=_ANY
        )
        if response.status_code in REFUSED:
            return False
        if response.status_code == 201 and response.headers.get("Etag", "").strip('"') == _ETAG:
            return False
    return True
