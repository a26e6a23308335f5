"""Every error of the package, in one tree.

Each class says how it looks over HTTP: ``status``, a stable ``code`` and a ``title``; ``extras`` are further
members of its problem document (RFC 9457). A message never holds a secret, a ticket, a receipt or a
temp URL's signature: it may be shown to anyone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar


class DirectUploadError(Exception):
    """The root of the tree. ``detail`` is a sentence for people."""

    status: int = 500
    code: ClassVar[str] = "application-error"
    title: ClassVar[str] = "The application failed"
    default_detail: ClassVar[str] = ""

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or self.default_detail or self.title)
        self.detail = str(self)

    @property
    def extras(self) -> Mapping[str, Any]:
        """Further members of the problem document."""
        return {}

    @property
    def headers(self) -> Mapping[str, str]:
        """Further headers of the answer."""
        return {}


class ConfigurationError(DirectUploadError, ValueError):
    """An option is wrong, unknown or in conflict with another; the message says what to do."""


# -- who may ---------------------------------------------------------------------------------------------


class NotAuthenticated(DirectUploadError):
    """Nobody is logged in, and anonymous uploads are not allowed."""

    status = 401
    code = "not-authenticated"
    title = "Log in first"
    default_detail = "The request has no identity. Log in and try again."


class CrossSite(DirectUploadError):
    """A page of another origin asked for a change."""

    status = 403
    code = "cross-site"
    title = "Asked from another site"
    default_detail = "The request comes from a page of another origin, which is not among the allowed origins."


class InvalidTicket(DirectUploadError):
    """The ticket is missing, malformed, changed, or another upload's."""

    status = 403
    code = "invalid-ticket"
    title = "Not a valid ticket"
    default_detail = "The Upload-Ticket header is missing, or is not a ticket for this upload."


class TicketExpired(DirectUploadError):
    """The ticket was good once."""

    status = 410
    code = "ticket-expired"
    title = "The ticket has expired"
    default_detail = "The time for this upload is over. Begin it anew."


class NotYours(DirectUploadError):
    """The ticket or receipt belongs to another requester."""

    status = 403
    code = "not-yours"
    title = "Another requester's"
    default_detail = "It was made for another requester or another browser."


class InvalidReceipt(DirectUploadError):
    """The receipt is malformed, changed, or too old."""

    status = 403
    code = "invalid-receipt"
    title = "Not a valid receipt"
    default_detail = "The receipt is malformed or was changed."


class Refused(DirectUploadError):
    """Raise it in ``authorize`` or ``on_complete`` to say no.

    :param detail: a sentence for the person who uploads.
    :param status: the HTTP status of the answer, 400 to 499.
    """

    status = 403
    code = "refused"
    title = "Refused"
    default_detail = "The application refused this upload."

    def __init__(self, detail: str = "", status: int = 403) -> None:
        if not 400 <= status <= 499:
            raise ValueError(f"Refused: status is 400 to 499, not {status!r}")
        super().__init__(detail)
        self.status = status


# -- what was asked --------------------------------------------------------------------------------------


class Malformed(DirectUploadError):
    """The body is not JSON, or not an object."""

    status = 400
    code = "malformed"
    title = "Not a JSON object"
    default_detail = "The body must be a JSON object."


class NotFound(DirectUploadError):
    """There is nothing at this address (any more)."""

    status = 404
    code = "not-found"
    title = "Not found"
    default_detail = "There is nothing here."


class MethodNotAllowed(DirectUploadError):
    """The address is known, the method is not for it. ``allowed`` lists those that are."""

    status = 405
    code = "method-not-allowed"
    title = "Method not allowed"

    def __init__(self, allowed: Iterable[str]) -> None:
        self.allowed = tuple(allowed)
        super().__init__(f"Use {' or '.join(self.allowed)} here.")

    @property
    def headers(self) -> Mapping[str, str]:
        return {"Allow": ", ".join(self.allowed)}


class TooLarge(DirectUploadError):
    """The file, or the JSON body, is larger than allowed."""

    status = 413
    code = "too-large"
    title = "Too large"


class UnsupportedMediaType(DirectUploadError):
    """The body is not ``application/json``."""

    status = 415
    code = "unsupported-media-type"
    title = "Not application/json"
    default_detail = "Send the body as application/json."


class TypeNotAccepted(DirectUploadError):
    """The policy does not take files of this type."""

    status = 415
    code = "type-not-accepted"
    title = "This type of file is not accepted"


class InvalidRequest(DirectUploadError):
    """A member of the body is missing or wrong; ``field`` names it."""

    status = 422
    code = "invalid-request"
    title = "Not a valid request"

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field

    @property
    def extras(self) -> Mapping[str, Any]:
        return {"field": self.field}


# -- the state of an upload --------------------------------------------------------------------------------


class AlreadyComplete(DirectUploadError):
    """The upload is finished: nothing more can be signed for it, and it cannot be aborted."""

    status = 409
    code = "already-complete"
    title = "Already complete"
    default_detail = "This upload is finished."


class SegmentsMissing(DirectUploadError):
    """Segments are not in storage, or were left out of the list. ``indexes`` names them, ascending."""

    status = 409
    code = "segments-missing"
    title = "Segments are missing"
    default_detail = "Some segments have not arrived. Send them, then complete again."

    def __init__(self, indexes: Iterable[int], detail: str = "") -> None:
        super().__init__(detail)
        self.indexes = sorted(indexes)

    @property
    def extras(self) -> Mapping[str, Any]:
        return {"indexes": self.indexes}


class SegmentsDiffer(SegmentsMissing):
    """What is stored has another size or ETag than declared. ``indexes`` names the segments, ascending."""

    code = "segments-differ"
    title = "Segments differ"
    default_detail = "Some segments are not what was declared. Send them again, then complete again."


# -- storage -----------------------------------------------------------------------------------------------


class StorageError(DirectUploadError):
    """Storage gave an answer that cannot be worked with; trying again is unlikely to help by itself."""

    status = 502
    code = "storage-error"
    title = "Storage failed"
    default_detail = "Storage gave an unexpected answer."


class StorageUnavailable(DirectUploadError):
    """Storage could not be reached or is overloaded. ``retry_after`` is in seconds."""

    status = 503
    code = "storage-unavailable"
    title = "Storage is not available"
    default_detail = "Storage cannot be reached at the moment. Try again soon."

    def __init__(self, detail: str = "", retry_after: int = 5) -> None:
        super().__init__(detail)
        self.retry_after = retry_after

    @property
    def headers(self) -> Mapping[str, str]:
        return {"Retry-After": str(self.retry_after)}


class ApplicationError(DirectUploadError):
    """A callable of the application's raised; its traceback is in the log, not in the answer."""

    default_detail = "The application could not handle this upload. Try again later."
