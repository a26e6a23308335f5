"""The calls for several uploads at once: what many small files need is fewer round trips.

Each item is answered as the call for one upload would answer it, with its status. Authentication, the same-site check
and a malformed body concern the whole call.
"""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from webob import Request, Response

from ..errors import DirectUploadError, InvalidRequest
from ..headers import UPLOAD_OWNER
from ..operations.attempts import attempt
from ..operations.outcomes import BegunUpload, CompletedUpload
from ..options import Options
from ..policy import parse_request
from ..requester import Requester
from ..tokens.tickets import Ticket
from ..uploads import Uploads
from .parsing import MAX_BATCH_BODY, parse_etags, parse_upload, parse_upload_id, parse_uploads, read_object
from .responses import (
    SEALING_RETRY_AFTER,
    begun_body,
    completed_body,
    json_response,
    log_error,
    problem_document,
    sealing_body,
    set_cookie,
)

_Wanted = tuple[Ticket, dict[int, str]]


class Batches:
    """Answers every request below ``batch/``."""

    def __init__(self, options: Options, uploads: Uploads) -> None:
        self._options = options
        self._uploads = uploads

    def begin(self, request: Request) -> Response:
        """Begin several uploads, all bound to one cookie."""
        environ = request.environ
        requester = self._uploads.authenticate(environ)
        items = parse_uploads(read_object(environ, MAX_BATCH_BODY))
        wanted = [attempt(lambda item: parse_request(parse_upload(item), requester.identity), item) for item in items]
        begun, cookie = self._uploads.begin_all(environ, requester, _valid(wanted))
        found = iter(begun)
        outcomes = [each if isinstance(each, DirectUploadError) else next(found) for each in wanted]
        response = _response([self._begun(request, outcome) for outcome in outcomes], outcomes)
        response.headers[UPLOAD_OWNER] = self._uploads.record_owner(requester, cookie)
        set_cookie(response, request, self._options, cookie)
        return response

    def _begun(self, request: Request, outcome: BegunUpload | DirectUploadError) -> dict[str, Any]:
        if isinstance(outcome, DirectUploadError):
            return _problem(outcome)
        return {"status": HTTPStatus.CREATED, **begun_body(request, self._options, outcome)}

    def complete(self, request: Request) -> Response:
        """Complete several uploads."""
        environ = request.environ
        requester = self._uploads.authenticate(environ)
        items = parse_uploads(read_object(environ, MAX_BATCH_BODY))
        ids: set[str] = set()
        wanted = [attempt(self._wanted, requester, item, ids) for item in items]
        found = iter(self._uploads.complete_soon(environ, _valid(wanted)))
        outcomes = [each if isinstance(each, DirectUploadError) else next(found) for each in wanted]
        body = [self._completed(request, *each) for each in zip(items, outcomes, strict=True)]
        return _response(body, outcomes)

    def _wanted(self, requester: Requester, item: Any, ids: set[str]) -> _Wanted:
        """Return the ticket and the declared segments of an item, after all checks."""
        upload_id = parse_upload_id(parse_upload(item))
        ticket = self._uploads.read_ticket(requester, item.get("ticket"), upload_id)
        if upload_id in ids:
            raise InvalidRequest("id", "This upload is in the list twice: the first one counts.")
        ids.add(upload_id)
        return ticket, parse_etags(item, ticket.transfer.segment_count)

    def _completed(
        self, request: Request, item: Any, outcome: CompletedUpload | DirectUploadError | None
    ) -> dict[str, Any]:
        if outcome is None:
            return {"status": HTTPStatus.ACCEPTED, **sealing_body(item["id"])}
        if isinstance(outcome, DirectUploadError):
            return _problem(outcome, item.get("id") if isinstance(item, dict) else None)
        return {"status": HTTPStatus.OK, **completed_body(request, self._options, outcome)}


def _valid(wanted: Iterable[Any]) -> list[Any]:
    return [each for each in wanted if not isinstance(each, DirectUploadError)]


def _problem(error: DirectUploadError, upload_id: str | None = None) -> dict[str, Any]:
    log_error(error, upload_id)
    return problem_document(error)


def _response(
    items: list[dict[str, Any]], outcomes: Iterable[BegunUpload | CompletedUpload | DirectUploadError | None]
) -> Response:
    """Return the response. Its ``Retry-After`` is the longest that one of its items would have."""
    response = json_response({"uploads": items})
    waits = [SEALING_RETRY_AFTER for outcome in outcomes if outcome is None]
    errors = [outcome for outcome in outcomes if isinstance(outcome, DirectUploadError)]
    waits += [int(error.headers["Retry-After"]) for error in errors if "Retry-After" in error.headers]
    if waits:
        response.headers["Retry-After"] = str(max(waits))
    return response
