"""Which call an address and a method are, and what each call answers."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from webob import Request, Response

from ..errors import ApplicationError, DirectUploadError, MethodNotAllowed, NotFound
from ..options import Options
from ..origins import check_same_site, request_page_origin
from ..policy import parse_request
from ..storage.base import SignedSegment
from ..tickets import Ticket
from ..uploads import DOWNLOAD_TTL, Uploads
from . import parsing as body
from .assets import serve_asset
from .cors import is_preflight, preflight_response, with_cors
from .endpoint import Call, Calls
from .responses import ApiResponse, json_response, logged_problem, private, problem
from .unread_body import UnreadBody
from .uppy_companion import Companion

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

_SAFE = ("GET", "HEAD")


class Api(Calls):
    """Answers everything under the mount. A WSGI application but for ``environ``, which is as the wrapped
    application would get it: what ``identify`` and the other callables see does not depend on the mount."""

    def __init__(self, options: Options, uploads: Uploads) -> None:
        super().__init__(options, uploads)
        self._companion = Companion(options, uploads)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response = with_cors(environ, start_response, self._options.origins)
        rest = UnreadBody(environ)
        try:
            response = self._respond(environ)
        except DirectUploadError as error:
            response = logged_problem(error, environ)
        except Exception:
            log.exception("the upload API failed")
            response = problem(ApplicationError())
        answered = response(environ, start_response)
        rest.drain()
        return answered

    def _respond(self, environ: WSGIEnvironment) -> WSGIApplication:
        if is_preflight(environ):
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
        """Method → call, of the address; None when it is none of the API's."""
        match path:
            case ["uploads"]:
                return {"POST": self._begin}
            case ["owner"]:
                return {"GET": self._owner}
            case ["uploads", id] if id:
                return {"GET": partial(self._status, id=id), "DELETE": partial(self._abort, id=id)}
            case ["uploads", id, "segments"] if id:
                return {"POST": partial(self._sign, id=id)}
            case ["uploads", id, "complete"] if id:
                return {"POST": partial(self._complete, id=id)}
            case ["files", receipt] if receipt:
                return {"GET": partial(self._file, receipt=receipt)}
            case ["s3", *below]:
                return self._companion.calls(below)
            case ["static", *names] if names and all(names):
                return {"GET": partial(serve_asset, path="/".join(names))}
        return None

    def _storage_app(self, environ: WSGIEnvironment) -> WSGIApplication:
        """What the storage answers at a temp URL of its own; raises NotFound when it has none there."""
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
                return logged_problem(error, environ)(environ, start_response)
            return problem(NotFound())(environ, start_response) if served is None else served

        return serve

    # -- the calls -----------------------------------------------------------------------------------------

    def _begin(self, request: Request) -> Response:
        requester = self._authenticated(request)
        wanted = parse_request(body.read_object(request.environ), requester.identity)
        begun = self._uploads.begin(request.environ, requester, wanted, origin=request_page_origin(request.environ))
        transfer = begun.ticket.transfer
        response = json_response(
            {
                "id": transfer.id,
                "ticket": begun.token,
                "expires": transfer.expires,
                "segment_size": transfer.segment_size,
                "segment_count": transfer.segment_count,
                "parallel": self._options.parallel,
                "checksum": "md5",
                "segments": self._segments(request, begun.segments),
            },
            201,
        )
        response.headers["Location"] = self._url(request, f"/uploads/{transfer.id}")
        response.headers["Upload-Owner"] = str(requester.record_owner)
        self._set_cookie(response, request, begun.cookie)
        return response

    def _owner(self, request: Request) -> Response:
        return json_response({"owner": self._authenticated(request).record_owner})

    def _sign(self, request: Request, id: str) -> Response:
        ticket = self._ticket(request, id)
        indexes = body.indexes(body.read_object(request.environ), ticket.transfer.segment_count)
        renewed = self._uploads.renewed(ticket)
        signed = self._uploads.sign(request.environ, renewed or ticket, indexes)
        return self._with_ticket(request, renewed, {"segments": self._segments(request, signed)})

    def _status(self, request: Request, id: str) -> Response:
        ticket = self._ticket(request, id)
        inspection, receipt = self._uploads.status(ticket)
        stored = [{"index": s.index, "size": s.size, "etag": s.etag} for s in inspection.stored]
        status: dict[str, Any] = {"id": id, "state": "complete" if receipt else "open", "stored": stored}
        if receipt:
            return json_response(status | {"receipt": receipt})
        return self._with_ticket(request, self._uploads.renewed(ticket), status)

    def _complete(self, request: Request, id: str) -> Response:
        ticket = self._ticket(request, id)
        etags = body.etags(body.read_object(request.environ), ticket.transfer.segment_count)
        done = self._uploads.complete(request.environ, ticket, etags)
        return json_response(self._completed(request, done))

    def _abort(self, request: Request, id: str) -> Response:
        self._uploads.abort(self._ticket(request, id))
        return private(ApiResponse(status=204))

    def _file(self, request: Request, receipt: str) -> Response:
        requester = self._authenticated(request)
        found = self._uploads.receipts.read(receipt)
        requester.check_receipt(found)
        inline = "inline" in parse_qs(request.environ.get("QUERY_STRING", ""), keep_blank_values=True)
        url = self._uploads.download_url(found.upload, filename=None, inline=inline, ttl=DOWNLOAD_TTL)
        response = private(ApiResponse(status=302))
        response.headers["Location"] = self._url(request, url)
        return response

    # -- what they share -----------------------------------------------------------------------------------

    def _ticket(self, request: Request, id: str) -> Ticket:
        token = request.environ.get("HTTP_UPLOAD_TICKET")
        return self._checked(request, self._uploads.tickets, token, id)[1]

    def _with_ticket(self, request: Request, renewed: Ticket | None, value: dict[str, Any]) -> Response:
        """The answer, with the renewed ticket, if it is one, and the cookie for as long."""
        if renewed is None:
            return json_response(value)
        token = self._uploads.tickets.issue(renewed)
        response = json_response(value | {"ticket": token, "expires": renewed.transfer.expires})
        self._set_cookie(response, request, str(self._uploads.requester(request.environ).cookie))
        return response

    def _segments(self, request: Request, signed: Iterable[SignedSegment]) -> list[dict[str, Any]]:
        return [
            {
                "index": s.segment.index,
                "offset": s.segment.offset,
                "size": s.segment.size,
                "method": "PUT",
                "url": self._url(request, s.url),
                "headers": dict(s.headers),
                "expires": s.expires,
                **({"checksum": asdict(s.checksum)} if s.checksum else {}),
            }
            for s in signed
        ]
