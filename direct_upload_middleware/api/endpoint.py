"""What the calls of the API and those of Uppy's protocol share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from webob import Request, Response

from ..options import Options
from ..origins import mount_url
from ..requester import Requester, cookie_header
from ..tickets import Ticket, Tickets, check_fresh
from ..uploads import CompletedUpload, Uploads, ask

Call = Callable[[Request], Response]


class Calls:
    """Answers requests for addresses below the mount."""

    def __init__(self, options: Options, uploads: Uploads) -> None:
        self._options = options
        self._uploads = uploads

    def _authenticated(self, request: Request) -> Requester:
        requester = self._uploads.requester(request.environ)
        ask(requester.authenticate)
        return requester

    def _checked(self, request: Request, tickets: Tickets, token: str | None, id: str) -> tuple[Requester, Ticket]:
        """The ticket of this call: first whether it is one, then whose, and only then whether it is still good."""
        requester = self._authenticated(request)
        ticket = tickets.read(token, id=id)
        requester.check_ticket(ticket)
        check_fresh(ticket)
        return requester, ticket

    def _set_cookie(self, response: Response, request: Request, cookie: str, *, own: str = "") -> None:
        header = cookie_header(request.environ, cookie, self._options.ticket_ttl, own=own)
        response.headers.add("Set-Cookie", header)

    def _completed(self, request: Request, done: CompletedUpload) -> dict[str, Any]:
        upload = {name: getattr(done.upload, name) for name in ("id", "name", "filename", "type", "size", "etag")}
        url = self._url(request, done.download_url)
        return {"receipt": done.receipt, "upload": upload, "download_url": url, "data": done.data}

    def _url(self, request: Request, url: str) -> str:
        return mount_url(request.environ.get("SCRIPT_NAME", ""), self._options.mount, url)
