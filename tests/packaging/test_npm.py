"""The npm package: what is in it, that bundlers' output of it uploads in a browser, and that its types compile."""

from __future__ import annotations

import json
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.script.node import STATIC, run_module
from helpers.script.npm import NAME, NODE_MODULES, development_server, run, serve_folder, tool
from waitress.server import create_server

import direct_upload_middleware
from direct_upload_middleware import DirectUploadMiddleware

CONSUMER = Path(__file__).with_name("consumer")
#: Two segments.
SEGMENT = 1024 * 1024
TEXT_LENGTH = SEGMENT + 1
PAGE = '<!doctype html>\n<title>Application</title>\n<script type="module" src="{script}"></script>\n'


@pytest.fixture
def project(package: Path, tmp_path: Path) -> Path:
    """An application that has the package installed, and nothing else."""
    folder = shutil.copytree(CONSUMER, tmp_path / "project")
    shutil.copytree(package, folder / "node_modules" / NAME)
    (folder / "package.json").write_text(json.dumps({"type": "module"}))
    (folder / "index.html").write_text(PAGE.format(script="/app.js"))
    return folder


class Site:
    """An application with the middleware, which serves a folder that a bundler has written."""

    def __init__(self, folder: Path, storage: Path) -> None:
        self.uploads: list[direct_upload_middleware.Upload] = []
        self.app = DirectUploadMiddleware(
            serve_folder(folder),
            f"local:{storage}",
            anonymous=True,
            segment_size=SEGMENT,
            on_complete=lambda environ, upload: self.uploads.append(upload),
        )
        self._server = create_server(self.app, host="127.0.0.1", port=0)
        self.url = f"http://127.0.0.1:{self._server.effective_port}"
        threading.Thread(target=self._server.run, daemon=True).start()

    def close(self) -> None:
        self._server.close()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[Path], Site]]:
    sites: list[Site] = []

    def at(folder: Path) -> Site:
        sites.append(Site(folder, tmp_path / "files"))
        return sites[-1]

    yield at
    for site in sites:
        site.close()


def assert_uploads(driver: Any, url: str, site: Site) -> None:
    """Upload two segments from the page, with the default mount, and hash them in a worker."""
    driver.get(url)
    result = driver.execute_async_script(
        """const done = arguments[1];
        const look = () => window.send ? send("x".repeat(arguments[0])).then(done, (error) => done(String(error))) : 0;
        if (look() === 0) addEventListener("load", look);""",
        TEXT_LENGTH,
    )
    assert isinstance(result, dict), result
    assert [(upload.filename, upload.size) for upload in site.uploads] == [("bundled.txt", TEXT_LENGTH)]
    assert result["size"] == "1 MB"
    assert result["plugin"] == "DirectUpload"
    assert result["logged"] == []
    assert result["hashes"] >= 1  # small segments are hashed in the page
    assert site.app.store.open(site.uploads[0]).read() == b"x" * TEXT_LENGTH


def test_its_version_is_that_of_the_python_package() -> None:
    assert json.loads((STATIC / "package.json").read_text())["version"] == direct_upload_middleware.__version__


def test_it_has_the_licence() -> None:
    assert (STATIC / "LICENSE").read_text() == (STATIC.parent / "LICENSE").read_text()


