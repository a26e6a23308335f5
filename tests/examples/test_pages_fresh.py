"""The pages of the frameworks, followed word for word: in fresh environments with the wheel, and a real browser."""

from __future__ import annotations

import os
import re
import shlex
import socket
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import pytest
import requests
from browser.conftest import chromium
from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

pytestmark = pytest.mark.browser

CHECKOUT = Path(__file__).parents[2]
DOCS = CHECKOUT / "docs"
PAGES = ["wsgi", "bottle", "flask", "pyramid", "django"]
PYTHON_BLOCK = re.compile(r"^\.\. code:: python\n\n((?: {4}.*\n|\n)+)", re.MULTILINE)
LITERAL_BLOCK = re.compile(r"::\n\n((?: {4}.*\n|\n)+)")
COMMAND = re.compile(r"``((?:python|flask) [^`]+)``")
TIMEOUT = 120

Files = Callable[..., Path]

UNICODE = "your mom’s jokes – 笑い話.pdf"
LARGE = 20_000_000  # two segments


class Guide:
    """A page of the documentation, and what it tells its readers to do."""

    def __init__(self, page: str, port: int) -> None:
        self.text = (DOCS / f"{page}.rst").read_text(encoding="utf-8").replace("8000", str(port))
        self.code = [dedent(block) for block in PYTHON_BLOCK.findall(self.text)]
        self.settings = [dedent(block) for block in LITERAL_BLOCK.findall(self.text)]
        [install] = re.findall(r"^Install it with ``pip install ([^`]+)``", self.text, re.MULTILINE)
        self.requirements = shlex.split(install)
        [start] = re.findall(r"^Start it with (.+?), open ", self.text, re.MULTILINE | re.DOTALL)
        self.start = COMMAND.findall(start)


