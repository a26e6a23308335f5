"""The example of each framework in a real browser, with files in a directory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.shelf import Shelf
from selenium.webdriver import Chrome

pytestmark = pytest.mark.browser

CHECKOUT = Path(__file__).parents[2]
FILENAME = "your mom’s jokes – 笑い話.pdf"


@pytest.fixture(params=["pyramid_app", "bottle_app", "flask_app", "django_app"])
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run an example; return its address."""
    command = [sys.executable, "-m", f"examples.{request.param}", "--storage", "local", "--port", "0"]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            printed = next((line for line in process.stdout if line.strip().startswith("Open ")), None)
            assert printed is not None, "the example did not start"
            yield printed.split()[1].rstrip("/")
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
    assert process.returncode == 0


def test_files_are_uploaded_and_downloaded_under_their_names(
    browser: Chrome, address: str, tmp_path: Path, downloads: Path
) -> None:
    shelf = Shelf(browser, address)
    files = [tmp_path / FILENAME, tmp_path / "scan.png"]
    for file in files:
        file.write_bytes(os.urandom(100_000))
    shelf.log_in("alice", "wonderland")
    wrong = tmp_path / "wrong.txt"
    wrong.write_bytes(b"wrong")
    shelf.choose(*files, wrong)
    shelf.wait_until_uploaded(1 + len(files))  # until then rows grow and shrink, and the button moves under the mouse
    shelf.remove("wrong.txt")
    shelf.wait_until_uploaded(len(files))
    shelf.submit("Jokes")

    assert "2 files are on your shelf" in shelf.message()
    assert "Jokes" in shelf.item(FILENAME).text
    assert "Jokes" in shelf.item("scan.png").text
    for file in files:
        assert shelf.download(file.name, downloads).read_bytes() == file.read_bytes()

    shelf.item("scan.png").find_element("css selector", "button").click()
    shelf.wait(lambda: len(shelf.all(".items li")) == 1)
    shelf.log_out()
