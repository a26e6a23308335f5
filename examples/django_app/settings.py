"""Django's settings. DIRECT_UPLOAD, and two lines in INSTALLED_APPS and MIDDLEWARE, deal with uploads."""

import os
from pathlib import Path

from django.urls import reverse_lazy

HERE = Path(__file__).parent

SECRET_KEY = os.environ["SHELF_SECRET"]
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "examples.django_app.urls"
WSGI_APPLICATION = "examples.django_app.wsgi.application"
LOGIN_URL = reverse_lazy("log_in")
LOGIN_REDIRECT_URL = reverse_lazy("index")
LOGOUT_REDIRECT_URL = LOGIN_URL
SESSION_COOKIE_NAME = "django_shelf"
USE_TZ = True
TIME_ZONE = "UTC"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "direct_upload_middleware.integrations.django",
    "examples.django_app",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "direct_upload_middleware.integrations.django.DirectUploads",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [HERE / "templates"],
        "OPTIONS": {"context_processors": ["django.contrib.auth.context_processors.auth"]},
    }
]
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": Path(os.environ["SHELF_DATA"]) / "documents.sqlite3"}
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

DIRECT_UPLOAD = {
    "storage": os.environ["SHELF_STORAGE"],
    "on_complete": "examples.django_app.models.record",
    "on_remove": "examples.django_app.models.forget",
}
