"""Imports point downward only, and modules stay small."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import direct_upload_middleware

PACKAGE = Path(direct_upload_middleware.__file__).parent
NAME = PACKAGE.name

LAYERS = [
    {"errors", "headers"},
    {"models", "callbacks"},
    {"keys", "storage"},
    {"plan", "policy", "sniff", "media_types"},
    {"tokens"},
    {"tickets", "receipts"},
    {"origins"},
    {"requester"},
    {"option_values"},
    {"options"},
    {"uploads"},
    {"api", "request_uploads", "pages", "identity_subrequest"},
    {"middleware"},
    {""},  # the package itself: the public names
    {"integrations", "testing", "cli"},
]
"""From the bottom to the top. Within a layer, modules may import each other, but not in a circle."""

MODULES = sorted(PACKAGE.rglob("*.py"))


def layer_of(unit: str) -> int:
    found = [number for number, units in enumerate(LAYERS) if unit in units]
    assert found, f"{unit} belongs to no layer: put it into one"
    return found[0]


def unit_of(module: Path) -> str:
    """The module or package directly below ours."""
    first = module.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "" if first == "__init__" else first


def imported(module: Path) -> Iterator[str]:
    """The units of ours that a module imports, when it runs or when types are checked."""
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
        for name in names:
            if name[0] == NAME and len(name) > 1:
                yield name[1] if is_unit(name[1]) else ""


def is_unit(name: str) -> bool:
    return (PACKAGE / f"{name}.py").exists() or (PACKAGE / name).is_dir()


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_downward(module: Path) -> None:
    unit = unit_of(module)
    upward = [other for other in imported(module) if other != unit and layer_of(other) > layer_of(unit)]
    assert upward == []


def needs_of(unit: str) -> set[str]:
    return {other for module in MODULES if unit_of(module) == unit for other in imported(module)}


def test_no_circle_within_a_layer() -> None:
    for units in LAYERS:
        needs = {unit: needs_of(unit) & units - {unit} for unit in units}
        while free := {unit for unit, others in needs.items() if not others}:
            needs = {unit: others - free for unit, others in needs.items() if unit not in free}
        assert needs == {}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_are_shorter_than_300_lines(module: Path) -> None:
    assert len(module.read_text(encoding="utf-8").splitlines()) < 300


def test_the_core_needs_nothing_but_webob_and_itsdangerous() -> None:
    """What is heavier is imported where it is used, below a function, by the storages that need it."""
    heavy = {"requests", "openstack", "keystoneauth1", "swiftclient", "swift", "webtest", "click", "rich", "pyrax"}
    for module in MODULES:
        if unit_of(module) in ("testing", "cli", "integrations") or "swift" in module.relative_to(PACKAGE).parts:
            continue
        top = ast.parse(module.read_text(encoding="utf-8")).body
        names = {
            name.split(".")[0]
            for node in top
            if isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and not node.level)
            for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names])
        }
        assert not names & heavy, module
