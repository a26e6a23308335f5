"""The script's own tests, which Node runs."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from helpers.script.node import node

TESTS = Path(__file__).parents[2] / "js"


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
