"""Store a file on the application's own behalf: in one step, what a browser does with begin, sign and complete."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ..errors import DirectUploadError, Refused, SegmentsMissing, StorageError, TypeNotAccepted
from ..models import Upload, UploadRequest
from ..policy import parse_request
from ..storage.sending import send_segments
from ..tokens.tickets import Ticket
from ..uploads import Uploads
from .received_files import ReceivedFile

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

NO_PAGE = ""
"""The origin of an upload whose segments no page sends."""


def store(uploads: Uploads, environ: WSGIEnvironment, file: ReceivedFile) -> Upload:
    """Store a file for the sender of a request. Policy, ``authorize`` and ``on_complete`` apply as to an upload.

    Raise NotAuthenticated, InvalidRequest, or what :meth:`~.uploads.Uploads.begin` and ``complete`` raise.
    """
    requester = uploads.authenticate(environ)
    request = _request(file, requester.identity)
    ticket = uploads.prepare(environ, requester, request, origin=NO_PAGE)
    with _nothing_left_on_failure(uploads, ticket):
        return uploads.complete(environ, ticket, _send(uploads, ticket, file)).upload


def _request(file: ReceivedFile, identity: str | None) -> UploadRequest:
    """Return the upload request for a file; raise InvalidRequest for an impossible filename or type."""
    return parse_request({"filename": file.filename, "size": file.size, "type": file.type}, identity)


def _send(uploads: Uploads, ticket: Ticket, file: ReceivedFile) -> dict[int, str]:
    return send_segments(uploads.storage, ticket.transfer, file.file, ttl=uploads.url_ttl)


@contextmanager
def _nothing_left_on_failure(uploads: Uploads, ticket: Ticket) -> Iterator[None]:
    """Abort the upload after a failure: its ticket is lost, so it cannot be resumed."""
    try:
        yield
    except (Refused, TypeNotAccepted):
        raise  # the upload was removed
    except BaseException as error:
        with suppress(DirectUploadError):
            uploads.abort(ticket)
        if isinstance(error, SegmentsMissing):
            raise StorageError("Storage did not keep what was sent.") from error
        raise
