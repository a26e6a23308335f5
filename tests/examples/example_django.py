"""The example with Django. Its settings are a process's own: test_example_django.py runs this in one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from wsgiref.validate import validator

import pytest
from django.test.utils import override_settings
from helpers.example_checks import SECRET, Checks
from webtest import TestApp

from examples.django_app.run import make_app, make_users


@pytest.fixture(scope="module", autouse=True)
def application(tmp_path_factory: pytest.TempPathFactory) -> None:
    data: Path = tmp_path_factory.mktemp("data")
    make_app(data, f"local:{data / 'files'}", SECRET)


class TestDjango(Checks):
    @pytest.fixture
    def visitor(self, storage: str) -> Iterator[TestApp]:
        from django.conf import settings
        from django.core.management import call_command
        from django.core.wsgi import get_wsgi_application

        call_command("flush", verbosity=0, interactive=False)
        make_users()
        with override_settings(DIRECT_UPLOAD={**settings.DIRECT_UPLOAD, "storage": storage}):
            yield TestApp(validator(get_wsgi_application()))

    @pytest.fixture
    def clean(self) -> Callable[[timedelta], int]:
        from examples.django_app.models import clean_up

        return clean_up
