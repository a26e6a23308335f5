"""The middleware around Django's WSGI application: the alternative to ``MIDDLEWARE``, in ``wsgi.py``."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ...errors import ConfigurationError
from ...middleware import DirectUploadMiddleware
from ..common import framework, uploads_in
from .configuration import configured
from .current import StreamUsing, using

with framework("Django", "django"):
    from django.core import signals
    from django.core.handlers.wsgi import get_script_name
    from django.urls import set_script_prefix

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def with_direct_uploads(application: WSGIApplication, **options: Any) -> WSGIApplication:
    """Wrap Django's WSGI application.

    :param options: options that override ``settings.DIRECT_UPLOAD``.
    :raises ConfigurationError: an option is wrong, unknown or in conflict with another.
    """
    if inspect.iscoroutinefunction(getattr(application, "__call__", None)):  # noqa: B004  it is its kind that matters
        raise ConfigurationError(
            "with_direct_uploads() wraps WSGI applications. Under ASGI, add "
            "'direct_upload_middleware.integrations.django.DirectUploads' to MIDDLEWARE instead."
        )
    return _Wrapped(application, configured() | options)


class _Wrapped:
    """The middleware around Django.

    It sends Django's request signals for calls of the upload API, so that Django closes their database connections.
    """

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
        uploads = uploads_in(environ)
        with using(uploads):
            body = self._application(environ, start_response)
        return StreamUsing(body, uploads) if getattr(body, "streaming", False) else body
