"""A private Swift that heeds no temp URL keys of containers, as Ceph's gateway does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from direct_upload_middleware.storage.swift import SwiftStorage
from direct_upload_middleware.storage.swift.client import Login
from direct_upload_middleware.testing.private_swift.server import SwiftServer
from helpers.faults.changed_answers import Exchange, Meddle, meddling

KEY = "x-container-meta-temp-url-key"
KEPT = "x-container-meta-kept-temp-url-key"


def drop_keys(exchange: Exchange) -> None:
    """The provider does not even keep the header."""
    exchange.drop(KEY, KEY + "-2")


def ignore_keys(exchange: Exchange) -> None:
    """The provider keeps the header like any metadata, gives it back, and makes no use of it."""
    old, new = (KEPT, KEY) if exchange.status else (KEY, KEPT)
    exchange.headers = {name.lower().replace(old, new): value for name, value in exchange.headers.items()}


@dataclass
class ProxiedAccess:
    """The test account of a private Swift, by way of a proxy."""

    server: SwiftServer
    proxy: str

    def login(self) -> Login:
        return Login(self.server.token(), self.server.storage_url.replace(self.server.url, self.proxy))

    def forget(self, token: str) -> None:
        """Each log-in gives what is good now."""


@contextmanager
def storage_behind(server: SwiftServer, meddle: Meddle, container: str) -> Iterator[SwiftStorage]:
    """A storage that reaches Swift, as its browsers do, through a proxy that meddles."""
    with meddling(server.url, meddle) as proxy:
        yield SwiftStorage(container, access=ProxiedAccess(server, proxy))
