"""The use cases of an upload: begin, sign, status, complete, abort, download."""

from __future__ import annotations

import json
import logging
import secrets
import time
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from .errors import ApplicationError, NotAuthenticated, Refused, SegmentsMissing, TypeNotAccepted
from .models import Upload, UploadRequest
from .options import Options
from .origins import request_page_origin
from .plan import Plan, make_plan, measure, plan_for_unknown_size
from .receipts import Receipt, Receipts
from .requester import Requester
from .storage.base import Sealed, SignedSegment, StoredObject, Transfer, UploadStatus
from .tickets import Ticket, Tickets, renewed

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

T = TypeVar("T")

log = logging.getLogger(__name__)

FIRST_SEGMENTS = 16
DOWNLOAD_TTL = 300
MAX_NAME_BYTES = 1024


@dataclass(frozen=True, slots=True)
class BegunUpload:
    """A new upload: its ticket, read and as a token, the binding cookie it needs, and the first temp URLs."""

    ticket: Ticket
    token: str
    cookie: str
    segments: list[SignedSegment]


@dataclass(frozen=True, slots=True)
class CompletedUpload:
    """A finished upload, its receipt, a temp URL for GET, and what ``on_complete`` returned (JSON-able)."""

    upload: Upload
    receipt: str
    download_url: str
    data: Any


