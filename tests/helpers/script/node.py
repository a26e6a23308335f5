"""Node, and what npm brings, for tests of the script."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[3] / "static"


def node() -> str:
    """Node's program: the one that is installed beside Python, else any."""
    beside = str(Path(sys.executable).parent)
    found = shutil.which("node", path=os.pathsep.join([beside, os.environ.get("PATH", "")]))
    return found or pytest.fail("node is needed: run the tests with make test, which installs it")


def run_module(source: str, *arguments: str, given: str = "") -> str:
    """What a module prints, which finds packages where NODE_PATH is."""
    command: Sequence[str] = [node(), "--input-type=module", "--eval", source, *arguments]
    run = subprocess.run(command, input=given, capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 0, run.stderr
    return run.stdout
