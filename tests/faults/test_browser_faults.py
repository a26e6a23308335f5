"""Faults between the browser, the application and Swift: the file arrives, and little is sent twice."""

from __future__ import annotations

import hashlib
import os
import random
import re
import threading
import time
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import requests
from helpers.browsers.engines import TIMEOUT, Engine, Visitor, asleep, kill, started
from helpers.browsers.website import SEGMENT, KiB, Website
from helpers.faults.fault_proxy import Fault, no_fault

pytestmark = pytest.mark.browser

SIZE = 16 * SEGMENT - 1000
#: Bytes per second of a connection from the browser to Swift, where a test interrupts an upload.
SLOW = 400 * KiB
#: Seconds until temp URLs expire, where a test waits for that.
URL_TTL = 3
#: Bytes of a request in addition to the segment.
OVERHEAD = 4 * KiB


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "holiday.mp4"
    path.write_bytes(os.urandom(SIZE))
    return path


def slow() -> Fault:
    return Fault("throttle", rate=SLOW)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def assert_arrived(website: Website, result: dict[str, Any], file: Path) -> None:
    """Assert that the complete file is in storage and that ``on_complete`` was called."""
    assert result["upload"]["filename"] == file.name
    assert website.sha256(result["upload"]["name"]) == sha256(file)
    assert website.told[result["upload"]["id"]] >= 1


def interrupt(visitor: Visitor, website: Website, file: Path) -> int:
    """Store a part of the file and stall the rest. Return the number of stored segments."""
    website.storage_way.choose = slow
    visitor.choose(file)
    visitor.wait(lambda: len(website.segments()) >= 4)
    website.storage_way.choose = lambda: Fault("stall")
    website.storage_way.cut()
    return len(website.segments())


def repair(website: Website) -> None:
    """Remove all faults, and count the bytes that are sent from now on."""
    website.storage_way.choose = no_fault
    website.storage_way.cut()
    website.storage_way.sent = 0


def assert_only_the_rest_was_sent(website: Website, stored: int) -> None:
    rest = SIZE - stored * SEGMENT
    assert 0 < website.storage_way.sent <= rest + 16 * OVERHEAD


def test_a_reloaded_page_resumes_the_upload(visitor: Visitor, website: Website, file: Path) -> None:
    visitor.visit()
    stored = interrupt(visitor, website, file)
    visitor.visit()
    repair(website)
    visitor.choose(file)
    assert_arrived(website, visitor.result(), file)
    assert_only_the_rest_was_sent(website, stored)


def test_another_user_of_the_browser_neither_sees_nor_resumes_the_upload(
    visitor: Visitor, website: Website, file: Path
) -> None:
    visitor.visit("ann")
    stored = interrupt(visitor, website, file)
    [container] = {name.partition("/")[0] for name in website.segments()}

    visitor.visit("bob")
    repair(website)
    assert unfinished(visitor) == []
    [record] = in_database(visitor)
    for known in (file.name, container.rpartition("_")[2], "ann", "ticket", "_upload", str(SIZE)):
        assert known not in record
    visitor.choose(file)
    of_bob = visitor.result()
    assert not container.endswith(of_bob["upload"]["id"])
    assert website.storage_way.sent >= SIZE, "the whole file was sent"
    assert_arrived(website, of_bob, file)

    visitor.visit("ann")
    repair(website)
    assert unfinished(visitor) == [file.name]
    visitor.choose(file)
    of_ann = visitor.result()
    assert container.endswith(of_ann["upload"]["id"])
    assert_arrived(website, of_ann, file)
    assert_only_the_rest_was_sent(website, stored)


def unfinished(visitor: Visitor) -> list[str]:
    """Return the names of the unfinished files that a page would list."""
    names: list[str] = visitor.driver.execute_async_script(
        """const [folder, done] = arguments;
        const names = async ({ UnfinishedList }) => {
          const list = new UnfinishedList({});
          await list.load(new URL("/_upload/", location), "");
          return [...list.element.querySelectorAll("bdi")].map(({ textContent }) => textContent);
        };
        import(folder + "ui/list/unfinished-list.js").then(names).then(done, (error) => done([String(error)]));
        """,
        script_folder(visitor),
    )
    return names


