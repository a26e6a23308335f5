"""Receipts that applications must refuse."""

from __future__ import annotations

import pytest
from webtest import TestApp


def change(app: TestApp, receipt: str) -> str:
    return receipt[:-1]


def become_bob(app: TestApp, receipt: str) -> str:
    app.get("/log_in/bob")
    return receipt


INVALID_RECEIPTS = pytest.mark.parametrize(
    ("spoil", "says"),
    [
        pytest.param(change, "Our own page: The receipt is malformed or was changed.", id="changed"),
        pytest.param(become_bob, "Our own page: This upload belongs to another user", id="another's"),
    ],
)
"""What makes Ann's receipt invalid, and how the application's own 403 page begins then."""
