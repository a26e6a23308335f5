"""The API for the wrapped application: ``environ["direct_upload.uploads"]``."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING, Any, BinaryIO

from .models import Upload
from .operations.outcomes import stored_object
from .origins import mount_url
from .receiving.received_files import is_empty, is_file, receipt_text, receive
from .requester import Requester
from .uploads import DOWNLOAD_TTL, Uploads

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

ENVIRON_KEY = "direct_upload.uploads"
ENTRY = "/static/direct-upload.js"


class RequestUploads:
    """The uploads of one request's sender. Each request gets a new one; it does nothing until a method is called."""

    __slots__ = ("_environ", "_requester", "_script_name", "_uploads")

    # Every request to the application pays for this, so it only keeps references.
    def __init__(self, environ: WSGIEnvironment, uploads: Uploads) -> None:
        self._environ = environ
        self._uploads = uploads
        self._script_name: str = environ.get("SCRIPT_NAME", "")  # the application may change it later

    def _sender(self) -> Requester:
        try:
            return self._requester
        except AttributeError:
            self._requester: Requester = self._uploads.requester(self._environ)
            return self._requester

    def _mount_url(self, url: str) -> str:
        return mount_url(self._script_name, self._uploads.mount, url)

    def has_same_mount(self, other: RequestUploads) -> bool:
        """Return whether another middleware made the other one, and answers the same addresses."""
        if self._uploads is other._uploads:
            return False
        return (self._script_name, self._uploads.mount) == (other._script_name, other._uploads.mount)

    @property
    def identity(self) -> str | None:
        """The identity that ``identify`` returns for this request, or None."""
        return self._sender().identity

    def verify(self, receipt: str, *, max_age: float | None = None, any_owner: bool = False) -> Upload:
        """Return the upload that a receipt from a form proves.

        :param receipt: the value of the form's field.
        :param max_age: refuse uploads that were completed more than so many seconds ago; None accepts all.
        :param any_owner: accept another requester's receipt too.
        :raises InvalidReceipt: the receipt is malformed, modified, or too old.
        :raises NotYours: the receipt belongs to another requester, and ``any_owner`` is False.
        """
        found = self._uploads.receipts.read(receipt, max_age=max_age)
        if not any_owner:
            self._sender().check_receipt(found)
        return found.upload

    def verify_all(
        self, receipts: Iterable[str], *, max_age: float | None = None, any_owner: bool = False
    ) -> list[Upload]:
        """Return the uploads that the receipts of a field with ``multiple`` prove, in order.

        Parameters and exceptions are those of :meth:`verify`. One invalid receipt fails the whole call.
        """
        if isinstance(receipts, str):
            raise TypeError("verify_all() takes a list of receipts; call verify() for one receipt")
        return [self.verify(receipt, max_age=max_age, any_owner=any_owner) for receipt in receipts]

    def from_form(self, value: Any, *, max_age: float | None = None, any_owner: bool = False) -> Upload | None:
        """Return the upload of a form's field, whatever the browser sent, or None if the field was left empty.

        With JavaScript the value is a receipt, which is verified. Without, it is the file itself, which is stored as
        by :meth:`store`; the form needs ``enctype="multipart/form-data"``.

        :param value: the field's value, as the framework gives it: a receipt; a binary file, ``cgi.FieldStorage``,
            Werkzeug's ``FileStorage``, Django's ``UploadedFile`` or Bottle's ``FileUpload``; or "" or None.
        :raises InvalidReceipt, NotYours: see :meth:`verify`, which has the other parameters too.
        :raises DirectUploadError: storing failed, see :meth:`store`.
        """
        if is_empty(value):
            return None
        if is_file(value):
            return self.store(value)
        text = receipt_text(value)
        return None if is_empty(text) else self.verify(text, max_age=max_age, any_owner=any_owner)  # type: ignore[arg-type]

    def from_form_all(
        self, values: Iterable[Any], *, max_age: float | None = None, any_owner: bool = False
    ) -> list[Upload]:
        """Return the uploads of a field with ``multiple``, in order, without empty values.

        Every receipt is verified before the first file is stored. Parameters and exceptions are those of
        :meth:`from_form`.
        """
        if isinstance(values, str):
            raise TypeError("from_form_all() takes a list of values; call from_form() for one value")
        given = [value for value in values if not is_empty(value)]
        verified = {
            index: self.from_form(value, max_age=max_age, any_owner=any_owner)
            for index, value in enumerate(given)
            if not is_file(value)
        }
        found = [verified[i] if i in verified else self.from_form(value) for i, value in enumerate(given)]
        return [upload for upload in found if upload is not None]

    def store(self, file: Any, *, filename: str | None = None, type: str | None = None) -> Upload:
        """Store a file that the application has, for the sender of this request.

        The policy applies, and ``authorize`` and ``on_complete`` are called as for an upload.

        :param file: bytes, a binary file object, or a framework's uploaded file. Memory does not grow with the file.
        :param filename: the user's name for the file; by default the uploaded file's own.
        :param type: the MIME type; by default the uploaded file's own.
        :raises NotAuthenticated: the request has no identity, and anonymous uploads are not allowed.
        :raises InvalidRequest: filename or type is impossible.
        :raises TooLarge, TypeNotAccepted, Refused, ApplicationError: as for an upload.
        :raises StorageError, StorageUnavailable: storage failed; nothing is left there.
        """
        from .receiving.storing import store  # few requests need it

        with receive(file, filename=filename, type=type) as received:
            return store(self._uploads, self._environ, received)

    def download_url(
        self, upload: Upload, *, filename: str | None = None, inline: bool = False, max_age: int = DOWNLOAD_TTL
    ) -> str:
        """Return a presigned URL for GET, valid for ``max_age`` seconds. It may be relative to the host.

        :param filename: the name under which the browser saves the file; the upload's own by default.
        :param inline: let the browser display the file instead of saving it.
        :raises StorageError, StorageUnavailable: the first request to storage failed.
        """
        url = self._uploads.download_url(upload, filename=filename, inline=inline, ttl=max_age)
        return self._mount_url(url)

    def open(self, upload: Upload) -> BinaryIO:
        """Open the upload as a readable, seekable binary file that reads from storage on demand. Close it after use.

        Reading raises StorageError if the object is gone or was replaced, StorageUnavailable if storage is unreachable.
        """
        return self._uploads.open(stored_object(upload))

    def delete(self, upload: Upload) -> None:
        """Delete the object and its segments. Repeatable. Raise StorageError or StorageUnavailable."""
        self._uploads.delete(upload)

    def in_subrequest(self, environ: WSGIEnvironment) -> RequestUploads:
        """Return the uploads for a subrequest on behalf of this request."""
        other = RequestUploads(environ, self._uploads)
        other._script_name = self._script_name
        return other

    def script_tag(self, nonce: str | None = None) -> str:
        """Return the tag that loads the script, for a page into which the middleware does not inject it.

        :param nonce: the nonce of the page's Content-Security-Policy.
        """
        attribute = "" if nonce is None else f' nonce="{escape(nonce)}"'
        return f'<script type="module" src="{escape(self._mount_url(ENTRY))}"{attribute}></script>'
