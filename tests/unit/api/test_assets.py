"""How the script is served, bundled and as modules."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from posixpath import dirname, normpath
from typing import Any

import brotli
import pytest
from helpers.script.node import STATIC, run_module
from webob import Request, Response
from webtest import TestApp

from direct_upload_middleware import DirectUploadMiddleware
from direct_upload_middleware.api import assets

ENTRY = "/_upload/static/direct-upload.js"
ENGINE = "engine/upload.js"
PAGE = "ui/form.js"
WORKER = "hashing/hash-worker.js"


@pytest.fixture(params=["bundles", "modules"])
def scripts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """The folder that is served, in a copy of ``static`` with and without ``dist``."""
    static = tmp_path / "static"
    ignored = shutil.ignore_patterns("__pycache__", *(["dist"] if request.param == "modules" else []))
    shutil.copytree(STATIC, static, ignore=ignored)
    monkeypatch.setattr(assets, "_static_directory", lambda: static)
    assets._assets.cache_clear()
    yield static / "dist" if request.param == "bundles" else static
    assets._assets.cache_clear()


def names_in(scripts: Path) -> list[str]:
    return sorted(path.relative_to(scripts).as_posix() for path in scripts.rglob("*.js"))


@pytest.fixture
def browser(scripts: Path, tmp_path: Path) -> TestApp:
    assert scripts.is_dir(), "make static"

    def app(environ: Any, start_response: Any) -> list[bytes]:
        raise AssertionError("the application is not asked for the script")

    return TestApp(DirectUploadMiddleware(app, f"local:{tmp_path / 'uploads'}"))


@pytest.fixture
def versioned(browser: TestApp) -> str:
    """The address of the folder whose content never changes."""
    found = re.search(r'"\./([0-9a-f]{16})/engine/upload\.js"', browser.get(ENTRY).text)
    assert found
    return f"/_upload/static/{found[1]}"


def ask(browser: TestApp, url: str, accepted: str | None) -> Response:
    """The answer as it is on its way: WebTest would decode it."""
    headers = {} if accepted is None else {"Accept-Encoding": accepted}
    return Request.blank(url, headers=headers).get_response(browser.app)


def imported(browser: TestApp, url: str) -> set[str]:
    """The addresses that a script names."""
    found = re.findall(r"""["'](\.{1,2}/[\w./-]+\.js)["']""", browser.get(url).text)
    return {normpath(f"{dirname(url)}/{path}") for path in found}


def test_the_entry_is_revalidated_and_everything_else_is_immutable(
    browser: TestApp, versioned: str, scripts: Path
) -> None:
    assert browser.get(ENTRY).headers["Cache-Control"] == "no-cache"
    for name in names_in(scripts):
        answer = browser.get(f"{versioned}/{name}")
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.content_type == "text/javascript"


def test_every_script_that_a_script_names_exists(browser: TestApp, versioned: str, scripts: Path) -> None:
    urls = {ENTRY, *(f"{versioned}/{name}" for name in names_in(scripts))}
    for url in urls:
        for other in imported(browser, url):
            browser.get(other)


def test_the_documented_addresses_lead_to_the_version(browser: TestApp, versioned: str) -> None:
    """Otherwise a page that imports one would have the module twice."""
    version = versioned.rpartition("/")[2]
    for name in ("messages.js", "uppy.js"):
        assert browser.get(f"/_upload/static/{name}").text == f'export * from "./{version}/{name}";\n'
    assert browser.get(f"{versioned}/direct-upload.js").text == 'export * from "../direct-upload.js";\n'


def test_a_page_from_before_an_update_gets_the_current_script(browser: TestApp, versioned: str) -> None:
    answer = browser.get(f"/_upload/static/{'0' * 16}/{ENGINE}")
    assert answer.text == browser.get(f"{versioned}/{ENGINE}").text
    assert answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "no-such.js",
        "types.d.ts",
        "package.json",
        "__init__.py",
        "..",
        "../setup.py",
        "%2e%2e/setup.py",
        "engine/upload.js",
        "other/engine/upload.js",
        "{version}/",
        "{version}/no-such.js",
        "{version}/{version}/engine/upload.js",
        "{version}/dist/engine/upload.js",
        "dist/direct-upload.js",
        "bundle.mjs",
        "{version}/bundle.mjs",
        "{version}/sources.sha256",
        "{version}/../engine/upload.js",
    ],
)
def test_only_modules_are_served(browser: TestApp, versioned: str, path: str) -> None:
    browser.get("/_upload/static/" + path.format(version=versioned.rpartition("/")[2]), status=404)


