"""Runs ``direct-upload doctor``."""

from __future__ import annotations

import json
from typing import Any

from click.testing import CliRunner, Result

from direct_upload_middleware.cli import main

SECRET = "a-secret,of-the-tests"


def run(*arguments: str, **environ: str) -> Result:
    return CliRunner().invoke(main, arguments, env={"DIRECT_UPLOAD_SECRET": SECRET, **environ})


def diagnose(
    url: str, *more: str, origin: str | None = "http://app.example.com", **environ: str
) -> tuple[int, dict[str, Any]]:
    """The exit status, and the worst verdict of each check."""
    if origin is not None:
        more += ("--origin", origin)
    result = run("doctor", url, "--json", "--patience", "1", *more, **environ)
    worst: dict[str, Any] = {}
    for finding in json.loads(result.stdout):
        if worst.get(finding["check"], {"verdict": "ok"})["verdict"] != "failure":
            worst[finding["check"]] = finding
    return result.exit_code, worst
