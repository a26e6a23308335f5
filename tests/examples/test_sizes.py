"""The examples' sizes are those that the upload field shows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.script.node import run_module

from examples.sizes import readable_size

MESSAGES = Path(__file__).parents[2] / "static" / "messages.js"
SIZES = [0, 1, 999, 1000, 1499, 65_536, 999_999, 1_000_000, 1_234_567, 9_999_999, 123_456_789, 10**9, 10**12, 10**15]
PRINT = """
const { formatSize } = await import(process.argv[1]);
console.log(JSON.stringify(JSON.parse(process.argv[2]).map((size) => formatSize(size, "en"))));
"""


@pytest.fixture(scope="module")
def shown() -> dict[int, str]:
    return dict(zip(SIZES, json.loads(run_module(PRINT, MESSAGES.as_uri(), json.dumps(SIZES))), strict=True))


@pytest.mark.parametrize("size", SIZES)
def test_a_size_is_written_as_in_the_field(shown: dict[int, str], size: int) -> None:
    assert readable_size(size) == shown[size]
