"""A real browser, and the demo application in its own process with a private Swift."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest
from selenium import webdriver

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def demo() -> Iterator[str]:
    """The address of the demo application."""
    with running_demo("swift") as address:
        yield address


@pytest.fixture(scope="session")
def demo_on_s3() -> Iterator[str]:
    """The address of the demo application on a private S3 server."""
    with running_demo("s3") as address:
        yield address


@contextmanager
def running_demo(storage: str) -> Iterator[str]:
    command = [sys.executable, "-m", "examples.plain", "--storage", storage, "--port", "0"]
    with subprocess.Popen(
        command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield _printed_address(process.stdout)
        finally:
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=60)
    assert "Traceback" not in output, output
    assert process.returncode == 0


def _printed_address(output: IO[str]) -> str:
    printed = ""
    for line in output:
        printed += line
        if line.strip().startswith("Open "):
            return line.split()[1].rstrip("/")
    pytest.fail(f"the demo application did not start:\n{printed}")


@pytest.fixture
def downloads(tmp_path: Path) -> Path:
    """Return the browser's download directory."""
    directory = tmp_path / "downloads"
    directory.mkdir()
    return directory


@pytest.fixture
def browser(tmp_path: Path, downloads: Path) -> Iterator[webdriver.Chrome]:
    """A headless Chromium with a fresh profile."""
    with chromium(tmp_path / "profile", downloads) as started:
        yield started


@contextmanager
def chromium(profile: Path, downloads: Path) -> Iterator[webdriver.Chrome]:
    """Start a headless Chromium that saves files without asking."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not program or not driver:
        pytest.fail("chromium and chromedriver are needed: 'make test' installs them, -m 'not browser' does without")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1100,900"):
        options.add_argument(argument)
    options.add_argument(f"--user-data-dir={profile}")
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # In the C locale Chromium would not save files under names that are not ASCII.
    service = webdriver.ChromeService(driver, env={**os.environ, "LC_ALL": "C.UTF-8"})
    with webdriver.Chrome(options=options, service=service) as started:
        yield started
