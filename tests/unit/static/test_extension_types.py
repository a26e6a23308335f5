"""The page decides about types as the server does."""

from __future__ import annotations

import json

import pytest
from helpers.script.node import STATIC, run_module

from direct_upload_middleware.file_types.extension_types import TABLE, possible_types

MODULE = f'import {{ TABLE, possibleTypes }} from "{(STATIC / "ui" / "choice" / "extension-types.js").as_uri()}";'
CASES = [
    ("IMG_1.HEIC", "application/octet-stream"),
    ("a.heic", "image/heif"),
    ("a.log", "text/x-log"),
    ("a.csv", "application/vnd.ms-excel"),
    ("a.csv", "image/png"),
    ("a.txt", "text/html"),
    ("a.svg", "image/x-unknown"),
    ("a.unknown", "application/octet-stream"),
    ("heic", "application/octet-stream"),
]


def test_both_have_the_same_table() -> None:
    assert run_module(f"{MODULE} process.stdout.write(TABLE)") == TABLE


@pytest.mark.parametrize(("name", "type"), CASES)
def test_both_decide_alike(name: str, type: str) -> None:
    found = run_module(
        f"{MODULE} process.stdout.write(JSON.stringify(possibleTypes(...process.argv.slice(1))))", name, type
    )
    assert set(json.loads(found)) == possible_types(name, type)
