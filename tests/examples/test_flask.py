"""The example with Flask."""

from __future__ import annotations

from helpers.example_checks import Checks

from examples.flask_app.app import make_app


class TestFlask(Checks):
    make_app = staticmethod(make_app)
