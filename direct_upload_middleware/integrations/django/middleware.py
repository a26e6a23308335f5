"""Django middlewares: direct uploads for a whole project, under WSGI and ASGI, and error pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ...errors import DirectUploadError, InvalidReceipt, NotYours
from ...request_uploads import ENVIRON_KEY, RequestUploads
from ..common import PAGE_ERRORS, framework
from ..wsgi_calls import call_wsgi
from .configuration import make_middleware
from .current import StreamUsing, stream_using, using
from .files import accept_receipts_as_files
from .http import RESPONSE_KEY, insert_script, insert_script_async, respond, wsgi_environ

with framework("Django", "django"):
    from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
    from django.core.exceptions import PermissionDenied
    from django.core.handlers.exception import response_for_exception
    from django.http import HttpRequest, HttpResponse
    from django.utils.deprecation import MiddlewareMixin

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class UploadErrors(MiddlewareMixin):
    """A Django middleware that turns errors of ``environ["direct_upload.uploads"]`` into error pages.

    An invalid receipt becomes ``PermissionDenied``, so that ``handler403`` or ``403.html`` shows it.
    """

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Return the error page. Called by Django."""
        return error_page(request, exception)


def error_page(request: HttpRequest, exception: Exception) -> HttpResponse | None:
    """Return the page for an error of the uploads, None for any other exception."""
    if not isinstance(exception, PAGE_ERRORS):
        return None
    if isinstance(exception, InvalidReceipt | NotYours) or exception.status == 403:
        return response_for_exception(request, PermissionDenied(exception.detail))
    return _plain_page(exception)


def _plain_page(error: DirectUploadError) -> HttpResponse:
    headers = {"Content-Type": "text/plain; charset=utf-8", **error.headers}
    return HttpResponse(error.detail, status=error.status, headers=headers)


class DirectUploads:
    """The middleware for ``MIDDLEWARE``, under WSGI and ASGI.

    It answers the upload API, adds the script to pages, gives uploads to views, and shows errors like
    :class:`UploadErrors`. In ``request.FILES``, uploaded files are found under their fields' names.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self._get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)
        self._middleware = make_middleware(_give_response)
        self._mount = self._middleware.options.mount

    def __call__(self, request: HttpRequest) -> Any:
        """Answer one request."""
        return self._answer_async(request) if self._is_async else self._answer(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Return the page for an error of the uploads. Called by Django."""
        return error_page(request, exception)

    def _is_call(self, request: HttpRequest) -> bool:
        return f"{request.path_info}/".startswith(f"{self._mount}/")

    def _uploads(self, request: HttpRequest, environ: WSGIEnvironment) -> RequestUploads:
        uploads = self._middleware.request_uploads(environ)
        request.META[ENVIRON_KEY] = environ[ENVIRON_KEY] = uploads
        accept_receipts_as_files(request, uploads)
        return uploads

    def _answer(self, request: HttpRequest) -> HttpResponse:
        environ = wsgi_environ(request)
        if self._is_call(request):
            return respond(call_wsgi(self._middleware, environ))
        uploads = self._uploads(request, environ)
        with using(uploads):
            response = self._get_response(request)
        _keep_uploads(response, uploads)
        return insert_script(self._middleware, environ, response)

    async def _answer_async(self, request: HttpRequest) -> HttpResponse:
        environ = wsgi_environ(request)
        if self._is_call(request):
            return respond(await sync_to_async(call_wsgi)(self._middleware, environ), is_async=True)
        uploads = self._uploads(request, environ)
        with using(uploads):
            response = await self._get_response(request)
        _keep_uploads(response, uploads)
        return await insert_script_async(self._middleware, environ, response)


def _keep_uploads(response: Any, uploads: RequestUploads) -> None:
    """Let the uploads stay current while a response is streamed; files need none and keep ``wsgi.file_wrapper``."""
    if not response.streaming or getattr(response, "file_to_stream", None) is not None:
        return
    keep = stream_using if response.is_async else StreamUsing
    response.streaming_content = keep(response.streaming_content, uploads)


def _give_response(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Be the wrapped application of the middleware: give it the response that Django has made."""
    body: Iterable[bytes] = environ[RESPONSE_KEY](start_response)
    return body