class Reader:
    """A reader, who has made a directory and an environment for the page."""

    def __init__(self, page: str, directory: Path, wheel: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.guide = Guide(page, self.port)
        self.directory = directory
        self.environment = directory / "venv"
        venv.create(self.environment, with_pip=False)
        requirements = [str(wheel) if name == "direct-upload-middleware" else name for name in self.guide.requirements]
        python = self.environment / "bin" / "python"
        pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-warn-script-location"]
        self._carry_out([*pip, "--disable-pip-version-check", *requirements])

    def write(self, name: str, text: str) -> None:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def append(self, name: str, text: str) -> None:
        path = self.directory / name
        path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")

    def run(self, command: str) -> None:
        self._carry_out(self._argv(command))

    @contextmanager
    def running(self, command: str) -> Iterator[str]:
        """Run a server; return its address once it answers."""
        address = f"http://127.0.0.1:{self.port}/"
        with (self.directory / "server.log").open("w+") as log:
            options = {"cwd": self.directory, "env": self._environ(), "stdout": log, "stderr": log}
            with subprocess.Popen(self._argv(command), **options) as server:  # type: ignore[call-overload]
                try:
                    WebDriverWait(server, TIMEOUT, 0.1).until(lambda _: self._answers(server, address))
                    yield address
                finally:
                    server.terminate()
            log.seek(0)
            assert "Traceback" not in log.read()

    def _argv(self, command: str) -> list[str]:
        program, *rest = shlex.split(command)
        if rest[-1:] == ["runserver"]:
            rest += ["--noreload", str(self.port)]
        if rest == ["run"]:
            rest += ["--port", str(self.port)]
        return [str(self.environment / "bin" / program), *rest]

    def _answers(self, server: subprocess.Popen[bytes], address: str) -> bool:
        assert server.poll() is None, (self.directory / "server.log").read_text()
        try:
            return requests.get(address, timeout=TIMEOUT).ok
        except requests.ConnectionError:
            return False

    def _environ(self) -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "DJANGO"))}

    def _carry_out(self, argv: list[str]) -> None:
        done = subprocess.run(
            argv, cwd=self.directory, env=self._environ(), capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    names = ("direct_upload_middleware", "static", "examples", "setup.py", "pyproject.toml", "README.rst", "LICENSE")
    source.mkdir()
    for name in names:
        subprocess.run(["cp", "-r", CHECKOUT / name, source], check=True)
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(source)]
    subprocess.run(build, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def readers(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Reader]]]:
    """Install what the pages need, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        yield {page: pool.submit(Reader, page, tmp_path_factory.mktemp(page), wheel) for page in PAGES}


@pytest.fixture(params=PAGES)
def reader(request: pytest.FixtureRequest, readers: dict[str, Future[Reader]]) -> Reader:
    return readers[request.param].result()


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def browser(downloads: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with chromium(tmp_path_factory.mktemp("profile"), downloads) as started:
        yield started


class Visitor:
    """A browser at the application."""

    def __init__(self, browser: Chrome, address: str) -> None:
        self.browser = browser
        self.address = address

    def open(self) -> None:
        self.browser.get(self.address)

    def choose(self, *files: Path) -> None:
        self.browser.find_element(By.NAME, "document").send_keys("\n".join(map(str, files)))

    def wait_until_uploaded(self, count: int = 1) -> None:
        self.wait(lambda: len(self.browser.find_elements(By.CSS_SELECTOR, "[data-state=done]")) == count)

    def send(self) -> None:
        page = self.browser.find_element(By.TAG_NAME, "html")
        self.browser.find_element(By.XPATH, "//button[.='Send']").click()
        self.wait(lambda: self._is_gone(page))

    @property
    def text(self) -> str:
        return self.browser.find_element(By.TAG_NAME, "body").text

    def links(self) -> list[str]:
        return [link.text for link in self.browser.find_elements(By.TAG_NAME, "a")]

    def press_remove(self, filename: str) -> None:
        rows = self.browser.find_elements(By.CSS_SELECTOR, "[data-state]")
        [row] = [row for row in rows if filename in row.text]
        self.browser.execute_script("arguments[0].click()", row.find_element(By.CLASS_NAME, "direct-upload-remove"))

    def download(self, filename: str, downloads: Path) -> bytes:
        saved = downloads / filename
        self.browser.find_element(By.LINK_TEXT, filename).click()
        self.wait(lambda: saved.exists() and not list(downloads.glob("*.crdownload")))
        content = saved.read_bytes()
        saved.unlink()
        return content

    def wait(self, condition: Callable[[], object]) -> None:
        WebDriverWait(self.browser, TIMEOUT, 0.1).until(lambda _: condition())

    def _is_gone(self, element: object) -> bool:
        try:
            element.is_enabled()  # type: ignore[attr-defined]
        except WebDriverException as error:  # Chromium tells it in two ways
            if isinstance(error, StaleElementReferenceException) or "does not belong to the document" in str(error):
                return True
            raise
        return False

    @contextmanager
    def without_javascript(self) -> Iterator[None]:
        self.browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
        try:
            yield
        finally:
            self.browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


@pytest.fixture
def files(tmp_path: Path) -> Files:
    def make(name: str, size: int = 1000) -> Path:
        path = tmp_path / name
        path.write_bytes(os.urandom(size))
        return path

    return make


def test_the_first_application_takes_files(reader: Reader, browser: Chrome, files: Files) -> None:
    prepare(reader)
    with reader.running(reader.guide.start[-1]) as address:
        visitor = Visitor(browser, address)
        for name, size in (("small.txt", 1234), ("large.bin", LARGE)):
            visitor.open()
            visitor.choose(files(name, size))
            visitor.wait_until_uploaded()
            visitor.send()
            assert (name in visitor.text, str(size) in visitor.text) == (True, True)
        with visitor.without_javascript():
            visitor.open()
            visitor.choose(files("plain.txt", 4321))
            visitor.send()
            assert ("plain.txt" in visitor.text, "4321" in visitor.text) == (True, True)


def prepare(reader: Reader) -> None:
    """Do what the page says before it starts the first application."""
    guide = reader.guide
    if "INSTALLED_APPS" in guide.settings[0]:
        reader.run("django-admin startproject mysite .")
        reader.append("mysite/settings.py", guide.settings[0])
        reader.write("mysite/urls.py", guide.code[0])
    else:
        reader.write("app.py", guide.code[0])
    for command in guide.start[:-1]:
        reader.run(command)


def test_the_application_with_a_record_lists_downloads_and_removes(
    reader: Reader, browser: Chrome, files: Files, downloads: Path
) -> None:
    clean_up = prepare_record(reader)
    with reader.running(reader.guide.start[-1]) as address:
        visitor = Visitor(browser, address)
        visitor.open()
        chosen = [files(UNICODE), files("large.bin", LARGE), files("wrong.txt")]
        visitor.choose(*chosen)
        visitor.wait_until_uploaded(3)
        visitor.press_remove("wrong.txt")
        visitor.wait_until_uploaded(2)
        visitor.send()
        assert sorted(visitor.links()) == ["large.bin", UNICODE]
        for path in chosen[:2]:
            assert visitor.download(path.name, downloads) == path.read_bytes()
        with visitor.without_javascript():
            visitor.open()
            visitor.choose(files("sent as it is – 笑.txt"), files("two.txt"))
            visitor.send()
        assert sorted(visitor.links()) == ["large.bin", "sent as it is – 笑.txt", "two.txt", UNICODE]
        name = "sent as it is – 笑.txt"
        assert visitor.download(name, downloads) == (chosen[0].parent / name).read_bytes()
        visitor.open()
        visitor.choose(files("never sent.txt"))
        visitor.wait_until_uploaded()
    reader.run(clean_up)


def prepare_record(reader: Reader) -> str:
    """Do what the section about the record says; return the command that deletes what was never sent."""
    guide = reader.guide
    if "INSTALLED_APPS" not in guide.settings[0]:
        reader.write("documents.py", (DOCS / "documents.py").read_text(encoding="utf-8"))
        reader.write("app.py", guide.code[1])
        return next(command for command in COMMAND.findall(guide.text) if re.search("documents.py|delete", command))
    if not (reader.directory / "mysite").exists():
        prepare(reader)
    reader.run("python manage.py startapp documents")
    reader.append("mysite/settings.py", guide.settings[1])
    names = ["documents/models.py", "documents/management/commands/delete_abandoned.py", "mysite/urls.py"]
    for name, code in zip(names, guide.code[1:], strict=True):
        assert f"``{name}``" in guide.text
        reader.write(name, code)
    reader.run("python manage.py makemigrations documents")
    reader.run("python manage.py migrate")
    return "python manage.py delete_abandoned"
