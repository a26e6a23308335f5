"""The operations of an upload: begin, sign, status, complete, abort, download, delete."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

from .errors import ApplicationError, DirectUploadError, NotAuthenticated, Refused
from .models import Upload, UploadRequest
from .operations.callbacks import call_application, check_object_name, client_address
from .operations.outcomes import DOWNLOAD_TTL, BegunUpload, CompletedUpload, log_fields, stored_object
from .options import Options
from .origins import storage_page_origin
from .plan import Plan, make_plan, measure, plan_for_unknown_size
from .requester import Binding, Requester
from .storage.base import GROUP_DIGITS, SignedSegment, StoredObject, Transfer, UploadStatus
from .tokens.receipts import Receipts
from .tokens.signed import Scope
from .tokens.tickets import Ticket, Tickets, check_not_expired, renew

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

log = logging.getLogger(__name__)

__all__ = ["DOWNLOAD_TTL", "Uploads"]

FIRST_SEGMENTS = 16


class Uploads:
    """Carries out the operations. It has no state: that is in tickets and in the storage."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._storage = self.storage = options.storage
        self.mount = options.mount
        scope = Scope(options.storage.container, options.mount)
        self.tickets = Tickets(options.keys, scope)
        self.unknown_size_tickets = Tickets(options.keys, scope, unknown_size=True)
        self.receipts = Receipts(options.keys, scope)
        # Not imported with this module: a program that only needs the middleware's class should start quickly.
        from .operations.completion import Completion

        self._completion = Completion(options, self.receipts)
        self.url_ttl = options.url_ttl

    def requester(self, environ: WSGIEnvironment) -> Requester:
        """Return the sender of this request."""
        return Requester(environ, self._options.identify, self._options.anonymous)

    def record_owner(self, requester: Requester, cookie: str) -> str:
        """Return the key that encrypts the requester's resume records in a browser with this cookie: 64 hex digits.

        It needs the secret, so the next user of a shared computer cannot compute it, even with cookie and identity.
        """
        return self._options.keys.derive("record owner", requester.digest("record owner", cookie))

    def authenticate(self, environ: WSGIEnvironment) -> Requester:
        """Return the sender of this request. Raise NotAuthenticated or ApplicationError."""
        requester = self.requester(environ)
        call_application(requester.check_authenticated)
        return requester

    def is_known(self, environ: WSGIEnvironment) -> bool:
        """Return whether the sender is logged in, or is an anonymous one who has begun an upload before."""
        requester = self.requester(environ)
        try:
            call_application(requester.check_authenticated)
        except (NotAuthenticated, ApplicationError, Refused):
            return False
        return requester.identity is not None or requester.cookie is not None

    def check_ticket(
        self, environ: WSGIEnvironment, token: str | None, upload_id: str, *, unknown_size: bool = False
    ) -> tuple[Requester, Ticket]:
        """Return the requester and the ticket of a call for this upload, after all checks.

        Raise NotAuthenticated, then InvalidTicket, then NotYours, and only then TicketExpired.
        """
        requester = self.authenticate(environ)
        return requester, self.read_ticket(requester, token, upload_id, unknown_size=unknown_size)

    def read_ticket(
        self, requester: Requester, token: str | None, upload_id: str, *, unknown_size: bool = False
    ) -> Ticket:
        """Return the ticket of an authenticated requester. Raise what :meth:`check_ticket` raises."""
        ticket = (self.unknown_size_tickets if unknown_size else self.tickets).read(token, upload_id=upload_id)
        requester.check_ticket(ticket)
        check_not_expired(ticket)
        return ticket

    def begin(self, environ: WSGIEnvironment, requester: Requester, request: UploadRequest) -> BegunUpload:
        """Check the policy, call ``authorize``, and return a ticket and the first presigned URLs.

        Raise TooLarge, TypeNotAccepted, Refused, ApplicationError or a storage error.
        """
        binding = requester.bind()
        return self._begin(environ, binding.cookie, self._allow(environ, request, binding))

    def begin_all(
        self, environ: WSGIEnvironment, requester: Requester, requests: Sequence[UploadRequest]
    ) -> tuple[list[BegunUpload | DirectUploadError], str]:
        """Begin several uploads that are bound to one cookie; return each one or its error, in order, and the cookie.

        ``authorize`` and ``object_name`` are called in this thread, for one upload after the other. Only storage is
        asked for several at once.
        """
        from .operations.attempts import attempt, attempt_each  # __init__ has imported it

        binding = requester.bind()
        group = secrets.token_hex(GROUP_DIGITS // 2)
        allowed = [attempt(self._allow, environ, request, binding, group) for request in requests]
        return attempt_each(lambda ticket: self._begin(environ, binding.cookie, ticket), allowed), binding.cookie

    def _begin(self, environ: WSGIEnvironment, cookie: str, ticket: Ticket) -> BegunUpload:
        ticket = self._begin_in_storage(ticket, self._page_origin(environ))
        first = range(min(FIRST_SEGMENTS, ticket.transfer.segment_count))
        segments = self.sign(environ, ticket, first, fresh=True)
        return BegunUpload(ticket, self.tickets.issue(ticket), cookie, segments)

    def prepare(self, environ: WSGIEnvironment, requester: Requester, request: UploadRequest, *, origin: str) -> Ticket:
        """Check the policy, call ``authorize``, and begin the upload in storage; return the ticket."""
        return self._begin_in_storage(self._allow(environ, request, requester.bind()), origin)

    def _allow(self, environ: WSGIEnvironment, request: UploadRequest, binding: Binding, group: str = "") -> Ticket:
        """Check the policy, ask the application, and return the ticket of an upload that storage does not know yet."""
        self._options.policy.check(request)
        plan = make_plan(request.size, self._options.segment_size, self._storage.limits())
        self._authorize(environ, request)
        return self._ticket(binding, request, self._transfer(environ, request, plan, group))

    def begin_unknown_size(self, environ: WSGIEnvironment, requester: Requester, request: UploadRequest) -> BegunUpload:
        """Begin an upload of unknown size; ``request.size`` is 0. There are no presigned URLs yet.

        :meth:`complete_unknown_size` checks the policy and calls ``authorize`` again, with the size.
        """
        self._options.policy.check(request)
        plan = plan_for_unknown_size(self._storage.limits())
        self._authorize(environ, request)
        largest = plan.segment_size * plan.segment_count
        transfer = replace(self._transfer(environ, request, plan), size=largest, unknown_size=True)
        binding = requester.bind()
        ticket = self._begin_in_storage(self._ticket(binding, request, transfer), self._page_origin(environ))
        return BegunUpload(ticket, self.unknown_size_tickets.issue(ticket), binding.cookie, [])

    def _begin_in_storage(self, ticket: Ticket, origin: str) -> Ticket:
        """Prepare storage; return the ticket with what the storage must remember about the upload."""
        transfer = ticket.transfer
        reference = self._storage.begin(transfer, origin=origin)
        unknown = {"upload_size": None, "upload_segments": None} if transfer.unknown_size else {}
        log.info("upload begun", extra={**log_fields(transfer), **unknown})
        return replace(ticket, transfer=replace(ticket.transfer, reference=reference)) if reference else ticket

    def _authorize(self, environ: WSGIEnvironment, request: UploadRequest) -> None:
        if self._options.authorize is not None:
            call_application(self._options.authorize, environ, request)

    def _transfer(self, environ: WSGIEnvironment, request: UploadRequest, plan: Plan, group: str = "") -> Transfer:
        return Transfer(
            id=group + secrets.token_hex(16 - len(group) // 2),
            name=self._object_name(environ, request),
            type=request.type,
            size=request.size,
            segment_size=plan.segment_size,
            segment_count=plan.segment_count,
            seal=self._options.seal,
            expires=int(time.time()) + self._options.ticket_ttl,
        )

    def _ticket(self, binding: Binding, request: UploadRequest, transfer: Transfer) -> Ticket:
        begun = transfer.expires - self._options.ticket_ttl
        owner = binding.anonymous_owner
        return Ticket(transfer, request.filename, request.identity, binding.requester, owner, begun)

    def _object_name(self, environ: WSGIEnvironment, request: UploadRequest) -> str:
        choose = self._options.object_name
        if choose is None:
            return secrets.token_hex(16)
        return call_application(lambda: check_object_name(choose(environ, request)))

    def sign(
        self, environ: WSGIEnvironment, ticket: Ticket, indexes: Iterable[int], *, fresh: bool = False
    ) -> list[SignedSegment]:
        """Return presigned URLs for these segments, one for each index, ascending. Raise AlreadyComplete, NotFound."""
        left = ticket.transfer.expires - int(time.time())
        wanted = sorted(set(indexes))
        signed = self._storage.sign(
            ticket.transfer,
            wanted,
            ttl=max(1, min(self._options.url_ttl, left)),
            ip_range=call_application(client_address, environ) if self._options.bind_ip else None,
            fresh=fresh,
            origin=None if fresh else self._page_origin(environ) or None,
        )
        log.debug("presigned URLs issued", extra={"upload_id": ticket.transfer.id, "upload_signed": len(wanted)})
        return signed

    def _page_origin(self, environ: WSGIEnvironment) -> str:
        return storage_page_origin(environ, self._options.origins)

    def renew(self, environ: WSGIEnvironment, ticket: Ticket) -> Ticket | None:
        """Return a new ticket for a long upload, once half of the present one's lifetime has passed.

        ``authorize`` is called again. If it refuses, the upload ends with the present ticket.
        """
        renewed = renew(ticket, self._options.ticket_ttl)
        if renewed is None:
            return None
        try:
            self._authorize(environ, ticket.request)
        except (Refused, ApplicationError):
            log.info("ticket not renewed", extra={"upload_id": ticket.transfer.id})
            return None
        return renewed

    def status(self, ticket: Ticket) -> tuple[UploadStatus, str | None]:
        """Return the upload's status, and its receipt if it is complete."""
        status = self._storage.status(ticket.transfer)
        sealed = status.sealed if status.state == "complete" else None
        return status, self._completion.receipt(ticket, sealed) if sealed else None

    def complete(self, environ: WSGIEnvironment, ticket: Ticket, etags: Mapping[int, str]) -> CompletedUpload:
        """Complete the upload, however long it takes. See :meth:`~.completion.Completion.complete`."""
        return self._completion.complete(environ, ticket, etags)

    def complete_soon(
        self, environ: WSGIEnvironment, wanted: Sequence[tuple[Ticket, Mapping[int, str]]]
    ) -> list[CompletedUpload | DirectUploadError | None]:
        """Complete several uploads within about a second. See :meth:`~.completion.Completion.complete_soon`."""
        return self._completion.complete_soon(environ, wanted)

    def complete_unknown_size(
        self, environ: WSGIEnvironment, ticket: Ticket, etags: Mapping[int, str]
    ) -> CompletedUpload:
        """Complete an upload of unknown size: its size is that of the segments in storage that ``etags`` declares.

        Check the policy and call ``authorize`` before sealing, as at the beginning. A refused upload stays open: it can
        be tried again or aborted. Raise what :meth:`begin` and :meth:`complete` raise.
        """
        status = self._storage.status(ticket.transfer)
        measured = replace(ticket, transfer=measure(ticket.transfer, etags, status.stored))
        if status.state == "open":
            self._options.policy.check(measured.request)
            self._authorize(environ, measured.request)
        return self.complete(environ, measured, etags)

    def abort(self, ticket: Ticket) -> None:
        """Abort the upload. Repeatable. Raise AlreadyComplete after complete."""
        # The ticket may have been renewed, and the tombstone must outlive every ticket.
        expires = max(ticket.transfer.expires, int(time.time()) + self._options.ticket_ttl)
        self._storage.abort(replace(ticket.transfer, expires=expires))
        self._completion.forget(ticket.transfer.id)
        log.info("upload aborted", extra={"upload_id": ticket.transfer.id})

    def download_url(self, upload: Upload, *, filename: str | None, inline: bool, ttl: int) -> str:
        """Return a presigned URL for GET that downloads the object as ``filename``, by default its original name."""
        name = upload.filename if filename is None else filename
        return self._storage.download_url(upload.name, filename=name, inline=inline, ttl=ttl)

    def open(self, stored: StoredObject) -> BinaryIO:
        """Open the object. See :meth:`~.storage.base.Storage.open`."""
        return self._storage.open(stored)

    def delete(self, upload: Upload) -> None:
        """Delete the object. See :meth:`~.storage.base.Storage.delete`."""
        self._storage.delete(stored_object(upload), until=int(time.time()) + self._options.ticket_ttl)
        self._completion.forget(upload.id)
        log.info("upload deleted", extra={"upload_id": upload.id})
