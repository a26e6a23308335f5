"""Serve Django's admin with ordinary file fields: ``python -m helpers.django_project.served_admin DIRECTORY``."""

# ruff: noqa: E402  Django is configured before its models are imported

from __future__ import annotations

import sys

from waitress.server import create_server

from helpers.django_project.django_settings import configure

DIRECTORY = sys.argv[1]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "direct_upload_middleware.integrations.django.DirectUploads",
]

if __name__ == "__main__":
    configure(
        f"{DIRECTORY}/database.sqlite3",
        ROOT_URLCONF="helpers.django_project.served_admin",
        MIDDLEWARE=MIDDLEWARE,
        DIRECT_UPLOAD={"storage": f"local:{DIRECTORY}/files"},
    )

from django.contrib import admin
from django.contrib.auth.models import User
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import path

urlpatterns = [path("admin/", admin.site.urls)]

if __name__ == "__main__":
    call_command("migrate", verbosity=0, run_syncdb=True)
    User.objects.create_superuser("ann", password="secret")
    server = create_server(StaticFilesHandler(get_wsgi_application()), host="127.0.0.1", port=0, threads=8)
    print(f"http://127.0.0.1:{server.effective_port}", flush=True)
    server.run()
