"""The parts of the storage contract that depend on what Swift does, on every old Swift. The newest: tests/contract."""

from __future__ import annotations

import pytest
from clouds.conftest import OLD_VERSIONS
from contract.storage_contract import ONE, SEVERAL, SIZES, StorageContract, download, finished, seal, uploaded
from helpers.storage.browser import Browser

from direct_upload_middleware.storage.swift import SwiftStorage

pytestmark = pytest.mark.parametrize("version", OLD_VERSIONS, indirect=True, scope="session")

PARTS = [
    "test_a_complete_upload_cannot_be_aborted",
    "test_a_deleted_object_is_gone",
    "test_a_name_that_another_object_has_is_neither_overwritten_nor_removed",
    "test_a_range_goes_across_segments",
    "test_a_signature_for_put_allows_head_and_nothing_else",
    "test_a_signature_is_good_for_one_upload_only",
    "test_an_object_is_read_like_any_file",
    "test_an_upload_whose_manifest_pins_its_etags_is_downloaded",
    "test_inspect_prints_the_progress_of_an_upload",
    "test_nothing_is_signed_after_the_seal",
    "test_nothing_that_is_written_after_the_seal_changes_what_is_downloaded",
    "test_sealing_from_many_threads_at_once_gives_one_result",
    "test_sealing_names_the_segments_that_are_not_what_was_declared_and_changes_nothing",
    "test_sealing_names_the_segments_that_did_not_arrive_and_changes_nothing",
    "test_the_uploaders_own_headers_do_not_reach_the_object",
    "test_an_upload_that_is_refused_after_the_seal_leaves_nothing_to_read",
    "test_an_upload_that_was_aborted_after_the_seal_cannot_be_confirmed",
    "test_a_segment_that_was_damaged_on_the_way_is_not_stored",
    "test_a_deleted_upload_is_not_brought_back_while_its_ticket_is_valid",
    "test_an_upload_that_is_sealed_but_not_confirmed_can_be_aborted",
]


class TestOldSwift(StorageContract):
    """Parts of the contract, by name."""

    for part in [name for name in vars(StorageContract) if name.startswith("test_")]:
        if part not in PARTS:
            locals()[part] = None
    del part


@pytest.mark.parametrize("data", [*SIZES, pytest.param(b"", id="no bytes")])
def test_the_sent_bytes_are_downloaded_and_read(storage: SwiftStorage, http: Browser, data: bytes) -> None:
    """The ETag of a single segment may be that of a large object: what reads it asks for that."""
    stored = finished(storage, http, data)
    assert download(storage, http, stored.name).body == data
    assert storage.open(stored).read() == data


def test_an_aborted_upload_leaves_no_container(storage: SwiftStorage, http: Browser) -> None:
    for data in (ONE, SEVERAL):
        transfer, _ = uploaded(storage, http, data)
        storage.abort(transfer)
        container = f"{storage.container}_segments_{transfer.id}"
        assert storage._client.request("HEAD", container, expect=(204, 404)).status_code == 404
        seal(storage, uploaded(storage, http, data)[0], data)