@pytest.mark.parametrize("module", [ENTRY, "/engine/upload.js"])
@pytest.mark.parametrize("accepted", [None, "gzip"])
def test_a_module_that_the_browser_has_is_not_sent_again(
    browser: TestApp, versioned: str, module: str, accepted: str | None
) -> None:
    url = module if module == ENTRY else versioned + module
    headers = {"Accept-Encoding": accepted} if accepted else {}
    first = browser.get(url, headers=headers)
    assert first.headers["ETag"].startswith('"')
    again = browser.get(url, headers={**headers, "If-None-Match": first.headers["ETag"]}, status=304)
    assert again.body == b""
    for name in ("ETag", "Cache-Control", "Vary"):
        assert again.headers[name] == first.headers[name]
    browser.get(url, headers={**headers, "If-None-Match": '"another"'}, status=200)


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        pytest.param(None, None, id="not said"),
        pytest.param("", None, id="empty"),
        pytest.param("identity", None, id="identity"),
        pytest.param("gzip", "gzip", id="gzip"),
        pytest.param("deflate, gzip;q=0.5", "gzip", id="gzip among others"),
        pytest.param("gzip;q=0", None, id="not gzip"),
        pytest.param("zstd", None, id="one that there is not"),
    ],
)
def test_a_module_is_compressed_when_asked(
    browser: TestApp, versioned: str, accepted: str | None, encoding: str | None
) -> None:
    plain = browser.get(f"{versioned}/{ENGINE}")
    answer = ask(browser, f"{versioned}/{ENGINE}", accepted)
    assert answer.headers.get("Content-Encoding") == encoding
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert (gzip.decompress(answer.body) if encoding else answer.body) == plain.body
    assert (answer.headers["ETag"] == plain.headers["ETag"]) is (encoding is None)


def test_brotli_is_preferred_where_there_is_any(browser: TestApp, versioned: str) -> None:
    answer = ask(browser, f"{versioned}/{ENGINE}", "gzip, deflate, br")
    assert answer.headers["Content-Encoding"] == "br"
    assert brotli.decompress(answer.body) == browser.get(f"{versioned}/{ENGINE}").body


def test_a_short_module_is_not_compressed(browser: TestApp, versioned: str) -> None:
    answer = ask(browser, f"{versioned}/direct-upload.js", "gzip")
    assert "Content-Encoding" not in answer.headers


def static_imports(text: str) -> set[str]:
    """The scripts that one needs before it runs."""
    return set(re.findall(r'(?:from|^import|;import) ?"([^"]*)"', text))


@pytest.mark.parametrize("scripts", ["bundles"], indirect=True)
def test_a_bundle_needs_few_requests(browser: TestApp, versioned: str) -> None:
    assert static_imports(browser.get(ENTRY).text) == set()
    assert static_imports(browser.get(f"{versioned}/{ENGINE}").text) == {"../../direct-upload.js"}
    assert static_imports(browser.get(f"{versioned}/{PAGE}").text) == {"../../direct-upload.js", "../engine/upload.js"}
    assert static_imports(browser.get(f"{versioned}/{WORKER}").text) == set()


