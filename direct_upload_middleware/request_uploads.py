"""The API for the wrapped application: ``environ["direct_upload.uploads"]``."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING, BinaryIO

from .models import Upload
from .origins import mount_url
from .requester import Requester
from .uploads import DOWNLOAD_TTL, Uploads, stored_object

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
