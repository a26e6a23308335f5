"""The middleware: requests below the mount go to the API, all others to the wrapped application."""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from .errors import ConfigurationError, DirectUploadError
from .options import OPTIONS, describe_options, make_options
from .plan import MiB
from .request_uploads import ENVIRON_KEY, RequestUploads
from .storage.base import Seal, Storage
from .upload_store import UploadStore
from .uploads import Uploads

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from .options import Authorize, Identify, ObjectName, OnComplete, OnRemove

log = logging.getLogger(__name__)

ORIGIN_RETRY_DELAY = 30.0
"""Seconds until a storage that failed is asked again for its origin."""


class DirectUploadMiddleware:
    """Lets the users of any WSGI application upload files directly from the browser to object storage.

    ::

        app = DirectUploadMiddleware(app, "swift://uploads", secret=SECRET, identify=current_user)

    It answers every request below ``mount``, adds its script to pages that need it, and passes everything else to
    ``app``. There, ``environ["direct_upload.uploads"]`` is a
    :class:`~direct_upload_middleware.request_uploads.RequestUploads`.

    :param app: the WSGI application to wrap.
    :param storage: a :class:`~direct_upload_middleware.storage.base.Storage`, or a URL: ``local:PATH`` (the
        default, ``.direct-upload`` in the working directory), ``swift://CONTAINER[?cloud=NAME]``,
        ``rackspace://CONTAINER[?region=ORD]``, ``s3://BUCKET[/PREFIX][?region=…&endpoint=…]``.
    :raises ConfigurationError: an option is wrong, unknown or in conflict with another one.
    """

    def __init__(
        self,
        app: WSGIApplication,
        storage: Storage | str | None = None,
        *,
        secret: str | Sequence[str] | None = None,
        identify: Identify | str | None = None,
        anonymous: bool = False,
        authorize: Authorize | None = None,
        on_complete: OnComplete | None = None,
        object_name: ObjectName | None = None,
        mount: str = "/_upload",
        inject: Literal["auto"] | bool = "auto",
        max_size: int | None = None,
        accept: Sequence[str] = (),
        sniff: bool = False,
        segment_size: int = 16 * MiB,
        parallel: int = 4,
        seal: Seal = "revoke",
        ticket_ttl: int = 86400,
        url_ttl: int = 900,
        bind_ip: bool = False,
        origins: Sequence[str] = (),
        on_remove: OnRemove | None = None,
        **unknown: Any,
    ) -> None:
        given = {name: value for name, value in locals().items() if name in OPTIONS} | unknown
        # Not imported with this module: a program that only needs Upload or an error should start quickly, and WebOb
        # takes longer to import than everything else.
        from .api import Api
        from .identity_subrequest import IdentitySubrequest
        from .pages.injector import PageInjector

        if isinstance(identify, str):
            given["identify"] = IdentitySubrequest(app, identify, mount=mount)
        self.options = make_options(storage, given)
        self._check_app(app)
        self._app = app
        self._mount = self.options.mount
        self._mount_prefix = self._mount + "/"
        self._uploads = Uploads(self.options)
        self.store = UploadStore.of(self.options)
        self._api = Api(self.options, self._uploads)
        self._next_origin_request = 0.0
        self._is_wrapped_twice = False
        mode = self.options.inject
        self._pages = PageInjector(app, mode=mode, connect_src=self._storage_origin) if mode else None

    def _check_app(self, app: Any) -> None:
        """Raise ConfigurationError for what cannot be wrapped, or was wrapped before."""
        if not callable(app):
            raise ConfigurationError(f"app must be a WSGI application, not {app!r}")
        if any(map(inspect.iscoroutinefunction, (app, type(app).__call__))):
            raise ConfigurationError(
                "app is an ASGI application, and DirectUploadMiddleware wraps WSGI applications. With Django, add "
                "'direct_upload_middleware.integrations.django.DirectUploads' to MIDDLEWARE; with other frameworks, "
                "wrap a WSGI application, and serve it under ASGI with a2wsgi."
            )
        if isinstance(app, DirectUploadMiddleware) and app.options.mount == self.options.mount:
            raise ConfigurationError(
                f"app is already wrapped by a DirectUploadMiddleware at {self.options.mount}: wrap it once, or "
                "give the other middleware another mount"
            )

    def _check_wrapped_once(self, outer: RequestUploads, inner: RequestUploads) -> None:
        """Log, once, that another middleware with the same mount is around this one, perhaps with others between."""
        if not self._is_wrapped_twice and outer.has_same_mount(inner):
            self._is_wrapped_twice = True
            log.warning(
                "the application is wrapped by two DirectUploadMiddlewares at %s, and only the outer one gets uploads: "
                "remove one of them, or give one another mount",
                self._mount,
            )

    def request_uploads(self, environ: WSGIEnvironment) -> RequestUploads:
        """Return the uploads of a request, for integrations that call the application themselves."""
        return RequestUploads(environ, self._uploads)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        uploads = self.request_uploads(environ)
        if ENVIRON_KEY in environ:
            self._check_wrapped_once(environ[ENVIRON_KEY], uploads)
        environ[ENVIRON_KEY] = uploads
        path = environ.get("PATH_INFO", "")
        if path.startswith(self._mount) and (path == self._mount or path.startswith(self._mount_prefix)):
            return self._api(environ, start_response)
        if self._pages is None:
            return self._app(environ, start_response)
        return self._pages(environ, start_response, uploads.script_tag)

    def _storage_origin(self) -> str | None:
        """Return the storage's origin for a page's Content-Security-Policy.

        If storage fails, pages do not fail, and only one page in a while waits for storage.
        """
        if time.monotonic() < self._next_origin_request:
            return None
        try:
            return self.options.storage.browser_storage_origin()
        except DirectUploadError as error:
            self._next_origin_request = time.monotonic() + ORIGIN_RETRY_DELAY
            log.warning("pages' Content-Security-Policy lacks the storage's origin for now: %s", error)
            return None


if DirectUploadMiddleware.__doc__:  # None under python -OO
    DirectUploadMiddleware.__doc__ = inspect.cleandoc(DirectUploadMiddleware.__doc__).replace(
        ":raises", describe_options() + "\n:raises", 1
    )
