"""The HTTP API: which call an address and a method mean, and the calls of our own script."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias

from webob import Request, Response

from ..errors import ApplicationError, DirectUploadError, InvalidTicket, MethodNotAllowed, NotFound
from ..headers import UPLOAD_OWNER, UPLOAD_TICKET, environ_name
from ..options import Options
from ..origins import check_same_site
from ..policy import parse_request
from ..tokens.tickets import Ticket
from ..uploads import Uploads
from .assets import serve_asset
from .batch import Batches
from .cors import add_cors, is_preflight, preflight_response
from .files import Files
from .parsing import parse_etags, parse_indexes, read_object
from .responses import (
    SEALING_RETRY_AFTER,
    ApiResponse,
    absolute_url,
    begun_body,
    completed_body,
    json_response,
    log_problem,
    problem,
    sealing_body,
    segments_body,
    set_cookie,
)
from .unread_body import UnreadBody
from .uppy_companion import Companion

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

_SAFE = ("GET", "HEAD")
_TICKET = environ_name(UPLOAD_TICKET)

Call: TypeAlias = Callable[[Request], Response]


class Api:
    """Answers every request below the mount.

    It is a WSGI application, but its environ is that of the wrapped application: SCRIPT_NAME does not include the
    mount, so that ``identify`` and the other callbacks work the same here and there.
    """

    def __init__(self, options: Options, uploads: Uploads) -> None:
        self._options = options
        self._uploads = uploads
        self._batches = Batches(options, uploads)
        self._companion = Companion(options, uploads)
        self._files = Files(options, uploads)
        self._has_advised = False

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        if self._options.origins:
            start_response = add_cors(environ, start_response, self._options.origins)
        unread = UnreadBody(environ)
        try:
            response = self._respond(environ)
        except DirectUploadError as error:
            response = log_problem(error, environ)
            if isinstance(error, InvalidTicket) and environ["wsgi.multiprocess"]:
                self._advise_one_secret()
        except Exception:
            log.exception("the upload API failed")
            response = problem(ApplicationError())
        body = response(environ, start_response)
        unread.drain(lambda: self._uploads.is_known(environ))
        return body

    def _advise_one_secret(self) -> None:
        """Tell, once, why several workers refuse each other's tickets: each has made a secret of its own."""
        if not self._has_advised:
            self._has_advised = True
            log.warning(
                "a ticket is invalid here: if another worker issued it, the workers have different secrets; give the "
                "option secret the same value in all processes and on all machines, and do not generate it at start-up"
            )

    def _respond(self, environ: WSGIEnvironment) -> WSGIApplication:
        if environ["REQUEST_METHOD"] == "OPTIONS" and is_preflight(environ):
            return preflight_response(environ, self._options.origins)
        path = environ["PATH_INFO"][len(self._options.mount) :].split("/")[1:]
        calls = self._calls(path)
        if calls is None:
            return self._storage_app(environ)
        method = "GET" if environ["REQUEST_METHOD"] == "HEAD" else environ["REQUEST_METHOD"]
        if method not in calls:
            raise MethodNotAllowed([m for name in calls for m in (_SAFE if name == "GET" else (name,))])
        if method != "GET":
            check_same_site(environ, self._options.origins)
        return calls[method](Request(environ))

    def _calls(self, path: list[str]) -> dict[str, Call] | None:
        """Return the calls of this address by method; None if the API does not have it."""
        match path:
            case ["uploads"]:
                return {"POST": self._begin}
            case ["batch", "begin"]:
                return {"POST": self._batches.begin}
            case ["batch", "complete"]:
                return {"POST": self._batches.complete}
            case ["owner"]:
                return {"GET": self._owner}
            case ["uploads", upload_id] if upload_id:
                return {
                    "GET": partial(self._status, upload_id=upload_id),
                    "DELETE": partial(self._abort, upload_id=upload_id),
                }
            case ["uploads", upload_id, "segments"] if upload_id:
                return {"POST": partial(self._sign, upload_id=upload_id)}
            case ["uploads", upload_id, "complete"] if upload_id:
                return {"POST": partial(self._complete, upload_id=upload_id)}
            case ["files", receipt] if receipt:
                return {
                    "GET": partial(self._files.download, receipt=receipt),
                    "DELETE": partial(self._files.remove, receipt=receipt),
                }
            case ["s3", *below]:
                return self._companion.calls(below)
            case ["static", *names] if names and all(names):
                return {"GET": partial(serve_asset, path="/".join(names))}
        return None

    def _storage_app(self, environ: WSGIEnvironment) -> WSGIApplication:
        """Return a WSGI application for the storage's own presigned URLs, with NotFound for other addresses."""
        mount = self._options.mount
        below = {
            **environ,
            "SCRIPT_NAME": environ.get("SCRIPT_NAME", "") + mount,
            "PATH_INFO": environ["PATH_INFO"][len(mount) :],
        }

        def serve(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            try:
                served = self._options.storage.serve(below, start_response)
            except DirectUploadError as error:
                return log_problem(error, environ)(environ, start_response)
            return problem(NotFound())(environ, start_response) if served is None else served

        return serve

    def _begin(self, request: Request) -> Response:
        environ = request.environ
        requester = self._uploads.authenticate(environ)
        wanted = parse_request(read_object(environ), requester.identity)
        begun = self._uploads.begin(environ, requester, wanted)
        response = json_response(begun_body(request, self._options, begun), HTTPStatus.CREATED)
        response.headers["Location"] = absolute_url(request, self._options, f"/uploads/{begun.ticket.transfer.id}")
        response.headers[UPLOAD_OWNER] = self._uploads.record_owner(requester, begun.cookie)
        set_cookie(response, request, self._options, begun.cookie)
        return response

    def _owner(self, request: Request) -> Response:
        requester = self._uploads.authenticate(request.environ)
        cookie = requester.cookie
        return json_response({"owner": None if cookie is None else self._uploads.record_owner(requester, cookie)})

    def _sign(self, request: Request, upload_id: str) -> Response:
        ticket = self._ticket(request, upload_id)
        indexes = parse_indexes(read_object(request.environ), ticket.transfer.segment_count)
        renewed = self._uploads.renew(request.environ, ticket)
        signed = self._uploads.sign(request.environ, renewed or ticket, indexes)
        return self._ticket_response(request, renewed, {"segments": segments_body(request, self._options, signed)})

    def _status(self, request: Request, upload_id: str) -> Response:
        ticket = self._ticket(request, upload_id)
        found, receipt = self._uploads.status(ticket)
        stored = [{"index": s.index, "size": s.size, "etag": s.etag} for s in found.stored]
        status: dict[str, Any] = {"id": upload_id, "state": "complete" if receipt else "open", "stored": stored}
        if receipt:
            return json_response(status | {"receipt": receipt})
        return self._ticket_response(request, self._uploads.renew(request.environ, ticket), status)

    def _complete(self, request: Request, upload_id: str) -> Response:
        ticket = self._ticket(request, upload_id)
        etags = parse_etags(read_object(request.environ), ticket.transfer.segment_count)
        [outcome] = self._uploads.complete_soon(request.environ, [(ticket, etags)])
        if isinstance(outcome, DirectUploadError):
            raise outcome
        if outcome is not None:
            return json_response(completed_body(request, self._options, outcome))
        response = json_response(sealing_body(upload_id), HTTPStatus.ACCEPTED)
        response.headers["Retry-After"] = str(SEALING_RETRY_AFTER)
        return response

    def _abort(self, request: Request, upload_id: str) -> Response:
        self._uploads.abort(self._ticket(request, upload_id))
        return ApiResponse(status=HTTPStatus.NO_CONTENT)

    def _ticket(self, request: Request, upload_id: str) -> Ticket:
        environ = request.environ
        return self._uploads.check_ticket(environ, environ.get(_TICKET), upload_id)[1]

    def _ticket_response(self, request: Request, renewed: Ticket | None, value: dict[str, Any]) -> Response:
        """Return the response with the renewed ticket, if there is one, and its cookie."""
        if renewed is None:
            return json_response(value)
        token = self._uploads.tickets.issue(renewed)
        response = json_response(value | {"ticket": token, "expires": renewed.transfer.expires})
        set_cookie(response, request, self._options, str(self._uploads.requester(request.environ).cookie))
        return response
