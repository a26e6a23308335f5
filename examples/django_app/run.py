"""Prepares the application, like ``manage.py migrate`` and ``createsuperuser`` do in other projects."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import django
from django.core.management import call_command

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

#: Shown on the login page.
PASSWORDS = {"alice": "wonderland", "bob": "builder"}


def make_app(data: Path, storage: str, secret: str) -> WSGIApplication:
    """Return the application. A process can have only one, because Django's settings are global.

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


def clean_up(data: Path, storage: str, secret: str) -> int:
    """Do what ``manage.py clean_up`` does, which runs once a day; return the number of deleted files."""
    make_app(data, storage, secret)
    from .models import clean_up

    return clean_up()


def make_users() -> None:
    """Create the users of the demo, unless they exist."""
    from django.contrib.auth.models import User

    for name, password in PASSWORDS.items():
        if not User.objects.filter(username=name).exists():
            User.objects.create_user(name, password=password)
