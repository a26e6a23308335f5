"""The settings of the Django tests, which share one process: Django can be configured only once."""

from __future__ import annotations

from typing import Any

import django
from django.conf import settings


def configure(database: str = ":memory:", **others: Any) -> None:
    """Configure Django, unless that was done. Tests override ``ROOT_URLCONF``, ``MIDDLEWARE`` and ``DIRECT_UPLOAD``."""
    if settings.configured:
        return
    given: dict[str, Any] = {
        "SECRET_KEY": "a secret of the tests",
        "ROOT_URLCONF": "none",
        "ALLOWED_HOSTS": ["*"],
        "USE_TZ": True,
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "INSTALLED_APPS": [
            "django.contrib.admin",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.messages",
            "django.contrib.sessions",
            "direct_upload_middleware.integrations.django",
            "helpers.django_project.django_documents",
        ],
        "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": database}},
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
        "STATIC_URL": "/static/",
        "STORAGES": {
            "default": {"BACKEND": "direct_upload_middleware.integrations.django.storage.DirectUploadStorage"},
            "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
        },
        "MIDDLEWARE": [
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "direct_upload_middleware.integrations.django.UploadErrors",
        ],
        "TEMPLATES": [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
    }
    settings.configure(**(given | others))
    django.setup()
