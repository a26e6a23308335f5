"""The protocol in which Uppy's plugin ``@uppy/aws-s3`` speaks to a server of Uppy's own, called Companion.

An application's page that uses Uppy 6 needs no other plugin: ``companionEndpoint`` is our mount. The words are S3's
here: a part is a segment, counted from 1, and the key, which the plugin gives back with each call, is the ticket.

The plugin does not tell how large a file is, and chooses the size of its parts itself. So these uploads are open-ended:
what was sent is measured on completion, and the application is asked then as it was at the beginning.

See https://uppy.io/docs/aws-s3 and ``CompanionS3.ts`` in the plugin.
"""

from __future__ import annotations

import re
from functools import partial
from urllib.parse import parse_qs

from webob import Request, Response

from ..errors import DirectUploadError, InvalidRequest, TooLarge
from ..origins import check_same_site, request_page_origin
from ..policy import parse_request
from ..requester import Requester
from ..tickets import Ticket
from . import parsing as body
from .endpoint import Call, Calls
from .responses import json_response, logged_problem

_PART_NUMBER = re.compile("[1-9][0-9]{0,8}")
_PHRASE = re.compile("[ -~]{1,200}")


class Companion(Calls):
    """Answers everything below ``s3/``."""

    def calls(self, path: list[str]) -> dict[str, Call] | None:
        """Method → call, of the address below ``s3/``; None when it is none of ours."""
        calls = self._calls(path)
        return calls and {method: partial(self._told, call) for method, call in calls.items()}

    def _calls(self, path: list[str]) -> dict[str, Call] | None:
        match path:
            case ["params"]:
                return {"GET": self._params}
            case ["multipart"]:
                return {"POST": self._begin}
            case ["multipart", id] if id:
                return {"GET": partial(self._stored, id=id), "DELETE": partial(self._abort, id=id)}
            case ["multipart", id, "complete"] if id:
                return {"POST": partial(self._complete, id=id)}
            case ["multipart", id, number] if id and number:
                return {"GET": partial(self._sign, id=id, number=number)}
        return None

    def _told(self, call: Call, request: Request) -> Response:
        """What the call answers. The plugin tells its visitor nothing of a problem but the reason phrase (which only
        HTTP/1.1 has), so that is what happened."""
        try:
            check_same_site(request.environ, self._options.origins)
            return call(request)
        except DirectUploadError as error:
            response = logged_problem(error, request.environ)
            reason = error.detail if _PHRASE.fullmatch(error.detail) else error.title
            response.status = f"{error.status} {reason}"
            return response

    # -- the calls -----------------------------------------------------------------------------------------

    def _params(self, request: Request) -> Response:
        """A small file would go up in one POST, of which we never hear: nobody would seal it, and its page would have
        no receipt, since the plugin knows afterwards what it knew before. So even that has to go up in parts.
        """
        self._authenticated(request)
        detail = "Set the option shouldUseMultipart of @uppy/aws-s3 to true; it cannot send empty files."
        raise InvalidRequest("shouldUseMultipart", detail)

    def _begin(self, request: Request) -> Response:
        requester = self._authenticated(request)
        is_first = requester.cookie is None
        asked = body.read_object(request.environ)
        named = {"filename": asked.get("filename"), "type": asked.get("type", ""), "size": 0}
        wanted = parse_request(named, requester.identity)
        begun = self._uploads.begin_unknown_size(
            request.environ, requester, wanted, origin=request_page_origin(request.environ)
        )
        id = begun.ticket.transfer.id
        response = json_response({"uploadId": id, "key": begun.token})
        self._set_cookie(response, request, begun.cookie)
        if is_first:
            self._set_cookie(response, request, begun.cookie, own=f"{self._options.mount}/s3/multipart/{id}")
        return response

    def _sign(self, request: Request, id: str, number: str) -> Response:
        _, ticket = self._ticket(request, id)
        index = _index(number, ticket.transfer.segment_count)
        [signed] = self._uploads.sign(request.environ, ticket, [index])
        answer = {"url": self._url(request, signed.url), "expires": self._options.url_ttl}
        return json_response(answer | ({"headers": dict(signed.headers)} if signed.headers else {}))

    def _stored(self, request: Request, id: str) -> Response:
        _, ticket = self._ticket(request, id)
        inspection, _ = self._uploads.status(ticket)
        stored = sorted(inspection.stored, key=lambda segment: segment.index)
        return json_response([{"PartNumber": s.index + 1, "Size": s.size, "ETag": f'"{s.etag}"'} for s in stored])

    def _complete(self, request: Request, id: str) -> Response:
        """The plugin hands two members on to its page: ``key``, which is the receipt, and ``location``."""
        requester, ticket = self._ticket(request, id)
        etags = body.part_etags(body.read_object(request.environ), ticket.transfer.segment_count)
        done = self._uploads.complete_unknown_size(request.environ, requester.claimed(ticket), etags)
        location = self._url(request, f"/files/{done.receipt}")
        return json_response({"location": location, "key": done.receipt, **self._completed(request, done)})

    def _abort(self, request: Request, id: str) -> Response:
        _, ticket = self._ticket(request, id)
        self._uploads.abort(ticket)
        return json_response({})

    def _ticket(self, request: Request, id: str) -> tuple[Requester, Ticket]:
        key = parse_qs(request.environ.get("QUERY_STRING", "")).get("key", [None])[0]
        return self._checked(request, self._uploads.unknown_size_tickets, key, id)


def _index(number: str, count: int) -> int:
    """The index of a part by its number. Raises InvalidRequest, TooLarge."""
    if not _PART_NUMBER.fullmatch(number):
        raise InvalidRequest("partNumber", f"A part's number is an integer, 1 to {count}.")
    if int(number) > count:
        raise TooLarge(f"There are at most {count} parts: set the option getChunkSize of @uppy/aws-s3 to larger ones.")
    return int(number) - 1
