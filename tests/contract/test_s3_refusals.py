"""Servers that speak S3 and could not keep the promises: refused, with the reason and the remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from helpers.clouds.swift_s3api import SwiftS3, swift_s3api
from helpers.faults import s3_faults
from helpers.faults.changed_answers import Exchange
from helpers.storage.s3 import Server, s3_storage
from helpers.uploads import Site, assert_problem

from direct_upload_middleware.cli.doctor.s3 import diagnose_s3
from direct_upload_middleware.testing.private_s3.server import S3Server

ORIGIN = "http://app.example"

FAULTS = [
    pytest.param(
        s3_faults.ignore_if_none_match, "conditional-put", "If-None-Match", id="If-None-Match is ignored on PUT"
    ),
    pytest.param(
        s3_faults.refuse_if_none_match, "conditional-put", "If-None-Match", id="If-None-Match is not known on PUT"
    ),
    pytest.param(s3_faults.give_other_etags, "part-etag", "SSE-S3", id="ETags of parts are not MD5"),
    pytest.param(s3_faults.copy_parts, "part-copy", "sign_copy_source=1", id="part URLs copy objects"),
    pytest.param(s3_faults.complete_wrong_etags, "complete-verifies", "compares", id="wrong ETags are completed"),
    pytest.param(s3_faults.keep_urls, "urls-end", "swift://", id="part URLs outlive the completion"),
]


def refusal_of(server: Server) -> str:
    """Begin an upload; return the detail of the problem."""
    begun = {"filename": "report.pdf", "size": 4, "type": "application/pdf"}
    answer = Site(s3_storage(server)).request("POST", "/uploads", json=begun)
    assert_problem(answer, 502, "storage-error")
    return str(answer.json["detail"])


def failures_of(server: Server) -> dict[str, str]:
    """Return the doctor's failures of a server, and their remedies."""
    storage = s3_storage(server)
    storage.admin().provisioning.allow_origin(ORIGIN)
    results = list(diagnose_s3(storage, ORIGIN))
    return {result.check: result.remedy for result in results if result.verdict == "failure"}


@pytest.mark.parametrize(("fault", "check", "remedy"), FAULTS)
def test_a_server_that_would_break_a_promise_is_refused(
    s3_server: S3Server, fault: Callable[[Exchange], None], check: str, remedy: str
) -> None:
    with s3_faults.faulty(s3_server, fault) as server:
        assert remedy in refusal_of(server)
        failures = failures_of(server)
    assert list(failures) == [check]
    assert remedy in failures[check]


def test_a_server_behind_a_proxy_that_changes_nothing_is_not_refused(s3_server: S3Server) -> None:
    with s3_faults.faulty(s3_server, lambda exchange: None) as server:
        assert Site(s3_storage(server)).begin(b"data").segments
        assert failures_of(server) == {}


@pytest.fixture(scope="module")
def swift_s3() -> Iterator[SwiftS3]:
    with swift_s3api() as server:
        yield server


def test_swifts_own_s3api_is_refused_and_swift_is_named(swift_s3: SwiftS3) -> None:
    """A part that comes after the completion would destroy the finished object."""
    assert "swift://CONTAINER" in refusal_of(swift_s3)
    failures = failures_of(swift_s3)
    assert "swift://CONTAINER" in failures["urls-end"]