@pytest.mark.parametrize("scripts", ["modules"], indirect=True)
def test_a_module_imports_at_once_whatever_it_needs(browser: TestApp, versioned: str) -> None:
    """So that a browser does not discover them level by level."""

    def needed(url: str) -> set[str]:
        text = browser.get(url).text
        paths = re.findall(r"""^(?:import|export)\b[^"';]*["'](\.{1,2}/[\w./-]+\.js)["'];""", text, re.MULTILINE)
        hoisted = re.findall(r'import "([^"]*)"; ', text.partition("\n")[0])
        return {normpath(f"{dirname(url)}/{path}") for path in [*paths, *hoisted]}

    direct = needed(f"{versioned}/{ENGINE}")
    assert direct
    for url in direct - {ENTRY}:
        assert needed(url) <= direct | {f"{versioned}/{ENGINE}"}


def test_only_what_is_asked_for_is_compressed(browser: TestApp, versioned: str) -> None:
    """All files together take most of a second, and a process would spend it in its first request."""
    browser.get(f"{versioned}/{ENGINE}", headers={"Accept-Encoding": "gzip"})
    compressed = {path for path, asset in assets._assets()[1].items() if "encodings" in vars(asset)}
    assert compressed == {ENTRY.rpartition("/")[2], f"{versioned.rpartition('/')[2]}/{ENGINE}"}


@pytest.mark.parametrize("scripts", ["bundles"], indirect=True)
def test_bundles_that_are_out_of_date_are_not_served(
    browser: TestApp, scripts: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bundled = browser.get(ENTRY).text
    with (scripts.parent / "messages.js").open("a", encoding="utf-8") as module:
        module.write("// changed\n")
    assets._assets.cache_clear()
    assert browser.get(ENTRY).text != bundled
    assert "make static" in caplog.text


@pytest.mark.parametrize("scripts", ["bundles"], indirect=True)
def test_incomplete_bundles_are_not_served(browser: TestApp, scripts: Path) -> None:
    """Their digest is written last."""
    bundled = browser.get(ENTRY).text
    (scripts / "sources.sha256").unlink()
    assets._assets.cache_clear()
    assert browser.get(ENTRY).text != bundled


@pytest.mark.parametrize("scripts", ["bundles"], indirect=True)
def test_bundles_have_source_maps(browser: TestApp, versioned: str) -> None:
    for url in (ENTRY, f"{versioned}/{ENGINE}", f"{versioned}/{PAGE}", f"{versioned}/{WORKER}"):
        name = re.search(r"^//# sourceMappingURL=(\S+)$", browser.get(url).text, re.MULTILINE)
        assert name
        sources = browser.get(f"{dirname(url)}/{name[1]}").json["sourcesContent"]
        assert any("export" in source for source in sources)


#: Imports every file as a page does, at every address, and finds out whether any module is there twice.
IMPORT_ALL = """
import { text } from "node:stream/consumers";
globalThis.HTMLElement = class {};
globalThis.self = globalThis;
const [sources, served, version] = process.argv.slice(1);
for (const name of JSON.parse(await text(process.stdin))) {
  const exported = Object.keys(await import(`file://${sources}/${name}`)).sort();
  const plain = await import(`file://${served}/${name}`);
  const versioned = await import(`file://${served}/${version}/${name}`);
  for (const each of exported) {
    if (!(each in plain)) throw new Error(`${name} lost ${each}`);
    if (plain[each] !== versioned[each]) throw new Error(`${name} is there twice, with ${each}`);
  }
}
"""


def test_no_module_runs_twice_whatever_its_address(
    browser: TestApp, versioned: str, scripts: Path, tmp_path: Path
) -> None:
    version = versioned.rpartition("/")[2]
    served = tmp_path / "served"
    documented = ["direct-upload.js", "messages.js", "uppy.js"]
    for path in [*documented, *(f"{version}/{name}" for name in names_in(scripts))]:
        (served / path).parent.mkdir(parents=True, exist_ok=True)
        (served / path).write_text(browser.get(f"/_upload/static/{path}").text, "utf-8")
    (served / "package.json").write_text('{"type": "module"}', "utf-8")
    run_module(IMPORT_ALL, str(STATIC), str(served), version, given=json.dumps(documented))
