"""The script's own tests, which Node runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).with_name("js")


def node() -> str:
    """Node's program: the one that is installed beside Python, else any."""
    beside = str(Path(sys.executable).parent)
    found = shutil.which("node", path=os.pathsep.join([beside, os.environ.get("PATH", "")]))
    return found or pytest.fail("node is needed: pip install 'direct-upload-middleware[test]' brings it")


def count(report: str, what: str) -> int:
    """A total of Node's TAP report."""
    match = re.search(rf"^# {what} (\d+)$", report, re.MULTILINE)
    return int(match[1]) if match else 0


def test_the_script_passes_its_tests() -> None:
    files = sorted(map(str, TESTS.rglob("*.test.js")))
    assert files
    run = subprocess.run(
        [node(), "--test", "--test-reporter=tap", *files], capture_output=True, text=True, timeout=300, check=False
    )
    report = run.stdout + run.stderr
    assert run.returncode == 0, report
    assert count(report, "pass") == count(report, "tests") > 0, report
