"""CORS headers of the API, for pages of the origins that the application allows."""

from __future__ import annotations

from collections.abc import Collection
from http import HTTPStatus
from typing import TYPE_CHECKING

from webob import Response

from ..errors import CrossSite
from ..headers import UPLOAD_OWNER, UPLOAD_TICKET
from ..origins import request_origin

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_PREFLIGHT_HEADERS = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, DELETE",
    "Access-Control-Allow-Headers": f"content-type, {UPLOAD_TICKET.lower()}, etag",
    "Access-Control-Max-Age": "7200",
}
_EXPOSED = f"Location, Retry-After, Date, ETag, {UPLOAD_OWNER}"


def is_preflight(environ: WSGIEnvironment) -> bool:
    """Return whether an OPTIONS request is a CORS preflight (Fetch, CORS-preflight request)."""
    return "HTTP_ORIGIN" in environ and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ


def preflight_response(environ: WSGIEnvironment, origins: Collection[str]) -> Response:
    """Allow a request from a page of ``origins``; raise CrossSite for any other."""
    if request_origin(environ) not in origins:
        raise CrossSite
    response = Response(status=HTTPStatus.NO_CONTENT)
    response.headers.update(_PREFLIGHT_HEADERS.items())
    return response


def add_cors(environ: WSGIEnvironment, start_response: StartResponse, origins: Collection[str]) -> StartResponse:
    """Return a start_response that adds the headers with which a page of ``origins`` may read the response."""
    added = [("Vary", "Origin")]
    if request_origin(environ) in origins:
        added += [
            ("Access-Control-Allow-Origin", environ["HTTP_ORIGIN"]),
            ("Access-Control-Allow-Credentials", "true"),
            ("Access-Control-Expose-Headers", _EXPOSED),
        ]

    def start(status: str, headers: list[tuple[str, str]], *exc_info):  # type: ignore[no-untyped-def]
        return start_response(status, headers + added, *exc_info)

    return start
