"""The demo application on S3: a real browser, a real server, real bytes."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser.shelf import Shelf
from browser.test_demo import MB, random_file, sha256
from selenium.webdriver import Chrome

pytestmark = pytest.mark.browser


@pytest.fixture
def shelf(browser: Chrome, demo_on_s3: str) -> Shelf:
    return Shelf(browser, demo_on_s3)


def test_a_file_of_300_mb_is_downloaded_under_its_name(shelf: Shelf, tmp_path: Path, downloads: Path) -> None:
    file = random_file(tmp_path / "Größe – 300 MB & mehr.bin", 300 * MB)
    shelf.log_in("alice", "wonderland")
    shelf.choose(file)
    shelf.wait(lambda: shelf.rows("done"), timeout=120)
    shelf.submit()
    assert sha256(shelf.download(file.name, downloads)) == sha256(file)
    assert [entry for entry in shelf.browser.get_log("browser") if "favicon" not in entry["message"]] == []


def test_a_hundred_small_files_share_a_form(shelf: Shelf, tmp_path: Path) -> None:
    files = [random_file(tmp_path / f"page {number}.png", 1000 + number) for number in range(100)]
    shelf.log_in("bob", "builder")
    shelf.choose(*files)
    shelf.wait(lambda: len(shelf.rows("done")) == len(files), timeout=120)
    assert len(shelf.receipts()) == len(files)


def test_a_removed_file_is_gone(shelf: Shelf, tmp_path: Path) -> None:
    shelf.log_in("bob", "builder")
    shelf.choose(random_file(tmp_path / "regret.txt", 10))
    shelf.wait_until_uploaded()
    [receipt] = shelf.receipts()
    assert shelf.ask_storage(receipt) == 200
    shelf.remove("regret.txt")
    shelf.wait(lambda: shelf.ask_storage(receipt) == 404)
