"""JSON out: answers and problems (RFC 9457)."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from webob import Response

from ..errors import DirectUploadError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

log = logging.getLogger(__name__)

_UPLOAD = re.compile(r"/(?:uploads|s3/multipart)/([0-9a-f]{32})(?:/|$)")

_encode = json.JSONEncoder(separators=(",", ":")).encode


class ApiResponse(Response):
    """A response whose ``Location`` stays as it is: relative to a host that a proxy may hide from us."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response(self.status, self.headerlist)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else self.app_iter


def json_response(value: Any, status: int = 200, content_type: str = "application/json") -> Response:
    """A JSON answer that nothing may store."""
    response = ApiResponse(body=_encode(value).encode(), status=status)
    response.headers["Content-Type"] = content_type
    return private(response)


def private(response: Response) -> Response:
    """The response with what every answer of the API has."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Resource-Policy"] = "same-site"
    response.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
    return response


def problem(error: DirectUploadError) -> Response:
    """The problem document of an error."""
    document = {
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
        **error.extras,
    }
    response = json_response(document, error.status, "application/problem+json")
    response.headers.update(list(error.headers.items()))
    return response


def logged_problem(error: DirectUploadError, environ: WSGIEnvironment) -> Response:
    """The same, logged. What is not the requester's fault is logged as an error, with its detail."""
    extra = {"upload_code": error.code, "upload_status": error.status, "upload_id": _id_of(environ)}
    if error.status >= 500:
        log.error("%s: %s", error.code, error.detail, extra=extra)
    else:
        log.info("refused: %s", error.code, extra=extra)
    return problem(error)


def _id_of(environ: WSGIEnvironment) -> str | None:
    """The upload that a request is about, where its address names one."""
    found = _UPLOAD.search(environ.get("PATH_INFO", ""))
    return found[1] if found else None