def test_it_has_every_module_and_nothing_of_the_project(package: Path) -> None:
    packed = {path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file()}
    modules = {path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*.js")}
    expected = {name for name in modules if not name.startswith(("dist/", "node_modules/"))}
    types = {"direct-upload.d.ts", "messages.d.ts", "react.d.ts", "uppy.d.ts"}
    assert packed == expected | types | {"package.json", "LICENSE", "README.md"}


@pytest.mark.parametrize("name", ["direct-upload", "messages", "uppy"])
def test_the_types_have_every_name_of_the_module(name: str) -> None:
    module = (STATIC / f"{name}.js").as_uri()
    exported = run_module(f"console.log(Object.keys(await import({json.dumps(module)})).join())").strip().split(",")
    declared = re.findall(r"^export (?:class|const|function) (\w+)", (STATIC / f"{name}.d.ts").read_text(), re.M)
    assert sorted(exported) == sorted(declared)


def test_every_module_of_the_script_is_type_checked() -> None:
    """Types beside a module would take its place."""
    listed = run(tool("tsc"), "--project", STATIC, "--listFilesOnly", cwd=STATIC).splitlines()
    modules = {path for path in STATIC.rglob("*.js") if not {"dist", "node_modules"} & set(path.parts)}
    assert modules <= set(map(Path, listed))


@pytest.mark.parametrize(
    ("module", "resolution"), [("esnext", "bundler"), ("nodenext", "nodenext")], ids=["bundler", "nodenext"]
)
def test_its_types_compile_in_a_strict_project(project: Path, module: str, resolution: str) -> None:
    options = {
        "module": module,
        "moduleResolution": resolution,
        "target": "es2022",
        "lib": ["es2022", "dom", "dom.iterable"],
        "types": [],
        "strict": True,
        "exactOptionalPropertyTypes": True,
        "noUncheckedIndexedAccess": True,
        "verbatimModuleSyntax": True,
        "skipLibCheck": False,
        "noEmit": True,
    }
    (project / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "files": ["types.ts"]}))
    run(tool("tsc"), "--project", project, cwd=project)


def test_its_element_has_a_type_in_react(project: Path) -> None:
    (project / "node_modules" / "@types").symlink_to(NODE_MODULES / "@types")
    (project / "node_modules" / "csstype").symlink_to(NODE_MODULES / "csstype")
    options = {
        "module": "esnext",
        "moduleResolution": "bundler",
        "target": "es2022",
        "types": [],
        "strict": True,
        "jsx": "react-jsx",
        "verbatimModuleSyntax": True,
        "noEmit": True,
    }
    (project / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "files": ["component.tsx"]}))
    run(tool("tsc"), "--project", project, cwd=project)


@pytest.mark.browser
def test_a_build_of_vite_uploads(project: Path, driver: Any, serve: Callable[[Path], Site]) -> None:
    printed = run(tool("vite"), "build", cwd=project)
    assert "warn" not in printed.lower(), printed
    assert "import.meta.url" not in printed
    site = serve(project / "dist")
    assert_uploads(driver, site.url, site)


@pytest.mark.browser
def test_the_development_server_of_vite_uploads(project: Path, driver: Any, serve: Callable[[Path], Site]) -> None:
    site = serve(project)
    config = {
        "server": {"host": "127.0.0.1", "port": 0, "proxy": {"/_upload": site.url}},
        "optimizeDeps": {"exclude": [NAME]},
    }
    (project / "vite.config.js").write_text(f"export default {json.dumps(config)};\n")
    with development_server(project) as url:
        assert_uploads(driver, url, site)


@pytest.mark.browser
def test_a_build_of_webpack_uploads(project: Path, driver: Any, serve: Callable[[Path], Site]) -> None:
    source = """
    import { createRequire } from "node:module";
    const webpack = createRequire(`${process.env.NODE_PATH}/`)("webpack");
    const [context] = process.argv.slice(1);
    const output = { path: `${context}/dist` };
    webpack({ context, output, mode: "production", entry: "./app.js" }, (error, stats) => {
      if (error) throw error;
      process.stdout.write(stats.toString({ all: false, errors: true, warnings: true }));
      process.exitCode = stats.hasErrors() ? 1 : 0;
    });
    """
    assert run_module(source, str(project)) == ""
    (project / "dist" / "index.html").write_text(PAGE.format(script="/main.js"))
    site = serve(project / "dist")
    assert_uploads(driver, f"{site.url}/", site)


@pytest.mark.browser
def test_a_build_of_esbuild_uploads(project: Path, driver: Any, serve: Callable[[Path], Site]) -> None:
    """The command is that of the documentation."""
    documented = (STATIC.parent / "docs" / "javascript.rst").read_text()
    found = re.search(r"^ +esbuild (js/app=(?:.*\\\n)*.*)$", documented, re.MULTILINE)
    assert found is not None
    arguments = found[1].replace("\\\n", " ").split()
    run(tool("esbuild"), *arguments, "--log-level=warning", cwd=project)
    (project / "dist" / "index.html").write_text(PAGE.format(script="/js/app.js"))
    site = serve(project / "dist")
    assert_uploads(driver, site.url, site)
