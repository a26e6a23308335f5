"""Django: one line in ``wsgi.py``, settings, and a form field.

::

    # wsgi.py
    application = with_direct_uploads(get_wsgi_application())

    # settings.py
    DIRECT_UPLOAD = {
        "storage": "swift://uploads",
        "accept": ["image/*", ".pdf"],
        "on_complete": "documents.uploads.record",
    }

    # forms.py
    from direct_upload_middleware.integrations.django_forms import UploadField

    class DocumentForm(forms.Form):
        document = UploadField()                  # cleaned: an Upload
        pictures = UploadField(multiple=True)     # cleaned: a list of them

The names in ``DIRECT_UPLOAD`` are the middleware's options; callables may be given as dotted paths. The secret is
``SECRET_KEY`` (with ``SECRET_KEY_FALLBACKS``) where no other is given. The requester is the user of Django's session,
by primary key.

In a view, ``request.META["direct_upload.uploads"]`` is :class:`~.request_uploads.RequestUploads`. With
``"direct_upload_middleware.integrations.django.UploadErrors"`` in ``MIDDLEWARE``, what it raises becomes a 403 through
``handler403``, or a 503. Forms show it as errors of the field.

Django's CSRF protection is as it was: the upload API has a same-site check of its own, and forms carry their token.
Django's test client does not go through WSGI; use WebTest with ``wsgi.application``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from ...errors import ConfigurationError, DirectUploadError, StorageError, StorageUnavailable
from ...middleware import DirectUploadMiddleware
from ...options import parse_strings
from ...request_uploads import RequestUploads
from ..common import PAGE_ERRORS, framework, uploads_in

with framework("Django", "django"):
    from django.apps import apps
    from django.conf import settings
    from django.contrib import auth
    from django.contrib.sessions.backends import signed_cookies
    from django.contrib.sessions.middleware import SessionMiddleware
    from django.core import signals
    from django.core.exceptions import PermissionDenied
    from django.core.handlers.exception import response_for_exception
    from django.core.handlers.wsgi import WSGIRequest, get_script_name
    from django.http import HttpRequest, HttpResponse
    from django.urls import set_script_prefix
    from django.utils.deprecation import MiddlewareMixin

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["UploadErrors", "current_uploads", "session_user", "with_direct_uploads"]

_current: ContextVar[RequestUploads] = ContextVar("direct_upload.uploads")


def with_direct_uploads(application: WSGIApplication, **options: Any) -> WSGIApplication:
    """Wrap Django's WSGI application.

    :param options: win over ``settings.DIRECT_UPLOAD``.
    :raises ConfigurationError: an option is wrong, unknown or in conflict with another.
    """
    return _Wrapped(application, _configured() | options)


def current_uploads() -> RequestUploads:
    """The uploads of whoever sent the request that is being answered; raises ConfigurationError outside of one."""
    return _current.get(None) or uploads_in({})


def session_user(environ: WSGIEnvironment) -> str | None:
    """The primary key of the user of Django's session, None when nobody is logged in. The default ``identify``.

    ``auth.get_user`` may renew or end a session, whose cookie nobody would send from here: it works on a copy.
    """
    request = WSGIRequest(environ.copy())
    SessionMiddleware(lambda request: HttpResponse()).process_request(request)
    copy = signed_cookies.SessionStore()
    copy.update(dict(request.session.items()))
    request.session = copy
    user = auth.get_user(request)
    return str(user.pk) if user.is_authenticated else None


class UploadErrors(MiddlewareMixin):
    """For ``MIDDLEWARE``: what ``environ["direct_upload.uploads"]`` raises in a view becomes an error page.

    A receipt that is not good is Django's ``PermissionDenied``, so ``handler403`` or ``403.html`` shows it.
    """

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, PAGE_ERRORS):
            return None
        if isinstance(exception, StorageError | StorageUnavailable):
            return _unavailable(exception)
        return response_for_exception(request, PermissionDenied(exception.detail))


def _unavailable(error: DirectUploadError) -> HttpResponse:
    headers = {"Content-Type": "text/plain; charset=utf-8", **error.headers}
    return HttpResponse(error.detail, status=error.status, headers=headers)


class _Wrapped:
    """The middleware around Django. Its own calls are, to Django's signals, requests too: their database connections
    are opened and closed as those of others."""

    def __init__(self, application: WSGIApplication, options: dict[str, Any]) -> None:
        self._application = application
        self._middleware = DirectUploadMiddleware(self._django, **options)
        self._mount = self._middleware.options.mount

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not f"{environ.get('PATH_INFO', '')}/".startswith(self._mount + "/"):
            return self._middleware(environ, start_response)
        set_script_prefix(get_script_name(environ))
        signals.request_started.send(sender=type(self), environ=environ)
        try:
            return self._middleware(environ, start_response)
        finally:
            signals.request_finished.send(sender=type(self))

    def _django(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        token = _current.set(uploads_in(environ))
        try:
            return self._application(environ, start_response)
        finally:
            _current.reset(token)


def _configured() -> dict[str, Any]:
    given = dict(getattr(settings, "DIRECT_UPLOAD", {}))
    try:
        given = parse_strings(given)
    except ConfigurationError as error:
        raise ConfigurationError(f"DIRECT_UPLOAD: {error}") from error
    given.setdefault("secret", [*reversed(settings.SECRET_KEY_FALLBACKS), settings.SECRET_KEY])
    if given.get("identify") is None:
        given["identify"] = _default_identify()
    return given


def _default_identify() -> Callable[[WSGIEnvironment], str | None]:
    for app in ("django.contrib.auth", "django.contrib.sessions"):
        if not apps.is_installed(app):
            raise ConfigurationError(f"DIRECT_UPLOAD: {app} is not in INSTALLED_APPS; give 'identify', a callable")
    return session_user
