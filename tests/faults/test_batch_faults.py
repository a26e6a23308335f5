"""What goes wrong while several files are uploaded together: all of them arrive, each as it is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from faults.test_browser_faults import assert_arrived, repair, slow
from helpers.browsers.engines import TIMEOUT, Visitor
from helpers.browsers.website import SEGMENT, KiB, Website
from helpers.faults.fault_proxy import Fault, no_fault
from helpers.waiting import wait_until

pytestmark = pytest.mark.browser

SIZES = [0, 1, *[60 * KiB] * 8, SEGMENT, SEGMENT + 1, 3 * SEGMENT + 5]
MANY = 200


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Small ones, and some of several segments."""
    return make_files(tmp_path, SIZES)


def make_files(directory: Path, sizes: list[int]) -> list[Path]:
    paths = [directory / f"{number:03}.jpg" for number in range(len(sizes))]
    for path, size in zip(paths, sizes, strict=True):
        path.write_bytes(os.urandom(size))
    return paths


def choose(visitor: Visitor, files: list[Path]) -> None:
    visitor.driver.execute_script("window.together = true; performance.setResourceTimingBufferSize(5000)")
    visitor.choose(*files)


def results(visitor: Visitor, count: int, timeout: float = 4 * TIMEOUT) -> list[dict[str, Any]]:
    """What each upload gave; all have ended well."""
    script = "return uploads.filter(({ result, failure }) => result || failure).length"
    visitor.wait(lambda: visitor.driver.execute_script(script) == count, timeout)
    ended = visitor.uploads()
    assert [each["failure"] for each in ended] == [None] * count
    return [each["result"] for each in ended]


def assert_all_arrived(visitor: Visitor, website: Website, files: list[Path]) -> None:
    for result, file in zip(results(visitor, len(files)), files, strict=True):
        assert_arrived(website, result, file)


def calls(visitor: Visitor) -> list[str]:
    """The calls of the application that the page has made."""
    script = """return performance.getEntriesByType("resource").map(({ name }) => new URL(name).pathname)
      .filter((path) => /^\\/_upload\\/(batch|uploads)/.test(path))"""
    found: list[str] = visitor.driver.execute_script(script)
    return found


def test_two_hundred_files_need_few_calls(visitor: Visitor, website: Website, tmp_path: Path) -> None:
    visitor.visit()
    files = make_files(tmp_path, [1000 + number for number in range(MANY)])
    choose(visitor, files)
    found = results(visitor, MANY, 10 * TIMEOUT)
    assert [result["upload"]["filename"] for result in found] == [file.name for file in files]
    assert len({result["upload"]["id"] for result in found}) == MANY
    assert all(website.told[result["upload"]["id"]] >= 1 for result in found)
    made = calls(visitor)
    assert made.count("/_upload/batch/begin") == 2
    assert len(made) < MANY / 2  # about ten, but more on a busy machine, where sealing takes long
    assert_arrived(website, found[-1], files[-1])


@pytest.mark.parametrize("call", ["begin", "complete"])
def test_the_answer_to_a_batch_is_lost(visitor: Visitor, website: Website, files: list[Path], call: str) -> None:
    visitor.visit()
    website.before[call] = website.front.cut
    choose(visitor, files)
    assert_all_arrived(visitor, website, files)


@pytest.mark.parametrize("call", ["begin", "complete"])
def test_the_application_restarts_during_a_batch(
    visitor: Visitor, website: Website, files: list[Path], call: str
) -> None:
    visitor.visit()
    website.before[call] = website.restart
    choose(visitor, files)
    assert_all_arrived(visitor, website, files)


def test_swift_refuses_some_requests_of_the_application(visitor: Visitor, website: Website, files: list[Path]) -> None:
    visitor.visit()
    choose(visitor, files[:1])
    assert_all_arrived(visitor, website, files[:1])
    website.back.cut()
    website.back.once(*[Fault("status", status=503), Fault("cut", answer=True)] * 6)
    visitor.visit()
    choose(visitor, files)
    assert_all_arrived(visitor, website, files)


def test_swift_breaks_connections_of_the_browser(visitor: Visitor, website: Website, files: list[Path]) -> None:
    visitor.visit()
    website.storage_way.once(*[Fault("cut", after=20 * KiB), Fault("cut", answer=True), None] * 4)
    choose(visitor, files)
    assert_all_arrived(visitor, website, files)


def test_swift_is_slow_for_the_application(visitor: Visitor, website: Website, files: list[Path]) -> None:
    """Sealing takes longer than a second: the page asks again."""
    visitor.visit()
    choose(visitor, files[:1])
    results(visitor, 1)
    website.back.cut()
    website.back.choose = lambda: Fault("lag", seconds=0.5, answer=True)
    visitor.visit()
    choose(visitor, files)
    assert_all_arrived(visitor, website, files)
    assert len(calls(visitor)) > 2


def test_a_page_that_is_loaded_anew_sends_the_rest(visitor: Visitor, website: Website, files: list[Path]) -> None:
    visitor.visit()
    website.storage_way.choose = slow
    choose(visitor, files)
    visitor.wait(lambda: visitor.driver.execute_script("return uploads.some(({ result }) => result)"))
    visitor.visit()
    repair(website)
    choose(visitor, files)
    assert_all_arrived(visitor, website, files)


def test_all_are_aborted(visitor: Visitor, website: Website, files: list[Path]) -> None:
    visitor.visit()
    website.storage_way.choose = lambda: Fault("stall")
    choose(visitor, files)
    visitor.wait(lambda: website.storage_way.open_connections)
    visitor.driver.execute_script("tasks.forEach((task) => task.abort())")
    visitor.wait(lambda: all(each["failure"] == "aborted" for each in visitor.uploads()))
    website.storage_way.choose = no_fault
    website.storage_way.cut()
    visitor.wait(lambda: website.segments() == [])
    wait_until(lambda: not website.front.open_connections or website.front.is_idle)
    assert website.told == {}
