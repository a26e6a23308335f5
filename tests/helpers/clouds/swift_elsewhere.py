"""A private Swift that runs in another environment than this one, since it cannot be installed beside pyrax."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import requests

_PROGRAM = """
import json, sys
from direct_upload_middleware.testing import SwiftServer
with SwiftServer() as server:
    print(json.dumps({"auth_url": server.auth_url, "username": server.username, "key": server.key}), flush=True)
    sys.stdin.read()
"""


@dataclass(frozen=True)
class Swift:
    """Where it is, and who may use it."""

    auth_url: str
    username: str
    key: str

    def login(self) -> tuple[str, str]:
        """A new token, and the account's URL."""
        headers = {"X-Auth-User": self.username, "X-Auth-Key": self.key, "X-Auth-New-Token": "true"}
        answer = requests.get(self.auth_url, headers=headers, timeout=30)
        return answer.headers["X-Auth-Token"], answer.headers["X-Storage-Url"]


@contextmanager
def swift_elsewhere(python: str) -> Iterator[Swift]:
    """One that lasts as long as this context, run by the interpreter of the other environment."""
    command = [python, "-c", _PROGRAM]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Swift(**json.loads(process.stdout.readline()))
        process.stdin.close()
