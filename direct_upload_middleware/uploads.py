"""The operations of an upload: begin, sign, status, complete, abort, download, delete."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO

from .callbacks import call_application, check_json, check_object_name, client_address
from .errors import ApplicationError, NotAuthenticated, Refused, SegmentsMissing, TypeNotAccepted
from .models import Upload, UploadRequest
from .options import Options
from .origins import storage_page_origin
from .outcomes import BegunUpload, CompletedUpload, stored_object
from .plan import Plan, make_plan, measure, plan_for_unknown_size
from .receipts import Receipt, Receipts
from .requester import Requester
from .storage.base import Sealed, SignedSegment, StoredObject, Transfer, UploadStatus
from .tickets import Ticket, Tickets, check_not_expired, renew
from .tokens import Scope

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

log = logging.getLogger(__name__)

FIRST_SEGMENTS = 16
DOWNLOAD_TTL = 300


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
        ticket = (self.unknown_size_tickets if unknown_size else self.tickets).read(token, upload_id=upload_id)
        requester.check_ticket(ticket)
        check_not_expired(ticket)
        return requester, ticket

    def begin(self, environ: WSGIEnvironment, requester: Requester, request: UploadRequest) -> BegunUpload:
        """Check the policy, call ``authorize``, and return a ticket and the first presigned URLs.

        Raise TooLarge, TypeNotAccepted, Refused, ApplicationError or a storage error.
        """
        ticket, cookie = self.prepare(environ, requester, request, origin=self._page_origin(environ))
        first = range(min(FIRST_SEGMENTS, ticket.transfer.segment_count))
        segments = self.sign(environ, ticket, first, fresh=True)
        return BegunUpload(ticket, self.tickets.issue(ticket), cookie, segments)

    def prepare(
        self, environ: WSGIEnvironment, requester: Requester, request: UploadRequest, *, origin: str
    ) -> tuple[Ticket, str]:
        """Check the policy, call ``authorize``, and begin the upload in storage; return the ticket and its cookie."""
        self._options.policy.check(request)
        plan = make_plan(request.size, self._options.segment_size, self._storage.limits())
        self._authorize(environ, request)
        transfer = self._transfer(environ, request, plan)
        ticket, cookie = self._ticket(requester, request, transfer)
        ticket = self._begin_in_storage(ticket, origin)
        log.info("upload begun", extra=_log_fields(transfer))
        return ticket, cookie

    def begin_unknown_size(self, environ: WSGIEnvironment, requester: Requester, request: UploadRequest) -> BegunUpload:
        """Begin an upload of unknown size; ``request.size`` is 0. There are no presigned URLs yet.

        :meth:`complete_unknown_size` checks the policy and calls ``authorize`` again, with the size.
        """
        self._options.policy.check(request)
        plan = plan_for_unknown_size(self._storage.limits())
        self._authorize(environ, request)
        largest = plan.segment_size * plan.segment_count
        transfer = replace(self._transfer(environ, request, plan), size=largest, unknown_size=True)
        ticket, cookie = self._ticket(requester, request, transfer)
        ticket = self._begin_in_storage(ticket, self._page_origin(environ))
        log.info("upload begun", extra={**_log_fields(transfer), "upload_size": None, "upload_segments": None})
        return BegunUpload(ticket, self.unknown_size_tickets.issue(ticket), cookie, [])

    def _begin_in_storage(self, ticket: Ticket, origin: str) -> Ticket:
        """Prepare storage; return the ticket with what the storage must remember about the upload."""
        reference = self._storage.begin(ticket.transfer, origin=origin)
        return replace(ticket, transfer=replace(ticket.transfer, reference=reference)) if reference else ticket

    def _authorize(self, environ: WSGIEnvironment, request: UploadRequest) -> None:
        if self._options.authorize is not None:
            call_application(self._options.authorize, environ, request)

    def _transfer(self, environ: WSGIEnvironment, request: UploadRequest, plan: Plan) -> Transfer:
        return Transfer(
            id=secrets.token_hex(16),
            name=self._object_name(environ, request),
            type=request.type,
            size=request.size,
            segment_size=plan.segment_size,
            segment_count=plan.segment_count,
            seal=self._options.seal,
            expires=int(time.time()) + self._options.ticket_ttl,
        )

    def _ticket(self, requester: Requester, request: UploadRequest, transfer: Transfer) -> tuple[Ticket, str]:
        """Return the ticket, and the cookie that it is bound to."""
        binding = requester.bind()
        begun = transfer.expires - self._options.ticket_ttl
        owner = binding.anonymous_owner
        return Ticket(transfer, request.filename, request.identity, binding.requester, owner, begun), binding.cookie

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
        return status, self._receipt(ticket, self._upload(ticket, sealed)) if sealed else None

    def complete(self, environ: WSGIEnvironment, ticket: Ticket, etags: Mapping[int, str]) -> CompletedUpload:
        """Seal the upload, call ``on_complete``, and issue the receipt. Repeatable.

        Raise SegmentsMissing or SegmentsDiffer; Refused or TypeNotAccepted (then nothing remains in storage);
        ApplicationError (then a retry calls ``on_complete`` again); or a storage error.
        """
        transfer = ticket.transfer
        if undeclared := [i for i in range(transfer.segment_count) if i not in etags]:
            raise SegmentsMissing(undeclared)
        needs_consent = self._options.on_complete is not None or self._options.sniff
        sealed = self._storage.seal(transfer, etags, pending=needs_consent)
        upload = self._upload(ticket, sealed)
        data = self._consent(environ, ticket, upload, sealed) if needs_consent else None
        self._storage.confirm(transfer, sealed)
        url = self._storage.download_url(upload.name, filename=upload.filename, inline=False, ttl=DOWNLOAD_TTL)
        fields = {**_log_fields(transfer), "upload_seconds": max(0, sealed.sealed_at - ticket.begun)}
        log.info("upload complete", extra=fields)
        return CompletedUpload(upload, self._receipt(ticket, upload), url, data)

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

    def _consent(self, environ: WSGIEnvironment, ticket: Ticket, upload: Upload, sealed: Sealed) -> Any:
        """Return what ``on_complete`` returns. Remove a refused upload, unless it was complete before."""
        on_complete = self._options.on_complete
        try:
            if self._options.sniff:
                self._sniff(upload)
            return call_application(lambda: check_json(on_complete(environ, upload))) if on_complete else None
        except (Refused, TypeNotAccepted):
            if not sealed.complete:
                self._storage.refuse(ticket.transfer)
            raise

    def _sniff(self, upload: Upload) -> None:
        from .sniff import HEAD_SIZE, may_be_accepted  # make_options has imported it

        with self._storage.open(stored_object(upload)) as file:
            head = file.read(HEAD_SIZE)
        if not may_be_accepted(self._options.policy.accept, upload.type, head):
            raise TypeNotAccepted("The file's content is not of an accepted type.")

    def abort(self, ticket: Ticket) -> None:
        """Abort the upload. Repeatable. Raise AlreadyComplete after complete."""
        # The ticket may have been renewed, and the tombstone must outlive every ticket.
        expires = max(ticket.transfer.expires, int(time.time()) + self._options.ticket_ttl)
        self._storage.abort(replace(ticket.transfer, expires=expires))
        log.info("upload aborted", extra={"upload_id": ticket.transfer.id})

    def _upload(self, ticket: Ticket, sealed: Sealed) -> Upload:
        transfer = ticket.transfer
        return Upload(
            id=transfer.id,
            name=transfer.name,
            container=self._storage.container,
            filename=ticket.filename,
            type=transfer.type,
            size=sealed.size,
            etag=sealed.etag,
            owner=ticket.identity,
            completed=datetime.fromtimestamp(sealed.sealed_at, UTC),
        )

    def _receipt(self, ticket: Ticket, upload: Upload) -> str:
        return self.receipts.issue(Receipt(upload, ticket.anonymous_owner))

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
        log.info("upload deleted", extra={"upload_id": upload.id})


def _log_fields(transfer: Transfer) -> dict[str, object]:
    return {
        "upload_id": transfer.id,
        "upload_size": transfer.size,
        "upload_segments": transfer.segment_count,
        "upload_seal": transfer.seal,
    }
