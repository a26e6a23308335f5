"""CORS answers of the API, for pages of the origins that the application allows."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from webob import Response

from ..errors import CrossSite
from ..origins import request_origin

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_PREFLIGHT_SECONDS = "7200"
_EXPOSED = "Location, Retry-After, Date, ETag, Upload-Owner"


def is_preflight(environ: WSGIEnvironment) -> bool:
    """Whether the request only asks if another may be made (Fetch, CORS-preflight request)."""
    return (
        environ["REQUEST_METHOD"] == "OPTIONS"
        and "HTTP_ORIGIN" in environ
        and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
    )


def preflight_response(environ: WSGIEnvironment, origins: Collection[str]) -> Response:
    """Yes to a page of ``origins``; raises CrossSite for every other."""
    if request_origin(environ) not in origins:
        raise CrossSite
    response = Response(status=204)
    response.headers["Access-Control-Allow-Methods"] = "GET, HEAD, POST, PUT, DELETE"
    response.headers["Access-Control-Allow-Headers"] = "content-type, upload-ticket, etag"
    response.headers["Access-Control-Max-Age"] = _PREFLIGHT_SECONDS
    return response


def with_cors(environ: WSGIEnvironment, start_response: StartResponse, origins: Collection[str]) -> StartResponse:
    """A start_response that adds what a page of ``origins`` needs to read the answer."""
    if not origins:
        return start_response
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
