"""How the script's modules are served."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import brotli
import pytest
from helpers.node import STATIC, run_module
from webob import Request, Response
from webtest import TestApp

from direct_upload_middleware import DirectUploadMiddleware

MODULES = sorted(path.name for path in STATIC.glob("*.js"))
ENTRY = "/_upload/static/direct-upload.js"


@pytest.fixture
def browser(tmp_path: Path) -> TestApp:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        raise AssertionError("the application is not asked for the script")

    return TestApp(DirectUploadMiddleware(app, f"local:{tmp_path}"))


@pytest.fixture
def versioned(browser: TestApp) -> str:
    """The address of the folder whose content never changes."""
    found = re.search(r'"\./([0-9a-f]{16})/engine\.js"', browser.get(ENTRY).text)
    assert found
    return f"/_upload/static/{found[1]}"


def ask(browser: TestApp, url: str, accepted: str | None) -> Response:
    """The answer as it is on its way: WebTest would decode it."""
    headers = {} if accepted is None else {"Accept-Encoding": accepted}
    return Request.blank(url, headers=headers).get_response(browser.app)


def imports(text: str) -> set[str]:
    return set(re.findall(r"""["'](\.\.?/[\w/-]+\.js)["']""", text))


def test_the_entry_is_asked_for_anew_and_all_else_never_again(browser: TestApp, versioned: str) -> None:
    assert browser.get(ENTRY).headers["Cache-Control"] == "no-cache"
    for name in MODULES:
        answer = browser.get(f"{versioned}/{name}")
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.content_type == "text/javascript"


def test_whatever_a_module_names_is_there(browser: TestApp, versioned: str) -> None:
    for folder in ("/_upload/static", versioned):
        for name in MODULES:
            for path in imports(browser.get(f"{folder}/{name}").text):
                url = f"{folder}/{path}".replace("/./", "/")
                browser.get(re.sub(r"/[^/]+/\.\./", "/", url))


def test_a_module_without_a_version_leads_to_the_one_with(browser: TestApp, versioned: str) -> None:
    """Or a page that imports one by hand would have it twice."""
    version = versioned.rpartition("/")[2]
    for name in set(MODULES) - {"direct-upload.js"}:
        assert browser.get(f"/_upload/static/{name}").text == f'export * from "./{version}/{name}";\n'
    assert browser.get(f"{versioned}/direct-upload.js").text == 'export * from "../direct-upload.js";\n'


def test_a_page_from_before_an_update_gets_what_there_is_now(browser: TestApp, versioned: str) -> None:
    answer = browser.get(f"/_upload/static/{'0' * 16}/engine.js")
    assert answer.text == browser.get(f"{versioned}/engine.js").text
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
        "other/engine.js",
        "{version}/",
        "{version}/no-such.js",
        "{version}/{version}/engine.js",
        "{version}/../engine.py",
    ],
)
def test_nothing_but_modules_is_served(browser: TestApp, versioned: str, path: str) -> None:
    browser.get("/_upload/static/" + path.format(version=versioned.rpartition("/")[2]), status=404)


@pytest.mark.parametrize("module", [ENTRY, "/engine.js"])
@pytest.mark.parametrize("accepted", [None, "gzip"])
def test_what_is_known_is_not_sent_again(browser: TestApp, versioned: str, module: str, accepted: str | None) -> None:
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
    plain = browser.get(f"{versioned}/engine.js")
    answer = ask(browser, f"{versioned}/engine.js", accepted)
    assert answer.headers.get("Content-Encoding") == encoding
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert (gzip.decompress(answer.body) if encoding else answer.body) == plain.body
    assert (answer.headers["ETag"] == plain.headers["ETag"]) is (encoding is None)


def test_brotli_is_preferred_where_there_is_any(browser: TestApp, versioned: str) -> None:
    answer = ask(browser, f"{versioned}/engine.js", "gzip, deflate, br")
    assert answer.headers["Content-Encoding"] == "br"
    assert brotli.decompress(answer.body) == browser.get(f"{versioned}/engine.js").body


def test_what_is_too_short_to_be_compressed_is_not(browser: TestApp, versioned: str) -> None:
    answer = ask(browser, f"{versioned}/direct-upload.js", "gzip")
    assert "Content-Encoding" not in answer.headers


def statically(text: str) -> list[str]:
    """What a file needs before it runs."""
    return re.findall(r'from "([^"]*)";', text)


def test_what_is_needed_together_comes_with_one_request(browser: TestApp, versioned: str) -> None:
    assert statically(browser.get(ENTRY).text) == []
    assert statically(browser.get(f"{versioned}/engine.js").text) == ["../direct-upload.js"]
    assert set(statically(browser.get(f"{versioned}/form.js").text)) == {"../direct-upload.js", "./engine.js"}
    assert statically(browser.get(f"{versioned}/hash-worker.js").text) == []
    assert imports(browser.get(f"{versioned}/form.js").text) <= {"../direct-upload.js", "./engine.js", "./form.js"}


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


def test_every_module_is_there_once_whatever_its_address(browser: TestApp, versioned: str, tmp_path: Path) -> None:
    version = versioned.rpartition("/")[2]
    (tmp_path / version).mkdir()
    (tmp_path / "package.json").write_text('{"type": "module"}', "utf-8")
    for path in [*MODULES, *(f"{version}/{name}" for name in MODULES)]:
        (tmp_path / path).write_text(browser.get(f"/_upload/static/{path}").text, "utf-8")
    run_module(IMPORT_ALL, str(STATIC), str(tmp_path), version, given=json.dumps(MODULES))
