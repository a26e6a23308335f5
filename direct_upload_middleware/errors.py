"""Every exception of the package, in one tree.

Each class defines how it looks over HTTP: ``status``, a stable ``code`` and a ``title``; ``extras`` are further members
of its problem document (RFC 9457). A message may be shown to anyone, so it never contains a secret, a ticket, a receipt
or the signature of a presigned URL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, ClassVar


class DirectUploadError(Exception):
    """The root of the tree. ``detail`` is a sentence for people."""

    status: int = HTTPStatus.INTERNAL_SERVER_ERROR
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
        """Further headers of the response."""
        return {}


class ConfigurationError(DirectUploadError, ValueError):
    """An option is wrong, unknown or in conflict with another one. The message names the remedy."""


class NotAuthenticated(DirectUploadError):
    """The requester is not logged in, and anonymous uploads are not allowed."""

    status: int = HTTPStatus.UNAUTHORIZED
    code = "not-authenticated"
    title = "Login required"
    default_detail = "You are not logged in. Log in and try again."


class CrossSite(DirectUploadError):
    """A page of another origin sent a changing request."""

    status: int = HTTPStatus.FORBIDDEN
    code = "cross-site"
    title = "Cross-site request"
    default_detail = "The request comes from a page of an origin that is not allowed."


class InvalidTicket(DirectUploadError):
    """The ticket is missing, malformed, modified, or belongs to another upload."""

    status: int = HTTPStatus.FORBIDDEN
    code = "invalid-ticket"
    title = "Invalid ticket"
    default_detail = "The ticket is missing, or it is not a valid ticket for this upload."


class TicketExpired(DirectUploadError):
    """The ticket was valid, and has expired."""

    status: int = HTTPStatus.GONE
    code = "ticket-expired"
    title = "Ticket expired"
    default_detail = "The time limit of this upload has passed. Start the upload again."


class NotYours(DirectUploadError):
    """The ticket or receipt belongs to another requester."""

    status: int = HTTPStatus.FORBIDDEN
    code = "not-yours"
    title = "Not yours"
    default_detail = "This upload belongs to another user or another browser."


class InvalidReceipt(DirectUploadError):
    """The receipt is malformed, modified, or too old."""

    status: int = HTTPStatus.FORBIDDEN
    code = "invalid-receipt"
    title = "Invalid receipt"
    default_detail = "The receipt is malformed or was changed."


class Refused(DirectUploadError):
    """Raise this in ``authorize`` or ``on_complete`` to refuse an upload.

    :param detail: a sentence for the person who uploads.
    :param status: the HTTP status of the response, 400 to 499.
    :param retry_after: seconds until a retry makes sense, sent as ``Retry-After``. Use it with status 429.
    """

    status: int = HTTPStatus.FORBIDDEN
    code = "refused"
    title = "Refused"
    default_detail = "The application refused this upload."

    def __init__(self, detail: str = "", status: int = 403, *, retry_after: int | None = None) -> None:
        if not 400 <= status <= 499:
            raise ValueError(f"Refused: status must be 400 to 499, not {status!r}")
        super().__init__(detail)
        self.status = status
        self.retry_after = retry_after

    @property
    def headers(self) -> Mapping[str, str]:
        """``Retry-After``, if there is one."""
        return {} if self.retry_after is None else {"Retry-After": str(int(self.retry_after))}


class Malformed(DirectUploadError):
    """The body is not a JSON object."""

    status: int = HTTPStatus.BAD_REQUEST
    code = "malformed"
    title = "Malformed request"
    default_detail = "The body must be a JSON object."


class NotFound(DirectUploadError):
    """There is nothing at this address, or not any more."""

    status: int = HTTPStatus.NOT_FOUND
    code = "not-found"
    title = "Not found"
    default_detail = "There is nothing at this address."


class MethodNotAllowed(DirectUploadError):
    """The address does not support the request's method. ``allowed`` lists the methods that it supports."""

    status: int = HTTPStatus.METHOD_NOT_ALLOWED
    code = "method-not-allowed"
    title = "Method not allowed"

    def __init__(self, allowed: Iterable[str]) -> None:
        self.allowed = tuple(allowed)
        super().__init__(f"Allowed methods: {', '.join(self.allowed)}.")

    @property
    def headers(self) -> Mapping[str, str]:
        """The ``Allow`` header."""
        return {"Allow": ", ".join(self.allowed)}


class TooLarge(DirectUploadError):
    """The file or the JSON body is larger than allowed."""

    status: int = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    code = "too-large"
    title = "Too large"


class UnsupportedMediaType(DirectUploadError):
    """The body is not ``application/json``."""

    status: int = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    code = "unsupported-media-type"
    title = "Unsupported media type"
    default_detail = "Send the body as application/json."


class TypeNotAccepted(DirectUploadError):
    """The policy does not accept files of this type."""

    status: int = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    code = "type-not-accepted"
    title = "File type not accepted"


class InvalidRequest(DirectUploadError):
    """A member of the body is missing or invalid; ``field`` names it."""

    status: int = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "invalid-request"
    title = "Invalid request"

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field

    @property
    def extras(self) -> Mapping[str, Any]:
        """The name of the invalid member."""
        return {"field": self.field}


class AlreadyComplete(DirectUploadError):
    """The upload is complete: it cannot be written or aborted any more."""

    status: int = HTTPStatus.CONFLICT
    code = "already-complete"
    title = "Already complete"
    default_detail = "This upload is already complete."


class SegmentsError(DirectUploadError):
    """Some segments prevent an upload from being complete. ``indexes`` names them, ascending."""

    status: int = HTTPStatus.CONFLICT

    def __init__(self, indexes: Iterable[int], detail: str = "") -> None:
        super().__init__(detail)
        self.indexes = sorted(indexes)

    @property
    def extras(self) -> Mapping[str, Any]:
        """The segments' indexes."""
        return {"indexes": self.indexes}


class SegmentsMissing(SegmentsError):
    """Segments are not in storage, or were not declared."""

    code = "segments-missing"
    title = "Segments missing"
    default_detail = "Some segments are missing. Send them, then complete the upload again."


class SegmentsDiffer(SegmentsError):
    """The size or ETag of a stored segment differs from what was declared."""

    code = "segments-differ"
    title = "Segments differ"
    default_detail = (
        "Some stored segments differ from what was declared. Send them again, then complete the upload again."
    )


class StorageError(DirectUploadError):
    """Storage returned an unusable response. A retry is unlikely to help."""

    status: int = HTTPStatus.BAD_GATEWAY
    code = "storage-error"
    title = "Storage error"
    default_detail = "Storage returned an unexpected response."


class StorageUnavailable(DirectUploadError):
    """Storage is unreachable or overloaded. ``retry_after`` is in seconds."""

    status: int = HTTPStatus.SERVICE_UNAVAILABLE
    code = "storage-unavailable"
    title = "Storage unavailable"
    default_detail = "Storage cannot be reached at the moment. Try again soon."

    def __init__(self, detail: str = "", retry_after: int = 5) -> None:
        super().__init__(detail)
        self.retry_after = retry_after

    @property
    def headers(self) -> Mapping[str, str]:
        """The ``Retry-After`` header."""
        return {"Retry-After": str(self.retry_after)}


class ApplicationError(DirectUploadError):
    """An application callback failed. Its traceback is in the log, not in the response."""

    default_detail = "The application could not process this upload. Try again later."
