"""A cluster that knows SHA-1 only."""

from __future__ import annotations

import pytest
from helpers.uploads import ONE, SEVERAL, Site, swift_storage

from direct_upload_middleware.testing.private_swift.server import SwiftServer


def test_files_go_and_come_and_it_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    with SwiftServer(allowed_digests="sha1") as server:
        for data in (ONE, SEVERAL):
            site = Site(swift_storage(server))
            assert site.download(site.upload(data).json["download_url"]) == data
    assert [record.levelname for record in caplog.records if "SHA-1 only" in record.getMessage()] == ["WARNING"]
