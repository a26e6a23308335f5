"""Complete uploads: seal them, ask the application, confirm them, and issue their receipts."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import DirectUploadError, Refused, SegmentsMissing, TypeNotAccepted
from ..models import Upload
from ..options import Options
from ..storage.base import Sealed
from ..tokens.receipts import Receipt, Receipts
from ..tokens.tickets import Ticket
from .attempts import attempt, attempt_each
from .callbacks import call_application, check_json
from .outcomes import DOWNLOAD_TTL, CompletedUpload, log_fields, stored_object
from .sealing import Run, SealingThreads

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

log = logging.getLogger(__name__)

CALLBACK_SECONDS = 5.0
"""After so long no other ``on_complete`` is called in the same request."""


class StillSealing(DirectUploadError):
    """The upload is being sealed: repeat the call."""


class _Agreed(NamedTuple):
    """A sealed upload that the application has accepted, and what ``on_complete`` returned."""

    ticket: Ticket
    sealed: Sealed
    data: Any


class Completion:
    """Carries out the completion of uploads."""

    def __init__(self, options: Options, receipts: Receipts) -> None:
        self._options = options
        self._storage = options.storage
        self._receipts = receipts
        self._threads = SealingThreads(options.storage)

    def complete(self, environ: WSGIEnvironment, ticket: Ticket, etags: Mapping[int, str]) -> CompletedUpload:
        """Seal the upload, call ``on_complete``, and issue the receipt. Repeatable.

        Raise SegmentsMissing or SegmentsDiffer; Refused or TypeNotAccepted (then nothing remains in storage);
        ApplicationError (then a retry calls ``on_complete`` again); or a storage error.
        """
        _check_declared(ticket, etags)
        return self._confirm(self._ask(environ, ticket, self._seal(ticket, etags)))

    def complete_soon(
        self, environ: WSGIEnvironment, wanted: Sequence[tuple[Ticket, Mapping[int, str]]]
    ) -> list[CompletedUpload | DirectUploadError | None]:
        """Complete several uploads within about a second; return each one, its error, or None if it takes longer.

        Storage is asked for several uploads at once. ``on_complete`` is called in this thread, for one after the other.
        """
        runs = [attempt(self._start, ticket, etags) for ticket, etags in wanted]
        self._threads.wait([run for run in runs if isinstance(run, Run)])
        deadline = time.monotonic() + CALLBACK_SECONDS
        agreed = [
            run if isinstance(run, DirectUploadError) else attempt(self._ask_soon, environ, ticket, run, deadline)
            for (ticket, _), run in zip(wanted, runs, strict=True)
        ]
        outcomes = attempt_each(self._confirm, agreed)
        return [None if isinstance(outcome, StillSealing) else outcome for outcome in outcomes]

    def forget(self, id: str) -> None:
        """Forget how far an upload is that was aborted or deleted."""
        self._threads.forget(id)

    def _start(self, ticket: Ticket, etags: Mapping[int, str]) -> Run:
        _check_declared(ticket, etags)
        return self._threads.start(ticket.transfer, etags, partial(self._seal, ticket, etags))

    def _seal(self, ticket: Ticket, etags: Mapping[int, str]) -> Sealed:
        """Seal the upload and look at its first bytes. Without callbacks, it is complete then."""
        transfer = ticket.transfer
        pending = self._options.on_complete is not None or self._options.sniff
        sealed = self._storage.seal(transfer, etags, pending=pending)
        if self._options.sniff:
            self._sniff(ticket, sealed)
        return sealed

    def _sniff(self, ticket: Ticket, sealed: Sealed) -> None:
        """Raise TypeNotAccepted for content of another type, and remove it unless it was complete before."""
        from ..file_types.sniff import HEAD_SIZE, may_be_accepted  # make_options has imported it

        upload = self._upload(ticket, sealed)
        with self._storage.open(stored_object(upload)) as file:
            head = file.read(HEAD_SIZE)
        if not may_be_accepted(self._options.policy.accept, upload.type, head):
            self._remove_refused(ticket, sealed)
            raise TypeNotAccepted("The file's content is not of an accepted type.")

    def _remove_refused(self, ticket: Ticket, sealed: Sealed) -> None:
        if not sealed.complete:
            self._storage.refuse(ticket.transfer)

    def _ask_soon(self, environ: WSGIEnvironment, ticket: Ticket, run: Run, deadline: float) -> _Agreed:
        """Ask the application. Raise StillSealing while the upload is being sealed, or if there is no time left."""
        if time.monotonic() > deadline:
            raise StillSealing
        sealed = self._threads.take(run)
        if sealed is None:
            raise StillSealing
        return self._ask(environ, ticket, sealed)

    def _ask(self, environ: WSGIEnvironment, ticket: Ticket, sealed: Sealed) -> _Agreed:
        """Call ``on_complete``. Remove a refused upload, unless it was complete before."""
        on_complete = self._options.on_complete
        if on_complete is None:
            return _Agreed(ticket, sealed, None)
        upload = self._upload(ticket, sealed)
        try:
            return _Agreed(ticket, sealed, call_application(lambda: check_json(on_complete(environ, upload))))
        except Refused:
            self._remove_refused(ticket, sealed)
            raise

    def _confirm(self, agreed: _Agreed) -> CompletedUpload:
        ticket, sealed, data = agreed
        transfer = ticket.transfer
        self._storage.confirm(transfer, sealed)
        upload = self._upload(ticket, sealed)
        url = self._storage.download_url(upload.name, filename=upload.filename, inline=False, ttl=DOWNLOAD_TTL)
        fields = {**log_fields(transfer), "upload_seconds": max(0, sealed.sealed_at - ticket.begun)}
        log.info("upload complete", extra=fields)
        return CompletedUpload(upload, self.receipt(ticket, sealed), url, data)

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

    def receipt(self, ticket: Ticket, sealed: Sealed) -> str:
        """Return the receipt of a complete upload."""
        return self._receipts.issue(Receipt(self._upload(ticket, sealed), ticket.anonymous_owner))


def _check_declared(ticket: Ticket, etags: Mapping[int, str]) -> None:
    """Raise SegmentsMissing unless every segment was declared."""
    if undeclared := [i for i in range(ticket.transfer.segment_count) if i not in etags]:
        raise SegmentsMissing(undeclared)
