"""Ceph RGW's S3 API: refused without the opt-in, and the contract with it. ``make test-rgw`` runs these tests."""

from __future__ import annotations

import os

import pytest
from contract.s3_contract import ONE, SIZES, S3Contract, contract
from helpers.clouds.rgw import Rgw
from helpers.storage.s3 import Browser, s3_storage

from direct_upload_middleware.errors import StorageError
from direct_upload_middleware.storage.s3 import S3Storage

if "TEST_RGW" not in os.environ:
    pytest.skip("make test-rgw runs these tests", allow_module_level=True)


@pytest.fixture
def http() -> Browser:
    return Browser()


def copies_without_permission(rgw: Rgw) -> bool:
    """Return whether this release still has CVE-2026-54330."""
    probe = s3_storage(rgw).admin().provisioning.probe()
    return any(result.name == "part-copy" and not result.is_there for result in probe.results())


def test_a_gateway_whose_part_urls_copy_is_refused_with_the_remedy(rgw: Rgw) -> None:
    if not copies_without_permission(rgw):
        pytest.skip("this release of Ceph is not affected by CVE-2026-54330")
    with pytest.raises(StorageError, match=r"x-amz-copy-source.*CVE-2026-54330.*sign_copy_source=1"):
        contract.begin(s3_storage(rgw), ONE)


class TestRgwOptedIn(S3Contract):
    """The contract with ``sign_copy_source=1``."""

    @pytest.fixture
    def storage(self, rgw: Rgw) -> S3Storage:
        return s3_storage(rgw, sign_copy_source=True)

    @pytest.mark.parametrize("data", SIZES)
    def test_a_range_beyond_the_end_is_not_satisfiable(self, storage: S3Storage, http: Browser, data: bytes) -> None:
        """RGW does not tell the size in ``Content-Range``."""
        stored = contract.finished(storage, http, data)
        assert contract.download(storage, http, stored.name, Range="bytes=100000000-200000000").status == 416
