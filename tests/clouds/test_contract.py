"""The storage contract on the oldest Swift and on the last series whose temp URLs copy."""

from __future__ import annotations

import secrets

import pytest
from contract.storage_contract import StorageContract
from contract.test_swift import Browser, new_storage

from direct_upload_middleware.storage.swift import SwiftStorage
from direct_upload_middleware.testing.private_swift.server import SwiftServer


@pytest.fixture
def storage(server: SwiftServer) -> SwiftStorage:
    return new_storage(server, f"uploads-{secrets.token_hex(4)}")


@pytest.fixture
def http() -> Browser:
    return Browser()


class TestSwiftStorage(StorageContract):
    """The contract."""
