"""The example with Django, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_the_example_with_django() -> None:
    tests = Path(__file__).with_name("example_django.py")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tests)]
    outcome = subprocess.run(command, cwd=tests.parents[2], capture_output=True, text=True, timeout=300)
    assert outcome.returncode == 0, outcome.stdout