def script_folder(visitor: Visitor) -> str:
    """Return the address of the script's modules, which contains their version."""
    entry = requests.get(visitor.website.url("/_upload/static/direct-upload.js"), timeout=TIMEOUT).text
    [version] = set(re.findall(r"\./([0-9a-f]{16})/", entry))
    return f"/_upload/static/{version}/"


def in_database(visitor: Visitor) -> list[str]:
    """Return the content of each resume record as a script can read it."""
    rows: list[str] = visitor.driver.execute_async_script(
        """const done = arguments[0];
        const text = (value) =>
          value instanceof ArrayBuffer || ArrayBuffer.isView(value)
            ? String.fromCharCode(...new Uint8Array(value.buffer ?? value))
            : Object(value) === value ? Object.entries(value).flat().map(text).join() : String(value);
        const opening = indexedDB.open("direct-upload");
        opening.onsuccess = () => {
          const all = opening.result.transaction("uploads").objectStore("uploads").getAll();
          all.onsuccess = () => { opening.result.close(); done(all.result.map(text)); };
        };
        """
    )
    return rows


def test_a_browser_that_was_killed_resumes_after_a_restart(
    engine: Engine, website: Website, file: Path, tmp_path: Path
) -> None:
    profile = tmp_path / "profile"
    with started(engine, profile) as driver:
        visitor = Visitor(driver, website)
        visitor.visit()
        stored = interrupt(visitor, website, file)
        keep_cookies(visitor)
        visitor.wait(lambda: {"user", "direct_upload"} <= engine.kept_cookies(profile))
        kill(engine, driver, profile)
    with started(engine, profile) as driver:
        visitor = Visitor(driver, website)
        visitor.visit()
        repair(website)
        visitor.choose(file)
        assert_arrived(website, visitor.result(), file)
        assert_only_the_rest_was_sent(website, stored)


