"""How the script's modules are served."""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from webob import Request, Response
from webtest import TestApp

from direct_upload_middleware import DirectUploadMiddleware
from direct_upload_middleware.api.javascript import lazily_imported, needed_at_once, strip_comments

STATIC = Path(__file__).parents[1] / "static"
MODULES = sorted(path.name for path in STATIC.glob("*.js"))
#: What comes only when it is needed.
LATE = {"./read-md5.js", "./hash-worker.js", "./records.js"}
ENTRY = "/_upload/static/direct-upload.js"


@pytest.fixture
def browser(tmp_path: Path) -> TestApp:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        raise AssertionError("the application is not asked for the script")

    return TestApp(DirectUploadMiddleware(app, f"local:{tmp_path}"))


@pytest.fixture
def versioned(browser: TestApp) -> str:
    """The address of the folder whose content never changes."""
    found = re.search(r'"\./([0-9a-f]{16})/failure\.js"', browser.get(ENTRY).text)
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
    brotli = pytest.importorskip("brotli")
    answer = ask(browser, f"{versioned}/engine.js", "gzip, deflate, br")
    assert answer.headers["Content-Encoding"] == "br"
    assert brotli.decompress(answer.body) == browser.get(f"{versioned}/engine.js").body


def test_what_is_too_short_to_be_compressed_is_not(browser: TestApp, versioned: str) -> None:
    answer = ask(browser, f"{versioned}/direct-upload.js", "gzip")
    assert "Content-Encoding" not in answer.headers


def test_a_page_without_a_file_input_loads_little(browser: TestApp, versioned: str) -> None:
    assert sum(len(ask(browser, url, "gzip").body) for url in (ENTRY, f"{versioned}/failure.js")) < 1200


def test_a_module_that_comes_late_names_all_that_it_needs(browser: TestApp, versioned: str) -> None:
    named = imports(browser.get(f"{versioned}/engine.js").text)
    for path in sorted(named - LATE):
        assert imports(browser.get(f"{versioned}/{path[2:]}").text) - LATE <= named


# -- comments ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "stripped"),
    [
        pytest.param("a; // b\nc;", "a;\nc;", id="to the end of the line"),
        pytest.param("a /* b */ + c", "a + c", id="within a line"),
        pytest.param("a/* b */b", "a b", id="between two words"),
        pytest.param("return /* b\n*/ c", "return\nc", id="over two lines"),
        pytest.param("  {\n    a;\n\n\n    b;\n  }", "{\na;\nb;\n}", id="indentation"),
        pytest.param("x = '/* a */' + \"// b\";", "x = '/* a */' + \"// b\";", id="in strings"),
        pytest.param(r"x = 'it\'s // a';", r"x = 'it\'s // a';", id="after an escaped quote"),
        pytest.param("x = ` // a\n  ${ y /* b */ } /* c */`;", "x = ` // a\n  ${ y } /* c */`;", id="in templates"),
        pytest.param("`${ {a: `${b}//`} }//` // c", "`${ {a: `${b}//`} }//`", id="in templates in templates"),
        pytest.param(r"`\`//${a}\${//`", r"`\`//${a}\${//`", id="after escapes in templates"),
        pytest.param("x = /[/*]*\\/\\/'/g; // a", "x = /[/*]*\\/\\/'/g;", id="in regular expressions"),
        pytest.param("return /'/.test(a) // b", "return /'/.test(a)", id="in regular expressions after words"),
        pytest.param('f(/"/, a) // b', 'f(/"/, a)', id="in regular expressions as arguments"),
        pytest.param("a / b / c; // d", "a / b / c;", id="after divisions"),
        pytest.param("(a) / 2 + '/'; // d", "(a) / 2 + '/';", id="after divisions of parentheses"),
        pytest.param("a[0] / `b` / c // d", "a[0] / `b` / c", id="after divisions of templates"),
    ],
)
def test_comments_go_and_nothing_else(source: str, stripped: str) -> None:
    assert strip_comments(source) == stripped + "\n"


def test_a_template_without_an_end_is_no_module() -> None:
    with pytest.raises(ValueError, match="template"):
        strip_comments("`a")


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_the_same_program_without_its_comments(name: str, tmp_path: Path) -> None:
    """Node's own parser prints both alike, as functions are printed without comments only when there are none."""
    source = (STATIC / name).read_text("utf-8")
    stripped = strip_comments(source)
    assert strip_comments(stripped) == stripped
    assert len(re.findall(r"/\*\*", stripped)) == 0
    node = shutil.which("node") or pytest.fail("node is needed: pip install 'direct-upload-middleware[test]' brings it")
    module = tmp_path / f"{name}.mjs"
    module.write_text(stripped, "utf-8")
    subprocess.run([node, "--check", module], check=True, capture_output=True)


def test_what_a_module_needs_is_found() -> None:
    modules = {
        "a.js": 'import { b } from "./b.js";\nimport "./c.js";\nexport { d } from "./d.js";\nx(import("./e.js"));\n',
        "b.js": 'import {\nc,\nd,\n} from "./c.js";\n',
        "c.js": 'import { a } from "./a.js";\nexport function f() { return import("./e.js") }\n',
        "d.js": 'const text = "./e.js";\n',
        "e.js": "",
    }
    assert needed_at_once("a.js", modules) == ["b.js", "c.js", "d.js"]
    assert lazily_imported(modules["a.js"]) == {"e.js"}