class Uploads:
    """Carries uploads out. It keeps no state of its own: tickets and the storage have it all."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._storage = options.storage
        self.mount = options.mount
        self.tickets = Tickets(options.keys)
        self.unknown_size_tickets = Tickets(options.keys, unknown_size=True)
        self.receipts = Receipts(options.keys)

    def requester(self, environ: WSGIEnvironment) -> Requester:
        """Whoever sent this request."""
        return Requester(environ, self._options.identify, self._options.anonymous)

    def begin(
        self, environ: WSGIEnvironment, requester: Requester, request: UploadRequest, *, origin: str
    ) -> BegunUpload:
        """Ask the policy and the application, and make ticket, plan and the first temp URLs.

        Raises TooLarge, TypeNotAccepted, Refused, ApplicationError or a storage error.
        """
        self._options.policy.check(request)
        plan = make_plan(request.size, self._options.segment_size, self._storage.limits())
        self._authorize(environ, request)
        transfer = self._transfer(environ, request, plan)
        ticket, cookie = self._ticket(requester, request, transfer)
        ticket = self._begin_in_storage(ticket, origin)
        first = range(min(FIRST_SEGMENTS, plan.segment_count))
        segments = self.sign(environ, ticket, first, fresh=True)
        log.info("upload begun", extra=_story(transfer))
        return BegunUpload(ticket, self.tickets.issue(ticket), cookie, segments)

    def begin_unknown_size(
        self, environ: WSGIEnvironment, requester: Requester, request: UploadRequest, *, origin: str
    ) -> BegunUpload:
        """The same for a file whose size is not known yet: ``request.size`` is 0. There are no temp URLs, and
        :meth:`complete_unknown_size` asks policy and application again, with the size."""
        self._options.policy.check(request)
        plan = plan_for_unknown_size(self._storage.limits())
        self._authorize(environ, request)
        most = plan.segment_size * plan.segment_count
        transfer = replace(self._transfer(environ, request, plan), size=most, unknown_size=True)
        ticket, cookie = self._ticket(requester, request, transfer)
        ticket = self._begin_in_storage(ticket, origin)
        log.info("upload begun", extra={**_story(transfer), "upload_size": None, "upload_segments": None})
        return BegunUpload(ticket, self.unknown_size_tickets.issue(ticket), cookie, [])

    def _begin_in_storage(self, ticket: Ticket, origin: str) -> Ticket:
        """Prepare storage; return the ticket with what the storage must remember about the upload."""
        reference = self._storage.begin(ticket.transfer, origin=origin)
        return replace(ticket, transfer=replace(ticket.transfer, reference=reference)) if reference else ticket

    def _authorize(self, environ: WSGIEnvironment, request: UploadRequest) -> None:
        if self._options.authorize is not None:
            ask(self._options.authorize, environ, request)

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
        """The ticket, and the cookie that it is bound to."""
        binding = requester.bind()
        begun = transfer.expires - self._options.ticket_ttl
        owner = binding.anonymous_owner
        return Ticket(transfer, request.filename, request.identity, binding.requester, owner, begun), binding.cookie

    def _object_name(self, environ: WSGIEnvironment, request: UploadRequest) -> str:
        choose = self._options.object_name
        return secrets.token_hex(16) if choose is None else ask(lambda: _checked_name(choose(environ, request)))

    def sign(
        self, environ: WSGIEnvironment, ticket: Ticket, indexes: Iterable[int], *, fresh: bool = False
    ) -> list[SignedSegment]:
        """Temp URLs for these segments, each index once, ascending. Raises AlreadyComplete, NotFound."""
        left = ticket.transfer.expires - int(time.time())
        wanted = sorted(set(indexes))
        signed = self._storage.sign(
            ticket.transfer,
            wanted,
            ttl=max(1, min(self._options.url_ttl, left)),
            ip_range=ask(_address, environ) if self._options.bind_ip else None,
            fresh=fresh,
            origin=request_page_origin(environ),
        )
        log.debug("temp URLs signed", extra={"upload_id": ticket.transfer.id, "upload_signed": len(wanted)})
        return signed

    def renewed(self, ticket: Ticket) -> Ticket | None:
        """A ticket for the rest of a long upload, when the present one has passed the half of its life."""
        return renewed(ticket, self._options.ticket_ttl)

    def status(self, ticket: Ticket) -> tuple[UploadStatus, str | None]:
        """How far the upload is, and its receipt when it is complete."""
        status = self._storage.status(ticket.transfer)
        if status.state != "complete" or status.sealed is None:
            return status, None
        return status, self._receipt(ticket, self._upload(ticket, status.sealed))

    def complete(self, environ: WSGIEnvironment, ticket: Ticket, etags: Mapping[int, str]) -> CompletedUpload:
        """Seal the upload, tell the application, and make the receipt. May be repeated.

        Raises SegmentsMissing, SegmentsDiffer, Refused or TypeNotAccepted (then nothing is left in storage),
        ApplicationError (then a retry asks the application again) or a storage error.
        """
        transfer = ticket.transfer
        if left_out := [i for i in range(transfer.segment_count) if i not in etags]:
            raise SegmentsMissing(left_out)
        asks = self._options.on_complete is not None or self._options.sniff
        sealed = self._storage.seal(transfer, etags, pending=asks)
        upload = self._upload(ticket, sealed)
        data = self._consent(environ, ticket, upload, sealed) if asks else None
        self._storage.confirm(transfer, sealed)
        url = self._storage.download_url(upload.name, filename=upload.filename, inline=False, ttl=DOWNLOAD_TTL)
        seconds = max(0, sealed.sealed_at - ticket.begun)
        log.info("upload complete", extra={**_story(transfer), "upload_seconds": seconds})
        return CompletedUpload(upload, self._receipt(ticket, upload), url, data)

    def complete_unknown_size(
        self, environ: WSGIEnvironment, ticket: Ticket, etags: Mapping[int, str]
    ) -> CompletedUpload:
        """Complete an open-ended upload, which is as large as the segments that ``etags`` declares are in storage.

        Before it is sealed policy and application are asked as they are at the beginning. What they refuse
        stays open, to be tried again or given up. Raises what :meth:`begin` and :meth:`complete` raise.
        """
        status = self._storage.status(ticket.transfer)
        found = replace(ticket, transfer=measure(ticket.transfer, etags, status.stored))
        if status.state == "open":
            self._options.policy.check(found.request)
            self._authorize(environ, found.request)
        return self.complete(environ, found, etags)

    def _consent(self, environ: WSGIEnvironment, ticket: Ticket, upload: Upload, sealed: Sealed) -> Any:
        """What the application says to a sealed upload. One that is refused goes, unless it was complete before."""
        on_complete = self._options.on_complete
        try:
            if self._options.sniff:
                self._sniff(upload)
            return ask(lambda: _checked_json(on_complete(environ, upload))) if on_complete else None
        except (Refused, TypeNotAccepted):
            if not sealed.complete:
                self._storage.refuse(ticket.transfer)
            raise

    def _sniff(self, upload: Upload) -> None:
        from .sniff import HEAD_SIZE, may_be  # make_options has imported it

        with self._storage.open(stored_object(upload)) as file:
            head = file.read(HEAD_SIZE)
        if not may_be(self._options.policy.accept, upload.type, head):
            raise TypeNotAccepted("The content of the file is of another type than those that are accepted.")

    def abort(self, ticket: Ticket) -> None:
        """Give the upload up. Repeatable; raises AlreadyComplete after complete."""
        # The ticket may have been renewed, and the word that it was given up has to outlive each of them.
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
        """A temp URL for GET that gives the object under ``filename``, by default its original one."""
        name = upload.filename if filename is None else filename
        return self._storage.download_url(upload.name, filename=name, inline=inline, ttl=ttl)

    def open(self, stored: StoredObject) -> BinaryIO:
        """See :meth:`~.storage.base.Storage.open`."""
        return self._storage.open(stored)

    def delete(self, upload: Upload) -> None:
        """See :meth:`~.storage.base.Storage.delete`."""
        self._storage.delete(stored_object(upload), until=int(time.time()) + self._options.ticket_ttl)
        log.info("upload deleted", extra={"upload_id": upload.id})


def _story(transfer: Transfer) -> dict[str, object]:
    """What is logged of an upload."""
    return {
        "upload_id": transfer.id,
        "upload_size": transfer.size,
        "upload_segments": transfer.segment_count,
        "upload_seal": transfer.seal,
    }


def stored_object(upload: Upload) -> StoredObject:
    """What the storage must know of a finished upload."""
    return StoredObject(name=upload.name, id=upload.id, size=upload.size, etag=upload.etag)


def ask(callable: Callable[..., T], *args: Any) -> T:
    """Call what calls the application. What that raises, other than Refused, is logged and becomes ApplicationError."""
    try:
        return callable(*args)
    except (Refused, NotAuthenticated):
        raise
    except Exception as error:
        log.exception("a callable of the application failed")
        raise ApplicationError from error


def _address(environ: WSGIEnvironment) -> str:
    """The requester's. Raises where the server does not know it, as behind a Unix socket: then nothing is bound."""
    address = ip_address(environ.get("REMOTE_ADDR", ""))
    return str((address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address)


def _checked_name(name: str) -> str:
    if not isinstance(name, str) or not 1 <= len(name.encode()) <= MAX_NAME_BYTES:
        raise ValueError(f"object_name must give a str of 1 to {MAX_NAME_BYTES} bytes in UTF-8")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        raise ValueError("object_name gave a name with control characters")
    if any(part in (".", "..") for part in name.split("/")):
        raise ValueError("object_name gave a name with '.' or '..' in its path, which browsers would resolve")
    return name


def _checked_json(data: Any) -> Any:
    json.dumps(data, allow_nan=False)
    return data