def keep_cookies(visitor: Visitor) -> None:
    """Make Chromium write its cookies to disk: it does so every 30 seconds, or when many have changed."""
    visitor.driver.execute_script(
        "for (let i = 0; i < 600; i += 1) document.cookie = `c${i % 50}=${i}; Max-Age=${i % 2 ? 0 : 600}`;"
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_connections_to_storage_fail_at_random(visitor: Visitor, website: Website, file: Path, seed: int) -> None:
    website.storage_way.once(*random_faults(seed, 10))
    visitor.visit()
    visitor.choose(file)
    assert_arrived(website, visitor.result(), file)
    assert len(website.storage_way.faults) > 2


def random_faults(seed: int, count: int) -> list[Fault]:
    """Return faults at random positions of requests and responses."""
    generator = random.Random(seed)
    return [
        generator.choice(
            [
                Fault("cut"),
                Fault("cut", after=generator.randrange(2 * SEGMENT)),
                Fault("cut", after=generator.randrange(500), answer=True),
                Fault("corrupt", after=OVERHEAD + generator.randrange(SEGMENT // 2)),
                Fault("stall", after=generator.randrange(2 * SEGMENT)),
            ]
        )
        for _ in range(count)
    ]


def test_storage_detects_a_byte_that_is_damaged_in_transit(visitor: Visitor, website: Website, file: Path) -> None:
    website.storage_way.once(*[Fault("corrupt", after=50 * KiB)] * 3)
    visitor.visit()
    visitor.choose(file)
    assert_arrived(website, visitor.result(), file)


def test_storage_refuses_connections_for_some_time(visitor: Visitor, website: Website, file: Path) -> None:
    website.storage_way.choose = slow
    visitor.visit()
    visitor.choose(file)
    visitor.wait_for_progress(0.2)
    website.storage_way.refuse()
    visitor.wait(lambda: len(visitor.upload()["codes"]) >= 4)
    website.storage_way.choose = no_fault
    website.storage_way.accept()
    assert_arrived(website, visitor.result(), file)


def test_storage_answers_with_errors(visitor: Visitor, website: Website, file: Path) -> None:
    statuses = cycle([503, 429, 507, 408, 500])
    website.storage_way.choose = lambda: Fault("status", status=next(statuses), seconds=1)
    visitor.visit()
    visitor.choose(file)
    visitor.wait(lambda: len(visitor.upload()["codes"]) >= 5)
    assert set(visitor.upload()["codes"]) == {"storage-error"}
    repair(website)
    assert_arrived(website, visitor.result(), file)


def test_the_application_is_restarted(visitor: Visitor, website: Website, file: Path) -> None:
    website.storage_way.choose = slow
    visitor.visit()
    for share in (0.1, 0.3, 0.5):
        if share == 0.1:
            visitor.choose(file)
        visitor.wait_for_progress(share)
        website.restart()
    repair(website)
    assert_arrived(website, visitor.result(), file)


def test_the_response_to_complete_is_lost(visitor: Visitor, website: Website, file: Path) -> None:
    website.before["complete"] = website.front.refuse
    visitor.visit()
    visitor.choose(file)
    visitor.wait(lambda: visitor.upload()["codes"])
    website.restart()
    assert_arrived(website, visitor.result(), file)


def test_a_page_is_reloaded_while_its_upload_completes(visitor: Visitor, website: Website, file: Path) -> None:
    reached, released = threading.Event(), threading.Event()
    website.before["complete"] = lambda: reached.set() or released.wait(TIMEOUT)
    visitor.visit()
    visitor.choose(file)
    assert reached.wait(TIMEOUT)
    visitor.visit()
    website.storage_way.sent = 0
    visitor.choose(file)
    result = visitor.result()
    released.set()
    assert_arrived(website, result, file)
    assert website.names(website.container) == [result["upload"]["name"]]
    assert website.storage_way.sent == 0, "nothing was sent again"


def test_swift_is_restarted(visitor: Visitor, website: Website, file: Path) -> None:
    website.storage_way.choose = slow
    visitor.visit()
    visitor.choose(file)
    visitor.wait_for_progress(0.2)
    website.server.restart_proxy()
    repair(website)
    assert_arrived(website, visitor.result(), file)


def test_the_network_is_offline(engine: Engine, visitor: Visitor, website: Website, file: Path) -> None:
    website.storage_way.choose = slow
    visitor.visit()
    visitor.choose(file)
    visitor.wait_for_progress(0.2)
    if engine.can_go_offline:
        visitor.driver.set_network_conditions(offline=True, latency=0, throughput=-1)
    for proxy in (website.storage_way, website.front):
        proxy.refuse()
    visitor.wait(lambda: len(visitor.upload()["codes"]) >= 3)
    for proxy in (website.storage_way, website.front):
        proxy.accept()
    if engine.can_go_offline:
        assert not visitor.upload()["result"]
        visitor.driver.delete_network_conditions()
    repair(website)
    assert_arrived(website, visitor.result(), file)


def test_the_computer_sleeps(visitor: Visitor, website: Website, file: Path) -> None:
    website.renew(url_ttl=URL_TTL)
    website.storage_way.choose = slow
    visitor.visit()
    visitor.choose(file)
    visitor.wait_for_progress(0.2)
    with asleep(visitor.driver):
        website.storage_way.choose = lambda: Fault("stall")
        website.storage_way.cut()
        time.sleep(URL_TTL + 1)  # all temp URLs have expired
    repair(website)
    assert_arrived(website, visitor.result(), file)


def test_temp_urls_expire_before_they_are_used(visitor: Visitor, website: Website, file: Path) -> None:
    website.renew(url_ttl=2)
    website.storage_way.choose = lambda: Fault("throttle", rate=SLOW // 2)
    visitor.visit()
    visitor.choose(file)
    assert_arrived(website, visitor.result(), file)


def test_a_file_that_changes_during_the_upload_is_not_kept(visitor: Visitor, website: Website, file: Path) -> None:
    website.storage_way.choose = slow
    visitor.visit()
    visitor.choose(file)
    visitor.wait_for_progress(0.2)
    file.write_bytes(os.urandom(SIZE))
    assert visitor.failure() == "file-changed"
    assert website.names(website.container) == []

    repair(website)
    visitor.visit()
    visitor.choose(file)
    assert_arrived(website, visitor.result(), file)


def test_a_page_without_workers_detects_damage_at_complete(visitor: Visitor, website: Website, file: Path) -> None:
    visitor.visit(policy="worker-src 'none'")
    website.storage_way.once(Fault("corrupt", after=50 * KiB))
    visitor.choose(file)
    assert_arrived(website, visitor.result(), file)
