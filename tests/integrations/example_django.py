"""The example with Django. Its settings are a process's own: test_example_django.py runs this in one."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from wsgiref.validate import validator

import pytest
from example_checks import Checks
from webtest import TestApp

from examples.django_app.run import make_app, make_users


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Any:
    data: Path = tmp_path_factory.mktemp("data")
    return make_app(data, f"local:{data / 'files'}", "a secret of the tests")


class TestDjango(Checks):
    @pytest.fixture
    def visitor(self, application: Any) -> TestApp:
        from django.core.management import call_command

        call_command("flush", verbosity=0, interactive=False)
        make_users()
        return TestApp(validator(application))
