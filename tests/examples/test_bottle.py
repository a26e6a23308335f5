"""The example with Bottle."""

from __future__ import annotations

from helpers.example_checks import Checks

from examples.bottle_app.app import clean_up, make_app


class TestBottle(Checks):
    make_app = staticmethod(make_app)
    clean_up = staticmethod(clean_up)
