"""What each request to the wrapped application is given, as ``environ["direct_upload.uploads"]``."""

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
    """The uploads of whoever sent this request. Made anew for each; nothing is asked before it is needed."""

    __slots__ = ("_environ", "_requester", "_script_name", "_uploads")

    # Every request to the application pays for this, whether it has to do with uploads or not.
    def __init__(self, environ: WSGIEnvironment, uploads: Uploads) -> None:
        self._environ = environ
        self._uploads = uploads
        self._script_name: str = environ.get("SCRIPT_NAME", "")  # as it is before the application moves it

    @property
    def _who(self) -> Requester:
        try:
            return self._requester
        except AttributeError:
            self._requester: Requester = self._uploads.requester(self._environ)
            return self._requester

    def _mount_url(self, url: str) -> str:
        return mount_url(self._script_name, self._uploads.mount, url)

    @property
    def identity(self) -> str | None:
        """The identity that ``identify`` gives for this request, or None."""
        return self._who.identity

    def verify(self, receipt: str, *, max_age: float | None = None, any_owner: bool = False) -> Upload:
        """The upload that a receipt from a form proves.

        :param receipt: what the form carried.
        :param max_age: how many seconds ago it may have been completed at most; None for any time.
        :param any_owner: take another requester's receipt too.
        :raises InvalidReceipt: it is malformed, changed, or too old.
        :raises NotYours: it is another requester's, and not ``any_owner``.
        """
        found = self._uploads.receipts.read(receipt, max_age=max_age)
        if not any_owner:
            self._who.check_receipt(found)
        return found.upload

    def verify_all(
        self, receipts: Iterable[str], *, max_age: float | None = None, any_owner: bool = False
    ) -> list[Upload]:
        """The uploads that the receipts of a field with ``multiple`` prove, in their order.

        One that is not good spoils all: parameters and errors are those of :meth:`verify`.
        """
        if isinstance(receipts, str):
            raise TypeError("verify_all() takes a list of receipts; for one there is verify()")
        return [self.verify(receipt, max_age=max_age, any_owner=any_owner) for receipt in receipts]

    def download_url(
        self, upload: Upload, *, filename: str | None = None, inline: bool = False, max_age: int = DOWNLOAD_TTL
    ) -> str:
        """A temp URL for GET, good for ``max_age`` seconds; it may be relative to the host.

        :param filename: the name that the browser saves it under; the upload's own by default.
        :param inline: let the browser show it instead of saving it.
        :raises StorageError, StorageUnavailable: when storage is asked for the first time and fails.
        """
        url = self._uploads.download_url(upload, filename=filename, inline=inline, ttl=max_age)
        return self._mount_url(url)

    def open(self, upload: Upload) -> BinaryIO:
        """The upload as a readable, seekable binary file that reads from storage as it goes; close it after use.

        Reading raises StorageError when the object is gone or another one, StorageUnavailable when it cannot be
        reached.
        """
        return self._uploads.open(stored_object(upload))

    def delete(self, upload: Upload) -> None:
        """Delete the object and its segments. Repeatable. Raises StorageError, StorageUnavailable."""
        self._uploads.delete(upload)

    def in_sub_request(self, environ: WSGIEnvironment) -> RequestUploads:
        """The same for another request that stands in for this one."""
        other = RequestUploads(environ, self._uploads)
        other._script_name = self._script_name
        return other

    def script_tag(self, nonce: str | None = None) -> str:
        """The tag that loads the script, for a page that is not to wait for the middleware to put it in.

        :param nonce: the nonce of the page's Content-Security-Policy.
        """
        attribute = "" if nonce is None else f' nonce="{escape(nonce)}"'
        return f'<script type="module" src="{escape(self._mount_url(ENTRY))}"{attribute}></script>'
