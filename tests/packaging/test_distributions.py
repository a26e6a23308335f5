"""The source distribution and the wheel: what is in them, how they look on a package index, and that they install."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest
from readme_renderer import rst

ROOT = Path(__file__).parents[2]
PACKAGE = "direct_upload_middleware"
NOT_SOURCE = (".git", ".venv*", ".*_cache", ".hypothesis", "__pycache__", "build", "*.egg-info", "_build")


def run(*command: str | Path, cwd: Path) -> str:
    """Return what a command prints; fail with it where the command fails."""
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source distribution, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("packaging")
    checkout = shutil.copytree(ROOT, folder / "checkout", ignore=shutil.ignore_patterns(*NOT_SOURCE))
    run(sys.executable, "-m", "build", "--outdir", folder / "dist", cwd=checkout)
    return folder / "dist"


@pytest.fixture(scope="module")
def wheel(distributions: Path) -> Path:
    return next(distributions.glob("*.whl"))


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with the wheel and pytest, and nothing else."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", wheel, "pytest", cwd=folder)
    return python


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def metadata_of(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return message_from_bytes(archive.read(name))


def test_a_package_index_accepts_them(distributions: Path) -> None:
    run(sys.executable, "-m", "twine", "check", "--strict", *distributions.iterdir(), cwd=distributions)


def test_the_wheel_has_every_module_of_the_package(wheel: Path) -> None:
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / PACKAGE).rglob("*.py")}
    assert modules <= names_in(wheel)
    assert f"{PACKAGE}/py.typed" in names_in(wheel)


def test_the_wheel_has_every_file_that_the_page_loads(wheel: Path) -> None:
    static = ROOT / "static"
    scripts = [*static.rglob("*.js"), *static.rglob("*.d.ts")]
    assert scripts
    assert {f"{PACKAGE}/static/{path.relative_to(static)}" for path in scripts} <= names_in(wheel)


def test_the_wheel_has_nothing_else(wheel: Path) -> None:
    """The example without a framework is for ``direct-upload demo``."""
    folders = {path.name for path in (ROOT / PACKAGE).iterdir() if path.is_dir()} | {"static"}
    for name in names_in(wheel):
        top, *below = name.split("/")
        if top == PACKAGE and len(below) > 1 and below[0] not in folders:
            assert below[0] == "demo", name
            assert len(below) == 2 or below[1] == "plain", name
        else:
            assert top == PACKAGE or top.endswith(".dist-info"), name


def test_the_source_distribution_has_what_the_tests_need(distributions: Path) -> None:
    with tarfile.open(next(distributions.glob("*.tar.gz"))) as archive:
        found = {name.partition("/")[2] for name in archive.getnames()}
    tests = {str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("*.py")}
    assert tests | {"Makefile", ".ci/run", "LICENSE", "pyproject.toml", "static/package.json"} <= found


def test_the_metadata_is_complete(wheel: Path) -> None:
    metadata = metadata_of(wheel)
    assert metadata["License-Expression"] == "MIT"
    assert metadata["License-File"] == "LICENSE"
    assert sorted(metadata.get_all("Requires-Dist", [])[:2]) == ["itsdangerous>=2.1", "webob>=1.8.8"]
    extras = {"swift", "rackspace", "cli", "sniff", "demo"}
    assert extras <= set(metadata.get_all("Provides-Extra", []))
    assert not {"test", "docs", "lint", "examples"} & set(metadata.get_all("Provides-Extra", []))


def test_the_description_needs_nothing_of_the_checkout(wheel: Path) -> None:
    """A package index has no files, so a picture or a link that is relative would be broken there."""
    html = rst.render(str(metadata_of(wheel).get_payload()))
    assert html is not None
    assert "DirectUploadMiddleware" in html
    targets = [part.partition('"')[0] for name in ("href", "src") for part in html.split(f'{name}="')[1:]]
    assert [target for target in targets if not target.startswith(("https://", "#"))] == []


def test_the_wheel_is_importable(wheel: Path, python: Path, tmp_path: Path) -> None:
    program = f"from {PACKAGE} import DirectUploadMiddleware, __version__; print(__version__)"
    assert run(python, "-c", program, cwd=tmp_path).strip() == metadata_of(wheel)["Version"]


@pytest.mark.parametrize("has_bundles", [True, False], ids=["bundles", "modules"])
def test_an_application_serves_the_script_from_the_wheel(wheel: Path, tmp_path: Path, has_bundles: bool) -> None:
    """A wheel that is built where ``make static`` has not run has the modules only."""
    run(sys.executable, "-m", "zipfile", "--extract", wheel, tmp_path, cwd=tmp_path)
    dist = tmp_path / PACKAGE / "static" / "dist"
    assert (dist / "sources.sha256").is_file()
    if not has_bundles:
        shutil.rmtree(dist)
    program = f"""
import logging, re
logging.basicConfig(level="WARNING")
import {PACKAGE}
from {PACKAGE} import DirectUploadMiddleware
from webob import Request
assert {PACKAGE}.__file__ == {str(tmp_path / PACKAGE / "__init__.py")!r}
app = DirectUploadMiddleware(lambda environ, start_response: [], "local:files")
get = lambda path: Request.blank(f"/_upload/static/{{path}}").get_response(app)
entry = get("direct-upload.js")
version = re.search(r"[0-9a-f]{{16}}", entry.text)[0]
engine = get(f"{{version}}/engine/upload.js")
worker = get(f"{{version}}/hashing/hash-worker.js")
print(entry.status_int, engine.status_int, worker.status_int, "sourceMappingURL" in engine.text)
"""
    served = run(sys.executable, "-W", "ignore", "-c", program, cwd=tmp_path).strip()
    assert served == f"200 200 200 {has_bundles}"


def test_a_project_that_does_not_use_the_plugin_does_not_load_it(python: Path, tmp_path: Path) -> None:
    """Its pytest must work where warnings are errors: WebOb imports ``cgi``, which warns on Python 3.11 and 3.12."""
    (tmp_path / "test_project.py").write_text(
        "import sys\n\n"
        "def test_nothing_is_loaded():\n"
        f'    assert [name for name in sys.modules if name.startswith(("{PACKAGE}", "webob"))] == []\n'
    )
    assert "1 passed" in run(python, "-W", "error", "-m", "pytest", cwd=tmp_path)


def test_a_project_may_load_the_plugin_where_warnings_are_errors(python: Path, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(f'pytest_plugins = ["{PACKAGE}.testing.pytest_plugin"]\n')
    (tmp_path / "test_project.py").write_text(
        "def test_a_storage(direct_uploads):\n    assert direct_uploads.storage.startswith('local:')\n"
    )
    assert "1 passed" in run(python, "-W", "error", "-m", "pytest", cwd=tmp_path)
