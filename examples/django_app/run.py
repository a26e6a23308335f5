"""Makes the application ready to run: what ``manage.py migrate`` and ``createsuperuser`` do for others."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import django
from django.core.management import call_command

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

#: Shown on the log-in page.
PASSWORDS = {"alice": "wonderland", "bob": "builder"}


def make_app(data: Path, storage: str, secret: str) -> WSGIApplication:
    """The application; one for each process, since Django's settings are.

    :param data: the directory of the database.
    :param storage: a storage URL.
    :param secret: a long random string.
    """
    os.environ["DJANGO_SETTINGS_MODULE"] = "examples.django_app.settings"
    os.environ |= {"SHELF_DATA": str(data), "SHELF_STORAGE": storage, "SHELF_SECRET": secret}
    django.setup()
    call_command("migrate", verbosity=0, run_syncdb=True)
    make_users()
    from .wsgi import application

    return application


def make_users() -> None:
    """The users of the demo, unless they are there."""
    from django.contrib.auth.models import User

    for name, password in PASSWORDS.items():
        if not User.objects.filter(username=name).exists():
            User.objects.create_user(name, password=password)
