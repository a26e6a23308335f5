"""The middleware: ours goes to the API, everything else to the wrapped application."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from .errors import ConfigurationError, DirectUploadError
from .options import make_options
from .plan import MiB
from .request_uploads import ENVIRON_KEY, RequestUploads
from .storage.base import Seal, Storage
from .upload_store import UploadStore
from .uploads import Uploads

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from .options import Authorize, Identify, ObjectName, OnComplete

log = logging.getLogger(__name__)

ORIGIN_PAUSE = 30.0
"""Seconds before a storage that failed is asked again for its origin."""


class DirectUploadMiddleware:
    """Takes the users' files of any WSGI application straight from the browser into OpenStack Swift.

    ::

        app = DirectUploadMiddleware(app, "swift://uploads", secret=SECRET, identify=current_user)

    It answers everything under ``mount``, adds its script to the pages that need it, and passes everything else to
    ``app``, which finds :class:`~direct_upload_middleware.request_uploads.RequestUploads` in
    ``environ["direct_upload.uploads"]``.

    :param app: the WSGI application to wrap.
    :param storage: a :class:`~direct_upload_middleware.storage.base.Storage`, or a URL: ``local:PATH`` (the
        default, under ``.direct-upload`` in the working directory), ``swift://CONTAINER[?cloud=NAME]``,
        ``rackspace://CONTAINER[?region=ORD]``.
    :param secret: a long random string that all processes share, or a list of them, oldest → newest: the last
        signs, all verify. Required for every storage but ``local:``.
    :param identify: callable(environ) → the requester's identity, a user id as str, or None; or a path of the
        application's, ``"/whoami"``, which is asked with the same cookies and answers 2xx with the identity in the
        header ``Remote-User`` (as nginx's ``auth_request``). By default ``environ["REMOTE_USER"]``.
    :param anonymous: True lets a requester without identity upload, bound by the cookie alone.
    :param authorize: callable(environ, UploadRequest); raises :class:`~.errors.Refused` to say no, before the upload.
        Where Uppy's own plugin uploads, the size is 0 then, and it is asked again when the size is known.
    :param on_complete: callable(environ, Upload) → something JSON-able for the page, or None. Called at least once
        for each upload: record it under ``upload.id``. Raises :class:`~.errors.Refused` to say no, and the upload is
        deleted.
    :param object_name: callable(environ, UploadRequest) → the name of the object, 1 to 1024 UTF-8 bytes; it must give
        every upload a name of its own. By default 32 hex digits at random.
    :param mount: the path that is ours.
    :param inject: "auto" puts the script into HTML pages with an ``<input type="file" data-direct-upload>`` or a
        ``<direct-upload>``; True into every HTML page; False into none (see ``script_tag()``).
    :param max_size: of a file, in bytes; None for what the storage can take.
    :param accept: as HTML's: ``[".pdf", "image/*", "video/mp4"]``; empty for anything.
    :param segment_size: bytes of one segment; larger files have several. It grows where a file would have more than
        1000.
    :param parallel: how many segments of a file a browser sends at once.
    :param seal: "revoke", or "pin" for providers without container keys (weaker: see the documentation; there, and only
        there, uploads are signed with the account's key).
    :param ticket_ttl: seconds that an upload may take.
    :param url_ttl: seconds that a temp URL for PUT is good for.
    :param bind_ip: True signs temp URLs for the requester's REMOTE_ADDR only.
    :param origins: other origins whose pages may use this middleware: ``["https://www.example.com"]``.
    :param sniff: True has the first bytes of every file read from storage, once it is sealed, and compared with
        ``accept``; what cannot be of a type that is accepted is refused (415 ``type-not-accepted``) and deleted. What
        has a signature counts as what it shows; a zip archive as any format that is one; text as any format of text;
        types that have no known signature are taken at their word; pages (HTML, SVG) and programs never. See
        :mod:`.sniff`. Needs ``pip install 'direct-upload-middleware[sniff]'``.
    :raises ConfigurationError: an option is wrong, unknown or in conflict with another.
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
        segment_size: int = 16 * MiB,
        parallel: int = 4,
        seal: Seal = "revoke",
        ticket_ttl: int = 86400,
        url_ttl: int = 900,
        bind_ip: bool = False,
        origins: Sequence[str] = (),
        sniff: bool = False,
        **unknown: Any,
    ) -> None:
        # Not imported with this module, since a program that only needs Upload or an error should start quickly: WebOb
        # takes longer to import than everything else.
        from .api import Api
        from .identity_subrequest import IdentitySubrequest
        from .pages.injector import PageInjector

        self.options = make_options(
            storage,
            {
                "secret": secret,
                "identify": IdentitySubrequest(app, identify, mount=mount) if isinstance(identify, str) else identify,
                "anonymous": anonymous,
                "authorize": authorize,
                "on_complete": on_complete,
                "object_name": object_name,
                "mount": mount,
                "inject": inject,
                "max_size": max_size,
                "accept": accept,
                "segment_size": segment_size,
                "parallel": parallel,
                "seal": seal,
                "ticket_ttl": ticket_ttl,
                "url_ttl": url_ttl,
                "bind_ip": bind_ip,
                "origins": origins,
                "sniff": sniff,
                **unknown,
            },
        )
        if not callable(app):
            raise ConfigurationError(f"app must be a WSGI application, not {app!r}")
        self._app = app
        self._mount = self.options.mount
        self._below = self._mount + "/"
        self._uploads = Uploads(self.options)
        self.store = UploadStore.of(self.options)
        self._api = Api(self.options, self._uploads)
        self._ask_origin_at = 0.0
        inject = self.options.inject
        self._pages = PageInjector(app, mode=inject, connect_src=self._page_origin) if inject else None

    def request_uploads(self, environ: WSGIEnvironment) -> RequestUploads:
        """Return the uploads of a request, for integrations that call the application themselves."""
        return RequestUploads(environ, self._uploads)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ[ENVIRON_KEY] = uploads = self.request_uploads(environ)
        path = environ.get("PATH_INFO", "")
        if path.startswith(self._mount) and (path == self._mount or path.startswith(self._below)):
            return self._api(environ, start_response)
        if self._pages is None:
            return self._app(environ, start_response)
        return self._pages(environ, start_response, uploads.script_tag)

    def _page_origin(self) -> str | None:
        """The storage's origin, for a page's Content-Security-Policy. A page does not fail because storage does, and
        not every page waits for one that does not answer."""
        if time.monotonic() < self._ask_origin_at:
            return None
        try:
            return self.options.storage.browser_storage_origin()
        except DirectUploadError as error:
            self._ask_origin_at = time.monotonic() + ORIGIN_PAUSE
            log.warning("pages' Content-Security-Policy lacks the storage's origin for now: %s", error)
            return None
