"""These tests run where pyrax is: make test-rackspace."""

from __future__ import annotations

from importlib.util import find_spec

if find_spec("pyrax") is None:
    collect_ignore = ["test_rackspace.py"]
