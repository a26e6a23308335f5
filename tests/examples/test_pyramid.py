"""The example with Pyramid."""

from __future__ import annotations

from helpers.example_checks import Checks

from examples.pyramid_app.app import clean_up, make_app


class TestPyramid(Checks):
    make_app = staticmethod(make_app)
    clean_up = staticmethod(clean_up)
