"""Chromium, and a page with Uppy that esbuild bundles."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.browsers.engines import Chromium, started
from uppy.site import Applicant, UppySite

from direct_upload_middleware.testing.private_swift.server import SwiftServer

HERE = Path(__file__).parent
NODE_MODULES = Path(os.environ.get("NODE_PATH", "").split(os.pathsep)[0])

Apply = Callable[..., Applicant]


def run(program: str, *arguments: str) -> None:
    """Run a program that npm has installed."""
    found = NODE_MODULES / ".bin" / program
    if not found.exists():
        pytest.fail(f"{program} is needed: 'make test' installs it, and Uppy; -m 'not browser' does without")
    outcome = subprocess.run([found, *arguments], capture_output=True, text=True, check=False, timeout=120)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return the page's files by path."""
    made = tmp_path_factory.mktemp("page")
    run("esbuild", str(HERE / "page.js"), "--bundle", "--format=esm", "--external:/_upload/*", f"--outdir={made}")
    return {f"/{path.name}": path.read_bytes() for path in made.iterdir()}


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with started(Chromium(), tmp_path_factory.mktemp("chromium") / "profile") as driver:
        yield driver


@pytest.fixture
def apply(driver: Any, swift_server: SwiftServer, bundle: dict[str, bytes]) -> Iterator[Apply]:
    """Return a function that opens a website with these options, at an origin of its own."""
    sites: list[UppySite] = []

    def at(way: str, **options: Any) -> Applicant:
        sites.append(UppySite(swift_server, files=bundle, identify=lambda environ: "ann", **options))
        applicant = Applicant(driver, sites[-1], way)
        applicant.visit()
        return applicant

    yield at
    driver.get("about:blank")
    driver.delete_all_cookies()
    for site in sites:
        site.__exit__()
