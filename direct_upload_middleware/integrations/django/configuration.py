"""The middleware's options from Django's settings, and who the user is."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from ...errors import ConfigurationError
from ...middleware import DirectUploadMiddleware
from ...options import parse_strings
from ...upload_store import UploadStore
from ..common import framework

with framework("Django", "django"):
    from django.apps import apps
    from django.conf import settings
    from django.contrib import auth
    from django.contrib.sessions.backends import signed_cookies
    from django.contrib.sessions.middleware import SessionMiddleware
    from django.core.handlers.wsgi import WSGIRequest
    from django.core.signals import setting_changed
    from django.http import HttpResponse

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


def session_user(environ: WSGIEnvironment) -> str | None:
    """Return the primary key of the logged-in user, or None. This is the default ``identify``.

    It reads a copy of the session: ``auth.get_user`` may renew or flush a session, whose new cookie would be lost.
    """
    request = WSGIRequest(environ.copy())
    SessionMiddleware(lambda request: HttpResponse()).process_request(request)
    copy = signed_cookies.SessionStore()
    copy.update(dict(request.session.items()))
    request.session = copy
    user = auth.get_user(request)
    return str(user.pk) if user.is_authenticated else None


def configured() -> dict[str, Any]:
    """Return the options of ``settings.DIRECT_UPLOAD``, with defaults for ``secret`` and ``identify``."""
    given = dict(getattr(settings, "DIRECT_UPLOAD", {}))
    try:
        given = parse_strings(given)
    except ConfigurationError as error:
        raise ConfigurationError(f"DIRECT_UPLOAD: {error}") from error
    given.setdefault("secret", [*reversed(settings.SECRET_KEY_FALLBACKS), settings.SECRET_KEY])
    if given.get("identify") is None:
        given["identify"] = _default_identify()
    return given


def make_middleware(app: WSGIApplication) -> DirectUploadMiddleware:
    """Return the middleware of the settings; raise ConfigurationError when they are wrong."""
    options = configured()
    if isinstance(options["identify"], str):
        raise ConfigurationError("DIRECT_UPLOAD: 'identify' must be a callable or a dotted path, not a path of a URL")
    return DirectUploadMiddleware(app, **options)


@cache
def upload_store() -> UploadStore:
    """Return the store of the settings, for code outside requests: commands, workers and shells."""
    options = configured()
    return UploadStore(options.get("storage"), secret=options["secret"])


def _forget_store(*, setting: str, **kwargs: Any) -> None:
    """Follow settings that a test overrides."""
    if setting in ("DIRECT_UPLOAD", "SECRET_KEY", "SECRET_KEY_FALLBACKS"):
        upload_store.cache_clear()


setting_changed.connect(_forget_store)


def _default_identify() -> Callable[[WSGIEnvironment], str | None]:
    for app in ("django.contrib.auth", "django.contrib.sessions"):
        if not apps.is_installed(app):
            raise ConfigurationError(f"DIRECT_UPLOAD: add {app} to INSTALLED_APPS, or set 'identify' to a callable")
    return session_user
