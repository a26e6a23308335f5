"""The operators' view of a Swift storage: set it up before its first use, and rotate its temp URL keys.

Keys have two slots, so that one is valid while another replaces it. No step here ends a key that a process may still
sign with.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import StorageError, StorageUnavailable
from ...keys import Keys
from .. import temp_urls
from .client import SwiftClient
from .cluster.capabilities import (
    CAPABILITIES,
    Capabilities,
    Capability,
    accepts_key,
    choose_digest,
    probe,
    read_info,
)
from .cluster.metadata import (
    cors_headers,
    find_account_key,
    put_account_key,
    put_container_key,
    read_metadata,
    read_origins,
    with_origin,
)
from .cluster.provisioning import PINNED, STAGING
from .headers import ACCOUNT_KEYS, CONTAINER_KEYS, NEWEST, QUOTA, ROTATED, ROTATING

log = logging.getLogger(__name__)

_OK = (200, 201, 202, 204)
_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the set-up. ``what`` is a sentence; ``do`` carries it out, None when nothing is to be done."""

    what: str
    do: Callable[[], object] | None = None


class SwiftAdmin:
    """The containers of one storage."""

    def __init__(self, client: SwiftClient, container: str, staging: str, pinned: str, keys: Keys) -> None:
        self.client = client
        self.container = container
        self.staging = staging
        self.pinned = pinned
        self.keys = keys

    def info(self) -> Any:
        """Return the answer to ``/info``; None where the provider hides it."""
        return read_info(self.client)

    def digest(self) -> temp_urls.Digest:
        """Return the digest that temp URLs are signed with."""
        return choose_digest(self.client, self.info() or {}, find_account_key(self.client), self.container)

    def headers_of(self, *container: str) -> Mapping[str, str] | None:
        """Return the headers of a container, or of the account; None where the container does not exist."""
        response = self.client.request("HEAD", *container, headers=NEWEST, expect=(200, 204, 404))
        return response.headers if response.status_code != 404 else None

    # -- set-up ---------------------------------------------------------------------------------------------------

    def setup(self, origins: Sequence[str], *, seal: str, quota: int | None) -> Iterator[Step]:
        """Yield what exists and what is to be done. Carry out each step before asking for the next, or none of them."""
        written, purpose = self._written(seal)
        for container in dict.fromkeys((self.container, self.staging, written)):
            yield from self._container(container)
            yield from self._origins(container, origins)
        yield from self._container_key(self.staging, STAGING)
        if written != self.staging:
            yield from self._container_key(written, purpose)
        yield from self._account_key()
        if quota is not None:
            yield from self._quota(quota)

    def _written(self, seal: str) -> tuple[str, tuple[str, ...]]:
        """Return the container that temp URLs write to, and the purpose of its key."""
        return (self.pinned, PINNED) if seal == "pin" else (self.staging, STAGING)

    def capabilities(self, *, seal: str) -> Capabilities:
        """Probe the cluster's capabilities. The storage must be set up."""
        written, purpose = self._written(seal)
        account_key = find_account_key(self.client)
        return probe(self.client, written, self.keys.derive(*purpose), account_key, self.digest())

    def missing(self, *, seal: str) -> list[Capability]:
        """Return the capabilities that the cluster lacks. The storage must be set up."""
        found = self.capabilities(seal=seal)
        return [capability for capability in CAPABILITIES if not getattr(found, capability.field)]

    def _container(self, container: str) -> Iterator[Step]:
        if self.headers_of(container) is not None:
            yield Step(f"container {container} exists")
        else:
            yield Step(f"create container {container}", lambda: self.client.request("PUT", container, expect=_OK))

    def _origins(self, container: str, origins: Sequence[str]) -> Iterator[Step]:
        present = wanted = ""
        for origin in origins if self.headers_of(container) is not None else ():
            present = read_origins(self.client, container, origin)
        wanted = present
        for origin in origins:
            wanted = with_origin(wanted, origin)
            if not {origin, "*"} & set(wanted.split()):
                raise StorageError(f"{container} cannot list {origin} too: Swift allows 256 bytes of origins.")
        if wanted == present:
            if origins:
                yield Step(f"pages of {' '.join(origins)} may use {container}")
            return
        headers = cors_headers(wanted)
        yield Step(f"let pages of {wanted} use {container}", lambda: self._post(container, headers=headers))

    def _container_key(self, container: str, purpose: tuple[str, ...]) -> Iterator[Step]:
        exists = self.headers_of(container) is not None
        present = read_metadata(self.client, CONTAINER_KEYS, container).values() if exists else ()
        if self.keys.derive(*purpose) in present:
            yield Step(f"{container} has the temp URL key of the newest secret")
        else:
            what = f"give {container} the temp URL key of the newest secret"
            yield Step(what, lambda: put_container_key(self.client, container, purpose, self.keys))

    def _account_key(self) -> Iterator[Step]:
        if find_account_key(self.client):
            yield Step("the account has a temp URL key, which signs downloads")
        else:
            yield Step("give the account a temp URL key, for downloads", lambda: put_account_key(self.client))

    def _quota(self, quota: int) -> Iterator[Step]:
        if (self.headers_of(self.container) or {}).get(QUOTA) == str(quota):
            yield Step(f"{self.container} may hold {quota} bytes")
        else:
            headers = {QUOTA: str(quota)}
            what = f"let {self.container} hold {quota} bytes at most"
            yield Step(what, lambda: self._post(self.container, headers=headers))

    def _post(self, *container: str, headers: Mapping[str, str]) -> None:
        self.client.request("POST", *container, headers=headers, expect=_OK)

    # -- rotation of keys -----------------------------------------------------------------------------------------

    def rotate(self, *, settle: float) -> Iterator[str]:
        """Store new keys beside the old ones, and yield what was done.

        The next call continues an interrupted rotation.

        :param settle: seconds until every proxy of the cluster knows a key that was just set.
        """
        self._check_secrets()
        old, new = self._account_keys()
        for container, purpose in ((self.staging, STAGING), (self.pinned, PINNED)):
            if self.headers_of(container) is None:
                continue
            if put_container_key(self.client, container, purpose, self.keys):
                yield f"{container} has the key of the newest secret beside the one before"
            else:
                yield f"{container} has the key of the newest secret already"
        self._post(headers={ACCOUNT_KEYS[0]: old or new, ACCOUNT_KEYS[1]: new if old else "", ROTATING: "yes"})
        self._await_key(new, settle)
        now = str(self.client.now())
        self._post(headers={ACCOUNT_KEYS[0]: new, ACCOUNT_KEYS[1]: old, ROTATED: now, ROTATING: ""})
        log.info("account temp URL key rotated", extra={"swift_host": self.client.host()})
        yield "the account has a new key, which signs downloads from now on; the one before stays valid"

    def _check_secrets(self) -> None:
        """Raise StorageError if no secret of the list has made a key in use, before anything is changed."""
        in_use: set[str] = set()
        known: set[str] = set()
        for container, purpose in ((self.staging, STAGING), (self.pinned, PINNED)):
            in_use.update(filter(None, _slots(self.headers_of(container), CONTAINER_KEYS)))
            known.update(self.keys.derive_all(*purpose))
        if in_use and not in_use & known:
            raise StorageError(
                "None of the given secrets has made a temp URL key in use, so uploads in progress would fail. Set "
                "DIRECT_UPLOAD_SECRET to the secrets that the application uses, followed by a space and the new one."
            )

    def _account_keys(self) -> tuple[str, str]:
        """Return the account's key ("" without one), and the one that replaces it."""
        account = read_metadata(self.client, (*ACCOUNT_KEYS, ROTATING))
        old, spare = _slots(account, ACCOUNT_KEYS)
        if old and spare and account.get(ROTATING):
            return old, spare
        if old and spare:
            raise StorageError(
                "The account has two temp URL keys: the last rotation is not finished (rotate-key --finish), or "
                "another program uses one of them."
            )
        return old or spare, secrets.token_hex(32)

    def _await_key(self, key: str, settle: float) -> None:
        """Wait until Swift accepts what the key signs. Until then nothing is signed with it."""
        time.sleep(settle)
        deadline = time.monotonic() + 60
        while not accepts_key(self.client, key, self.container, self.digest()):
            if time.monotonic() > deadline:
                raise StorageUnavailable("Swift does not accept the account's new temp URL key.")
            time.sleep(0.2)

    def finish_rotation(self, *, after: int) -> Iterator[str]:
        """Remove the old keys, ``after`` seconds after the rotation at the earliest: so long URLs may be valid."""
        account = self.headers_of() or {}
        rotated = account.get(ROTATED, "")
        if not rotated:
            raise StorageError("There is no rotation to finish.")
        left = (int(rotated) if rotated.isdecimal() else 0) + after - self.client.now()
        if left > 0:
            raise StorageError(f"It is too early: URLs that the old keys signed may still be valid for {_words(left)}.")
        for container, purpose in ((self.staging, STAGING), (self.pinned, PINNED)):
            slots = _slots(self.headers_of(container), CONTAINER_KEYS)
            newest = self.keys.derive(*purpose)
            old = {name: "" for name, key in zip(CONTAINER_KEYS, slots, strict=True) if key and key != newest}
            if old and newest in slots:
                self._post(container, headers=old)
                yield f"{container} has only the key of the newest secret"
        self._post(headers={ACCOUNT_KEYS[1]: "", ROTATED: ""})
        log.info("old account temp URL key removed", extra={"swift_host": self.client.host()})
        yield "the account's old key is gone"


def _slots(headers: Mapping[str, str] | None, names: Sequence[str]) -> list[str]:
    return [(headers or {}).get(name, "") for name in names]


def _words(seconds: int) -> str:
    """Return a duration for people, rounded up: ``1 day``, ``5 hours``."""
    name, unit = next(each for each in _UNITS if seconds >= 0.9 * each[1])
    count = -(-seconds // unit)
    return f"{count} {name}{'' if count == 1 else 's'}"
