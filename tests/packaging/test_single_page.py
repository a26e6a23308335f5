"""The single-page application of the documentation: compiled, built, and run with Vite's development server."""

from __future__ import annotations

import json
import re
import shutil
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.script.node import STATIC
from helpers.script.npm import NAME, NODE_MODULES, development_server, run, serve_folder, tool
from selenium.webdriver.support.wait import WebDriverWait
from waitress.server import create_server

DOCUMENTED = (STATIC.parent / "docs" / "frontends.rst").read_text()
#: Two segments.
TEXT_LENGTH = 16 * 1024 * 1024 + 1


def documented_files() -> dict[str, str]:
    """Return the files of the single-page application in the documentation by name."""
    blocks = re.findall(r"^   :caption: (\S+)\n\n((?:   .*\n|\n)+)", DOCUMENTED, re.MULTILINE)
    return {name: textwrap.dedent(text) for name, text in blocks}


@pytest.fixture
def single_page(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, str]]:
    """Write the documented application, run its Python and return its folder and the address of that."""
    folder = tmp_path / "single_page"
    modules = folder / "node_modules"
    shutil.copytree(package, modules / NAME)
    for name in ("@types", "csstype", "react", "react-dom", "scheduler"):
        (modules / name).symlink_to(NODE_MODULES / name)
    for name, text in documented_files().items():
        (folder / name).write_text(text)
    (folder / "package.json").write_text(json.dumps({"type": "module"}))
    monkeypatch.chdir(folder)
    namespace: dict[str, Any] = {}
    exec((folder / "app.py").read_text(), namespace)  # noqa: S102
    server = create_server(with_files(namespace["app"], folder / "dist"), host="127.0.0.1", port=0)
    threading.Thread(target=server.run, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.effective_port}"
    server.close()


def with_files(app: Callable[..., Any], folder: Path) -> Callable[..., Any]:
    """Serve a folder beside an application, as a web server does."""
    files = serve_folder(folder)
    mine = ("/_upload/", "/api/")
    return lambda environ, start: (app if environ["PATH_INFO"].startswith(mine) else files)(environ, start)


def assert_single_page_uploads(driver: Any, url: str, tmp_path: Path) -> None:
    """Choose a file in the element, send the form and read the answer of the API."""
    file = tmp_path / "Übung.txt"
    file.write_bytes(b"x" * TEXT_LENGTH)
    driver.get(f"{url}/")
    waiting = WebDriverWait(driver, 60, poll_frequency=0.1)
    chooser = "return document.querySelector('direct-upload')?.shadowRoot?.querySelector('input')"
    waiting.until(lambda driver: driver.execute_script(chooser)).send_keys(str(file))
    driver.execute_script("document.querySelector('form > button').click()")
    answer = "return document.querySelector('output').textContent"
    assert waiting.until(lambda driver: driver.execute_script(answer)) == "Übung.txt"


def test_the_documented_single_page_application_compiles(single_page: tuple[Path, str]) -> None:
    folder, _ = single_page
    run(tool("tsc"), "--project", folder, cwd=folder)


@pytest.mark.browser
def test_the_documented_single_page_application_is_built(
    single_page: tuple[Path, str], driver: Any, tmp_path: Path
) -> None:
    folder, url = single_page
    run(tool("vite"), "build", cwd=folder)
    assert_single_page_uploads(driver, url, tmp_path)


@pytest.mark.browser
def test_the_documented_single_page_application_is_developed(
    single_page: tuple[Path, str], driver: Any, tmp_path: Path
) -> None:
    """Only the address of the application and the port differ from the documentation."""
    folder, url = single_page
    config = folder / "vite.config.js"
    text = config.read_text()
    assert text.count("http://localhost:8000") == 2
    text = text.replace("http://localhost:8000", url).replace("server: {", 'server: { host: "127.0.0.1", port: 0,')
    config.write_text(text)
    with development_server(folder) as address:
        assert_single_page_uploads(driver, address, tmp_path)
