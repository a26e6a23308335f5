"""The admin of Django in a real browser: its own form uploads a large file to an ordinary FileField."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

pytestmark = pytest.mark.browser

CHECKOUT = Path(__file__).parents[2]
MB = 1_000_000
TIMEOUT = 120


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Serve an admin; return its address."""
    paths = os.pathsep.join([str(CHECKOUT), str(CHECKOUT / "tests")])
    command = [sys.executable, "-m", "helpers.django_project.served_admin", str(tmp_path)]
    environ = {**os.environ, "PYTHONPATH": paths}
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        printed = server.stdout.readline().strip()
        try:
            assert printed, "the admin did not start"
            yield printed
        finally:
            server.terminate()


def wait(browser: Chrome, condition: Callable[[], Any]) -> Any:
    return WebDriverWait(browser, TIMEOUT, poll_frequency=0.1).until(lambda _: condition())


def one(browser: Chrome, selector: str) -> Any:
    return browser.find_element(By.CSS_SELECTOR, selector)


def all_of(browser: Chrome, selector: str) -> list[Any]:
    return browser.find_elements(By.CSS_SELECTOR, selector)


def digest(file: Any) -> str:
    found = hashlib.sha256()
    while chunk := file.read(MB):
        found.update(chunk)
    return found.hexdigest()


def test_the_form_of_the_admin_uploads_100_mb(browser: Chrome, address: str, tmp_path: Path) -> None:
    large, scan = tmp_path / "Größe – 100 MB.bin", tmp_path / "scan.txt"
    with large.open("wb") as file:
        for _ in range(100):
            file.write(os.urandom(MB))
    scan.write_bytes(b"scan")
    browser.get(f"{address}/admin/django_documents/document/add/")
    one(browser, "[name=username]").send_keys("ann")
    one(browser, "[name=password]").send_keys("secret")
    one(browser, "[type=submit]").click()
    wait(browser, lambda: all_of(browser, "[name=title]"))

    one(browser, "[name=title]").send_keys("Large")
    one(browser, "[name=file]").send_keys(str(large))
    one(browser, "[name='page_set-0-scan']").send_keys(str(scan))
    wait(browser, lambda: len(all_of(browser, "[data-state=done]")) == 2)
    browser.execute_script("document.querySelector('[name=_save]').click()")
    wait(browser, lambda: all_of(browser, ".messagelist .success"))

    browser.get(one(browser, ".field-__str__ a").get_property("href"))
    links = {link.text: link.get_property("href") for link in all_of(browser, ".file-upload a")}
    cookies = {cookie["name"]: cookie["value"] for cookie in browser.get_cookies()}
    [url] = [href for text, href in links.items() if large.name in text]
    with requests.get(url, cookies=cookies, stream=True, timeout=TIMEOUT) as answer, large.open("rb") as file:
        assert answer.status_code == 200
        assert digest(answer.raw) == digest(file)
    assert sum(path.stat().st_size for path in (tmp_path / "files").rglob("*") if path.is_file()) < 101 * MB
