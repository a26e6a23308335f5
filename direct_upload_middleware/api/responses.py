"""Responses of the API: JSON, problems (RFC 9457), cookies."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable
from dataclasses import asdict
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from webob import Request, Response

from ..errors import DirectUploadError
from ..headers import PRIVATE_HEADERS
from ..operations.outcomes import BegunUpload, CompletedUpload
from ..origins import mount_url
from ..requester import cookie_header
from ..storage.base import SignedSegment

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from ..options import Options

log = logging.getLogger(__name__)

_UPLOAD_PATH = re.compile(r"/(?:uploads|s3/multipart)/([0-9a-f]{32})(?:/|$)")

SEALING_RETRY_AFTER = 1
"""Seconds after which the client repeats a complete call that was answered with 202."""

_encode = json.JSONEncoder(separators=(",", ":")).encode


class ApiResponse(Response):
    """A response without caching whose ``Location`` stays relative to the host, which a proxy may hide."""

    def __init__(self, body: bytes = b"", status: int | str = HTTPStatus.OK, content_type: str | None = None) -> None:
        super().__init__(body=body, status=status)
        if content_type is not None:
            self.headers["Content-Type"] = content_type
        self.headers.update(PRIVATE_HEADERS.items())

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Send the response."""
        start_response(self.status, self.headerlist)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else self.app_iter


def json_response(value: Any, status: int = HTTPStatus.OK, content_type: str = "application/json") -> ApiResponse:
    """Return a JSON response."""
    return ApiResponse(_encode(value).encode(), status, content_type)


def problem_document(error: DirectUploadError) -> dict[str, Any]:
    """Return the members of an error's problem document."""
    return {
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
        **error.extras,
    }


def problem(error: DirectUploadError) -> ApiResponse:
    """Return the response for an error."""
    response = json_response(problem_document(error), error.status, "application/problem+json")
    response.headers.update(error.headers.items())
    return response


def log_problem(error: DirectUploadError, environ: WSGIEnvironment) -> ApiResponse:
    """Log an error and return the response for it."""
    log_error(error, _upload_id(environ))
    return problem(error)


def log_error(error: DirectUploadError, upload_id: str | None) -> None:
    """Log an error. One that is not the client's is logged with its detail."""
    extra = {"upload_code": error.code, "upload_status": int(error.status), "upload_id": upload_id}
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("%s: %s", error.code, error.detail, extra=extra)
    else:
        log.info("refused: %s", error.code, extra=extra)


def _upload_id(environ: WSGIEnvironment) -> str | None:
    found = _UPLOAD_PATH.search(environ.get("PATH_INFO", ""))
    return found[1] if found else None


def absolute_url(request: Request, options: Options, url: str) -> str:
    """Return a URL for the browser: one that begins with a slash is relative to the mount."""
    return mount_url(request.environ.get("SCRIPT_NAME", ""), options.mount, url)


def begun_body(request: Request, options: Options, begun: BegunUpload) -> dict[str, Any]:
    """Return the body of a begin call's response."""
    transfer = begun.ticket.transfer
    return {
        "id": transfer.id,
        "ticket": begun.token,
        "expires": transfer.expires,
        "segment_size": transfer.segment_size,
        "segment_count": transfer.segment_count,
        "parallel": options.parallel,
        "checksum": "md5",
        "segments": segments_body(request, options, begun.segments),
    }


def segments_body(request: Request, options: Options, signed: Iterable[SignedSegment]) -> list[dict[str, Any]]:
    """Return presigned requests as a response has them."""
    return [
        {
            "index": s.segment.index,
            "offset": s.segment.offset,
            "size": s.segment.size,
            "method": "PUT",
            "url": absolute_url(request, options, s.url),
            "headers": dict(s.headers),
            "expires": s.expires,
            **({"checksum": asdict(s.checksum)} if s.checksum else {}),
        }
        for s in signed
    ]


def sealing_body(upload_id: str) -> dict[str, Any]:
    """Return the body of the response while an upload is being sealed, with status 202."""
    return {"id": upload_id, "state": "sealing"}


def completed_body(request: Request, options: Options, completed: CompletedUpload) -> dict[str, Any]:
    """Return the body of a complete call's response."""
    upload = {name: getattr(completed.upload, name) for name in ("id", "name", "filename", "type", "size", "etag")}
    url = absolute_url(request, options, completed.download_url)
    return {"receipt": completed.receipt, "upload": upload, "download_url": url, "data": completed.data}


def set_cookie(response: Response, request: Request, options: Options, cookie: str, *, upload_path: str = "") -> None:
    """Give the browser the binding cookie for as long as a ticket is valid."""
    header = cookie_header(request.environ, cookie, options.ticket_ttl, upload_path=upload_path)
    response.headers.add("Set-Cookie", header)
