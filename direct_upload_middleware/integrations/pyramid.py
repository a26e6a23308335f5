"""Pyramid: direct uploads with ``config.include``.

::

    config.include("direct_upload_middleware.integrations.pyramid")

    # in the ini file, under [app:main]
    direct_upload.storage = swift://uploads
    direct_upload.secret = %(secret)s
    direct_upload.accept = .pdf, image/*
    direct_upload.permission = upload

The settings are the middleware's options, written as for Paste (see :mod:`.paste`) or as Python values. The identity
is ``request.authenticated_userid``. With ``direct_upload.permission``, begin requires that permission on the root.

In a view, ``request.direct_upload`` is a :class:`~direct_upload_middleware.request_uploads.RequestUploads`; its errors
become a 403 or 503 through the application's exception views. A completed upload is an event::

    @subscriber(UploadCompleted)
    def record(event):
        event.request.dbsession.merge(Document(**event.upload.to_dict()))

When a visitor removes a finished upload from a field, :class:`UploadRemoved` is sent, and the upload is deleted.
Without a subscriber, uploads cannot be removed.

The middleware runs as a tween. Subscribers and the security policy therefore get an ordinary request with all its
request methods. With pyramid_tm they run inside the transaction, and a failed call rolls it back. An application with
an explicit list of tweens (``pyramid.tweens``) must add
``direct_upload_middleware.integrations.pyramid.tween_factory`` after pyramid_tm's tween.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError, DirectUploadError, Refused
from ..middleware import DirectUploadMiddleware
from ..models import Upload, UploadRequest
from ..options import parse_strings
from ..request_uploads import RequestUploads
from .common import PAGE_ERRORS, framework, uploads_in
from .wsgi_calls import call_wsgi

with framework("Pyramid", "pyramid"):
    from pyramid.httpexceptions import HTTPNotFound, exception_response
    from pyramid.interfaces import IRootFactory
    from pyramid.traversal import DefaultRootFactory
    from pyramid.tweens import EXCVIEW, INGRESS
    from zope.interface import implementedBy

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from ..options import Authorize, OnComplete, OnRemove

__all__ = ["UploadCompleted", "UploadRemoved", "includeme", "tween_factory"]

_Handler = Callable[[Any], Any]

PREFIX = "direct_upload."
REQUEST = "direct_upload.request"
RESPONSE = "direct_upload.response"


class UploadCompleted:
    """An event: an upload is complete. It is sent at least once for each upload: record it under ``upload.id``.

    A subscriber that raises :class:`~direct_upload_middleware.Refused` refuses the upload, which is then deleted.

    :ivar request: the request that completed the upload.
    :ivar upload: the :class:`~direct_upload_middleware.Upload`.
    :ivar data: a JSON-able value for the page, set by a subscriber.
    """

    def __init__(self, request: Any, upload: Upload) -> None:
        self.request = request
        self.upload = upload
        self.data: Any = None


class UploadRemoved:
    """An event: a visitor removed a finished upload from a field. Forget the upload; it is deleted then.

    A subscriber that raises :class:`~direct_upload_middleware.Refused` keeps the upload. The event can be sent more
    than once for an upload.

    :ivar request: the request that removes the upload.
    :ivar upload: the :class:`~direct_upload_middleware.Upload`.
    """

    def __init__(self, request: Any, upload: Upload) -> None:
        self.request = request
        self.upload = upload


def includeme(config: Any) -> None:
    """Add the tween, ``request.direct_upload`` and the exception views. Called by ``config.include``."""
    tween = f"{__name__}.tween_factory"
    config.add_tween(tween, under=("pyramid_tm.tm_tween_factory", INGRESS), over=EXCVIEW)
    config.add_request_method(_uploads, "direct_upload", reify=True)
    for error in PAGE_ERRORS:
        config.add_exception_view(_error_page, context=error)


def _uploads(request: Any) -> RequestUploads:
    return uploads_in(request.environ)


def _error_page(error: DirectUploadError, request: Any) -> Any:
    """Return the application's error page for this status, or Pyramid's."""
    answer = exception_response(error.status, detail=error.detail, headers=list(error.headers.items()))
    try:
        return request.invoke_exception_view((type(answer), answer, None))
    except HTTPNotFound:
        return answer


def tween_factory(handler: _Handler, registry: Any) -> _Handler:
    """Return the middleware as a tween; raise ConfigurationError when a setting is wrong."""
    middleware = DirectUploadMiddleware(_wsgi_app(handler), **_options(registry))

    def direct_upload_tween(request: Any) -> Any:
        environ = request.environ
        environ[REQUEST] = request
        environ.pop(RESPONSE, None)
        status, headers, body = call_wsgi(middleware, environ)
        given = environ.pop(RESPONSE, None)
        if given is None and status[0] in "45" and "tm.active" in environ:
            environ["tm.manager"].doom()  # roll back after a failed call of the upload API
        if given is not None and given.is_still(status, headers, body):
            return given.response
        return request.ResponseClass(status=status, headerlist=headers, app_iter=body)

    return direct_upload_tween


class _Given:
    """A response of the application, with the status, headers and body that it gave to WSGI."""

    def __init__(self, response: Any) -> None:
        self.response = response

    def send(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: Any, *exc_info: Any) -> Any:
            self._status, self._headers = status, list(headers)
            return start_response(status, headers, *exc_info)

        body: Iterable[bytes] = self.response(environ, start)
        self._body = body
        return body

    def is_still(self, status: str, headers: Any, body: Iterable[bytes]) -> bool:
        return body is self._body and (status, headers) == (self._status, self._headers)


def _wsgi_app(handler: _Handler) -> WSGIApplication:
    def pyramid_app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        given = environ[RESPONSE] = _Given(handler(environ[REQUEST]))
        return given.send(environ, start_response)

    return pyramid_app


def _options(registry: Any) -> dict[str, Any]:
    settings = registry.settings or {}
    given = {name.removeprefix(PREFIX): value for name, value in settings.items() if name.startswith(PREFIX)}
    permission = given.pop("permission", None)
    options = {"identify": _authenticated_userid, **parse_strings(given)}
    if isinstance(options["identify"], str):
        raise ConfigurationError("direct_upload.identify must be a callable: a path does not work with Pyramid")
    options["on_complete"] = _completed(options.get("on_complete"))
    options["on_remove"] = _removed(options.get("on_remove"))
    if permission:
        options["authorize"] = _permitted(permission, options.get("authorize"))
    return options


def _authenticated_userid(environ: WSGIEnvironment) -> str | None:
    userid = environ[REQUEST].authenticated_userid
    return None if userid is None else str(userid)


def _completed(then: OnComplete | None) -> OnComplete:
    def on_complete(environ: WSGIEnvironment, upload: Upload) -> Any:
        request = environ[REQUEST]
        event = UploadCompleted(request, upload)
        request.registry.notify(event)
        return event.data if then is None else then(environ, upload)

    return on_complete


def _removed(then: OnRemove | None) -> OnRemove:
    def on_remove(environ: WSGIEnvironment, upload: Upload) -> None:
        request = environ[REQUEST]
        if then is None and not _has_subscriber(request.registry, UploadRemoved):
            raise Refused("Finished uploads cannot be removed here.")
        request.registry.notify(UploadRemoved(request, upload))
        if then is not None:
            then(environ, upload)

    return on_remove


def _has_subscriber(registry: Any, event: type) -> bool:
    """Return whether somebody subscribed to this event; subscribers to all events do not count."""
    wanted, every = (registry.adapters.subscriptions([implementedBy(kind)], None) for kind in (event, object))
    return len(wanted) > len(every)


def _permitted(permission: str, then: Authorize | None) -> Authorize:
    def authorize(environ: WSGIEnvironment, wanted: UploadRequest) -> None:
        request = environ[REQUEST]
        make_root = request.registry.queryUtility(IRootFactory, default=DefaultRootFactory)
        if not request.has_permission(permission, make_root(request)):
            raise Refused("You don't have permission to upload here.")
        if then is not None:
            then(environ, wanted)

    return authorize
