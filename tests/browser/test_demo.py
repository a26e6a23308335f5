"""The demo application in a real browser, with a real Swift."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
from browser.shelf import Shelf
from selenium.webdriver import Chrome

pytestmark = pytest.mark.browser

MB = 1_000_000


@pytest.fixture
def shelf(browser: Chrome, demo: str) -> Shelf:
    return Shelf(browser, demo)


def random_file(path: Path, size: int) -> Path:
    with path.open("wb") as file:
        for start in range(0, size, MB):
            file.write(os.urandom(min(MB, size - start)))
    return path


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@pytest.mark.parametrize(
    ("filename", "size"),
    [
        pytest.param("пусто.txt", 0, id="empty"),
        pytest.param("your mom’s jokes – 笑い話.pdf", 123_457, id="small"),
    ],
)
def test_a_file_is_uploaded_and_downloaded_under_its_name(
    shelf: Shelf, tmp_path: Path, downloads: Path, filename: str, size: int
) -> None:
    file = random_file(tmp_path / filename, size)
    shelf.log_in("alice", "wonderland")
    shelf.choose(file)
    shelf.wait_until_uploaded()
    shelf.submit()
    assert filename in shelf.item(filename).text
    assert sha256(shelf.download(filename, downloads)) == sha256(file)


def test_a_large_file_shows_progress_and_the_form_waits_for_it(shelf: Shelf, tmp_path: Path, downloads: Path) -> None:
    file = random_file(tmp_path / "Größe – 300 MB & mehr.bin", 300 * MB)
    shelf.log_in("alice", "wonderland")
    shelf.watch_progress()
    shelf.choose(file)
    shelf.wait(lambda: len(set(shelf.progress_seen())) > 5)
    seen = shelf.progress_seen()
    shelf.submit("Holidays")
    assert shelf.is_uploading(), "the form did not wait"

    assert seen == sorted(seen)
    assert max(seen) < 1
    assert "Holidays" in shelf.item(file.name).text
    assert sha256(shelf.download(file.name, downloads)) == sha256(file)


def test_one_form_submits_several_files(shelf: Shelf, tmp_path: Path) -> None:
    files = [random_file(tmp_path / f"page {number}.png", 1000 + number) for number in range(3)]
    shelf.log_in("bob", "builder")
    shelf.choose(*files)
    shelf.wait_until_uploaded(len(files))  # until then rows grow and shrink, and the button moves under the mouse
    shelf.submit("Scans")
    for file in files:
        assert "Scans" in shelf.item(file.name).text


def test_a_file_that_is_removed_before_the_form_is_sent_is_removed_from_storage(shelf: Shelf, tmp_path: Path) -> None:
    shelf.log_in("bob", "builder")
    shelf.choose(random_file(tmp_path / "regret.txt", 10))
    shelf.wait_until_uploaded()
    [receipt] = shelf.receipts()
    assert shelf.ask_storage(receipt) == 200
    shelf.remove("regret.txt")
    shelf.wait(lambda: shelf.ask_storage(receipt) == 404)
    shelf.browser.refresh()
    assert "regret.txt" not in shelf.filenames()


def test_deleting_can_be_undone(shelf: Shelf, tmp_path: Path) -> None:
    shelf.log_in("bob", "builder")
    shelf.choose(random_file(tmp_path / "second thoughts.txt", 10))
    shelf.wait_until_uploaded()
    shelf.submit()
    assert "is on your shelf" in shelf.message()
    shelf.delete("second thoughts.txt")
    assert "was deleted" in shelf.message()
    shelf.press("Undo")
    shelf.item("second thoughts.txt")


def test_users_cannot_download_the_files_of_others(shelf: Shelf, tmp_path: Path) -> None:
    shelf.log_in("alice", "wonderland")
    shelf.choose(random_file(tmp_path / "diary.txt", 100))
    shelf.wait_until_uploaded()
    [receipt] = shelf.receipts()
    shelf.submit()
    of_shelf = shelf.link("diary.txt")
    of_middleware = f"/_upload/files/{receipt}"
    assert shelf.ask(of_shelf)["redirects"]
    assert shelf.ask(of_middleware)["redirects"]

    shelf.log_out()
    refused = shelf.ask(of_middleware)
    assert (refused["status"], json.loads(refused["text"])["code"]) == (401, "not-authenticated")

    shelf.log_in("bob", "builder")
    assert "diary.txt" not in shelf.browser.page_source
    refused = shelf.ask(of_middleware)
    assert (refused["status"], json.loads(refused["text"])["code"]) == (403, "not-yours")
    assert shelf.ask(of_shelf)["status"] == 404


def test_uploads_work_under_the_strict_policy_of_the_page(shelf: Shelf, tmp_path: Path) -> None:
    shelf.log_in("alice", "wonderland")
    shelf.choose(random_file(tmp_path / "quiet.txt", 10))
    shelf.wait_until_uploaded()
    assert shelf.browser.get_log("browser") == []
