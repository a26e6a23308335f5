"""The example with Flask."""

from __future__ import annotations

from helpers.example_checks import Checks

from examples.flask_app.app import clean_up, make_app


class TestFlask(Checks):
    make_app = staticmethod(make_app)
    clean_up = staticmethod(clean_up)
