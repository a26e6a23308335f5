"""The protocol of Companion, the server of Uppy's plugin ``@uppy/aws-s3``.

An application's page that uses Uppy 6 needs no other plugin: its ``companionEndpoint`` is our mount. This protocol uses
S3's terms: a part is a segment, counted from 1, and the ``key`` that the plugin sends with each call is the ticket.

The plugin does not send the file's size and chooses the size of its parts itself. So these uploads have an unknown
size: it is measured at complete, and policy and application are asked then as at the beginning.

See https://uppy.io/docs/aws-s3 and ``CompanionS3.ts`` in the plugin.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from urllib.parse import parse_qs

from webob import Request, Response

from ..errors import DirectUploadError, InvalidRequest, TooLarge
from ..options import Options
from ..origins import check_same_site
from ..policy import parse_request
from ..requester import Requester
from ..tokens.tickets import Ticket
from ..uploads import Uploads
from .parsing import parse_part_etags, read_object
from .responses import absolute_url, completed_body, json_response, log_problem, set_cookie

_PART_NUMBER = re.compile("[1-9][0-9]{0,8}")
_REASON_PHRASE = re.compile("[ -~]{1,200}")


class Companion:
    """Answers every request below ``s3/``."""

    def __init__(self, options: Options, uploads: Uploads) -> None:
        self._options = options
        self._uploads = uploads

    def calls(self, path: list[str]) -> dict[str, Callable[[Request], Response]] | None:
        """Return the calls of an address below ``s3/`` by method, or None."""
        calls = self._calls(path)
        return calls and {method: partial(self._respond, call) for method, call in calls.items()}

    def _calls(self, path: list[str]) -> dict[str, Callable[[Request], Response]] | None:
        match path:
            case ["params"]:
                return {"GET": self._params}
            case ["multipart"]:
                return {"POST": self._begin}
            case ["multipart", upload_id] if upload_id:
                return {
                    "GET": partial(self._status, upload_id=upload_id),
                    "DELETE": partial(self._abort, upload_id=upload_id),
                }
            case ["multipart", upload_id, "complete"] if upload_id:
                return {"POST": partial(self._complete, upload_id=upload_id)}
            case ["multipart", upload_id, number] if upload_id and number:
                return {"GET": partial(self._sign, upload_id=upload_id, number=number)}
        return None

    def _respond(self, call: Callable[[Request], Response], request: Request) -> Response:
        """Return the call's response. A problem's reason phrase is its detail.

        The plugin shows its user nothing else of a problem (and only HTTP/1.1 has a reason phrase).
        """
        try:
            check_same_site(request.environ, self._options.origins)
            return call(request)
        except DirectUploadError as error:
            response = log_problem(error, request.environ)
            reason = error.detail if _REASON_PHRASE.fullmatch(error.detail) else error.title
            response.status = f"{int(error.status)} {reason}"
            return response

    def _params(self, request: Request) -> Response:
        """Refuse a single POST, the plugin's way to upload a small file.

        The middleware would not hear of its end: the upload would stay unsealed, and the page would have no receipt.
        Therefore small files are uploaded in parts, too.
        """
        self._uploads.authenticate(request.environ)
        detail = "Set the option shouldUseMultipart of @uppy/aws-s3 to true; it cannot send empty files."
        raise InvalidRequest("shouldUseMultipart", detail)

    def _begin(self, request: Request) -> Response:
        environ = request.environ
        requester = self._uploads.authenticate(environ)
        body = read_object(environ)
        fields = {"filename": body.get("filename"), "type": body.get("type", ""), "size": 0}
        wanted = parse_request(fields, requester.identity)
        begun = self._uploads.begin_unknown_size(environ, requester, wanted)
        upload_id = begun.ticket.transfer.id
        response = json_response({"uploadId": upload_id, "key": begun.token})
        set_cookie(response, request, self._options, begun.cookie)
        if requester.cookie is None:
            upload_path = f"{self._options.mount}/s3/multipart/{upload_id}"
            set_cookie(response, request, self._options, begun.cookie, upload_path=upload_path)
        return response

    def _sign(self, request: Request, upload_id: str, number: str) -> Response:
        _, ticket = self._ticket(request, upload_id)
        index = _parse_part_number(number, ticket.transfer.segment_count)
        [signed] = self._uploads.sign(request.environ, ticket, [index])
        url = absolute_url(request, self._options, signed.url)
        headers = {"headers": dict(signed.headers)} if signed.headers else {}
        return json_response({"url": url, "expires": self._options.url_ttl, **headers})

    def _status(self, request: Request, upload_id: str) -> Response:
        _, ticket = self._ticket(request, upload_id)
        found, _ = self._uploads.status(ticket)
        stored = sorted(found.stored, key=lambda segment: segment.index)
        return json_response([{"PartNumber": s.index + 1, "Size": s.size, "ETag": f'"{s.etag}"'} for s in stored])

    def _complete(self, request: Request, upload_id: str) -> Response:
        """Complete the upload. The plugin passes two members to its page: ``key``, the receipt, and ``location``."""
        requester, ticket = self._ticket(request, upload_id)
        etags = parse_part_etags(read_object(request.environ), ticket.transfer.segment_count)
        completed = self._uploads.complete_unknown_size(request.environ, requester.adopt(ticket), etags)
        location = absolute_url(request, self._options, f"/files/{completed.receipt}")
        body = completed_body(request, self._options, completed)
        return json_response({"location": location, "key": completed.receipt, **body})

    def _abort(self, request: Request, upload_id: str) -> Response:
        _, ticket = self._ticket(request, upload_id)
        self._uploads.abort(ticket)
        return json_response({})

    def _ticket(self, request: Request, upload_id: str) -> tuple[Requester, Ticket]:
        key = parse_qs(request.environ.get("QUERY_STRING", "")).get("key", [None])[0]
        return self._uploads.check_ticket(request.environ, key, upload_id, unknown_size=True)


def _parse_part_number(number: str, count: int) -> int:
    """Return the index of a part. Raise InvalidRequest or TooLarge."""
    if not _PART_NUMBER.fullmatch(number):
        raise InvalidRequest("partNumber", f"A part number is an integer from 1 to {count}.")
    if int(number) > count:
        raise TooLarge(f"An upload has at most {count} parts: let the option getChunkSize of @uppy/aws-s3 return more.")
    return int(number) - 1
