"""What goes wrong between a browser and S3: the file arrives all the same, and what is stored is not sent again."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from helpers.browsers.engines import Visitor
from helpers.browsers.website_s3 import SEGMENT, WebsiteOnS3
from helpers.faults.fault_proxy import Fault, no_fault

from direct_upload_middleware.testing.private_s3.server import S3Server

pytestmark = pytest.mark.browser

SIZE = 5 * SEGMENT - 1000
SLOW = SEGMENT // 2  # bytes a second
URL_TTL = 3  # seconds
OVERHEAD = 64 * 1024  # requests without their parts


@pytest.fixture
def website(s3_server: S3Server) -> Iterator[WebsiteOnS3]:
    s3_server.storage_url("uploads")
    with WebsiteOnS3(s3_server) as website:
        yield website


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "holiday.mp4"
    path.write_bytes(os.urandom(SIZE))
    return path


def assert_arrived(website: WebsiteOnS3, result: dict[str, Any], file: Path) -> None:
    assert result["upload"]["filename"] == file.name
    assert website.sha256(result["upload"]["name"]) == hashlib.sha256(file.read_bytes()).hexdigest()
    assert website.told[result["upload"]["id"]] >= 1


def test_a_page_that_is_loaded_anew_takes_up_where_it_was(visitor: Visitor, website: WebsiteOnS3, file: Path) -> None:
    visitor.visit()
    website.storage_way.choose = lambda: Fault("throttle", rate=SLOW)
    visitor.choose(file)
    visitor.wait(lambda: len(website.segments()) >= 2)
    website.storage_way.choose = lambda: Fault("stall")
    website.storage_way.cut()
    stored = len(website.segments())
    visitor.visit()
    website.storage_way.choose = no_fault
    website.storage_way.cut()
    website.storage_way.sent = 0
    visitor.choose(file)
    assert_arrived(website, visitor.result(), file)
    assert 0 < website.storage_way.sent <= SIZE - stored * SEGMENT + OVERHEAD


def test_connections_to_storage_fail_at_random(visitor: Visitor, website: WebsiteOnS3, file: Path) -> None:
    chance, connections = random.Random(1), count()

    def choose() -> Fault | None:
        if next(connections) % 2:
            return None
        return Fault("cut", after=chance.randrange(SEGMENT), answer=chance.random() < 0.2)

    website.storage_way.choose = choose
    visitor.visit()
    visitor.choose(file)
    assert_arrived(website, visitor.result(), file)
    assert website.storage_way.faults


def test_storage_refuses_a_segment_with_a_damaged_byte(visitor: Visitor, website: WebsiteOnS3, file: Path) -> None:
    visitor.visit()
    website.storage_way.once(None, *[Fault("corrupt", after=SEGMENT // 2)] * 2)
    visitor.choose(file)
    assert_arrived(website, visitor.result(), file)
    assert website.storage_way.faults


def test_urls_expire_before_they_are_used(visitor: Visitor, website: WebsiteOnS3, file: Path) -> None:
    website.renew(url_ttl=URL_TTL)
    website.storage_way.choose = lambda: Fault("delay", seconds=URL_TTL + 1)
    visitor.visit()
    visitor.choose(file)
    visitor.wait(lambda: website.storage_way.faults)
    website.storage_way.choose = no_fault
    assert_arrived(website, visitor.result(), file)
