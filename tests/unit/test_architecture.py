"""Imports point downward only, and modules and folders stay small."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import direct_upload_middleware

PACKAGE = Path(direct_upload_middleware.__file__).parent
STATIC = PACKAGE.parent / "static"
NAME = PACKAGE.name

LAYERS = {
    "": [
        {"errors", "headers", "file_types"},
        {"models"},
        {"keys", "storage"},
        {"plan", "policy"},
        {"tokens"},
        {"origins"},
        {"requester"},
        {"option_values"},
        {"options"},
        {"operations"},
        {"uploads"},
        {"receiving"},
        {"upload_store"},
        {"api", "request_uploads", "pages", "identity_subrequest"},
        {"middleware"},
        {"__init__"},  # the package itself: the public names
        {"integrations", "testing", "cli"},
    ],
    "file_types": [{"active_types", "extension_types"}, {"media_types"}, {"sniff"}, {"__init__"}],
    "operations": [{"callbacks", "outcomes", "attempts", "sealing"}, {"completion"}, {"__init__"}],
    "tokens": [{"signed"}, {"tickets", "receipts"}, {"__init__"}],
    "storage": [
        {"base", "temp_urls", "concurrency", "redaction", "object_reader"},
        {"sweeping", "sending"},
        {"local", "swift", "s3"},
        {"rackspace"},
        {"urls"},
        {"__init__"},
    ],
}
"""The modules and folders in a folder, from the bottom to the top."""

MODULES = sorted(PACKAGE.rglob("*.py"))
FOLDERS = sorted({module.parent for module in MODULES})


def label(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def imported(module: Path) -> Iterator[Path]:
    """The modules of the package that a module imports, at run time or for types."""
    package = list(module.relative_to(PACKAGE.parent).parts[:-1])
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base = base + (node.module.split(".") if node.module else [])
            names = [[*base, alias.name] for alias in node.names]
        else:
            continue
        yield from (located(name[1:]) for name in names if name[0] == NAME)


def located(name: list[str]) -> Path:
    """The module that a dotted name below the package is, or is defined in."""
    path = PACKAGE.joinpath(*name)
    if path.is_dir():
        return path / "__init__.py"
    if path.with_suffix(".py").exists():
        return path.with_suffix(".py")
    return located(name[:-1])


def child_of(folder: Path, module: Path) -> str | None:
    """The module or folder directly in ``folder`` that holds ``module``; None where it is elsewhere."""
    if not module.is_relative_to(folder):
        return None
    return module.relative_to(folder).parts[0].removesuffix(".py")


def needs_in(folder: Path) -> dict[str, set[str]]:
    """For each module and folder directly in ``folder``, the others there that it imports."""
    needs: dict[str, set[str]] = {}
    for module in MODULES:
        child = child_of(folder, module)
        if child is not None:
            others = {child_of(folder, other) for other in imported(module)} - {child, None}
            needs.setdefault(child, set()).update(str(other) for other in others)
    return needs


@pytest.mark.parametrize("folder", LAYERS)
def test_imports_point_downward(folder: str) -> None:
    layers = LAYERS[folder]
    height = {child: number for number, children in enumerate(layers) for child in children}
    needs = needs_in(PACKAGE / folder)
    assert set(needs) - set(height) == set(), "put it into a layer"
    upward = {(child, other) for child, others in needs.items() for other in others if height[other] > height[child]}
    assert upward == set()


@pytest.mark.parametrize("folder", FOLDERS, ids=label)
def test_no_modules_import_each_other_in_a_circle(folder: Path) -> None:
    needs = {child: others - {"__init__"} for child, others in needs_in(folder).items()}
    while free := {child for child, others in needs.items() if not others}:
        needs = {child: others - free for child, others in needs.items() if child not in free}
    assert needs == {}


@pytest.mark.parametrize("module", MODULES, ids=label)
def test_modules_have_less_than_300_lines(module: Path) -> None:
    assert len(module.read_text(encoding="utf-8").splitlines()) < 300


@pytest.mark.parametrize(
    "module",
    [path for path in sorted(STATIC.rglob("*.js")) if "dist" not in path.parts],
    ids=lambda path: path.relative_to(STATIC).as_posix(),
)
def test_scripts_have_less_than_300_lines(module: Path) -> None:
    assert len(module.read_text(encoding="utf-8").splitlines()) < 300


@pytest.mark.parametrize("folder", FOLDERS, ids=label)
def test_folders_have_at_most_15_modules(folder: Path) -> None:
    assert len({module.stem for module in folder.glob("*.py")} - {"__init__"}) <= 15


def test_the_core_needs_nothing_but_webob_and_itsdangerous() -> None:
    """The storages that need heavier packages import them where they use them."""
    heavy = {"requests", "openstack", "keystoneauth1", "swiftclient", "swift", "webtest", "click", "rich", "pyrax"}
    for module in MODULES:
        if {"testing", "cli", "integrations", "swift"} & set(module.relative_to(PACKAGE).parts):
            continue
        top = ast.parse(module.read_text(encoding="utf-8")).body
        names = {
            name.split(".")[0]
            for node in top
            if isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and not node.level)
            for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names])
        }
        assert not names & heavy, module
