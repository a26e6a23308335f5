"""Uploads outside of requests: in workers, shells and management commands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO

from .operations.outcomes import stored_object
from .options import Options, make_options
from .origins import mount_url
from .policy import Policy
from .receiving.received_files import receive
from .uploads import DOWNLOAD_TTL, Uploads

if TYPE_CHECKING:
    from .models import Upload
    from .storage.base import Storage


_OWNER = "direct_upload.owner"


class UploadStore:
    """The files of one storage, for code that has no request.

    ::

        files = UploadStore("swift://uploads", secret=SECRET)
        upload = Upload.from_dict(row)
        with files.open(upload) as file:
            …

    The store of a middleware is its attribute ``store``. Here the application itself acts: there is no identity to
    check, and the policy, ``authorize`` and ``on_complete`` are for requests only.

    :param storage: a storage URL or a :class:`~direct_upload_middleware.storage.base.Storage`, as for the middleware.
    :param secret: the middleware's secret, or the list of its secrets, oldest first.
    :raises ConfigurationError: storage or secret is wrong.
    """

    def __init__(self, storage: Storage | str | None = None, *, secret: str | Sequence[str] | None = None) -> None:
        self._uploads = _without_requests(make_options(storage, {} if secret is None else {"secret": secret}))

    @classmethod
    def of(cls, options: Options) -> UploadStore:
        """Return the store of a middleware."""
        made = cls.__new__(cls)
        made._uploads = _without_requests(options)
        return made

    def store(
        self, file: Any, *, filename: str | None = None, type: str | None = None, owner: str | None = None
    ) -> Upload:
        """Store a file, and return its upload.

        :param file: bytes, a binary file object, or a framework's uploaded file. Memory does not grow with the file.
        :param filename: the name for downloads; by default the uploaded file's own.
        :param type: the MIME type; by default the uploaded file's own.
        :param owner: the identity that the upload belongs to.
        :raises InvalidRequest: filename or type is impossible.
        :raises StorageError, StorageUnavailable: storage failed; nothing is left there.
        """
        from .receiving.storing import store  # most code does not need it

        with receive(file, filename=filename, type=type) as received:
            return store(self._uploads, {_OWNER: owner}, received)

    def open(self, upload: Upload) -> BinaryIO:
        """Open the upload as a readable, seekable binary file that reads from storage on demand. Close it after use."""
        return self._uploads.open(stored_object(upload))

    def download_url(
        self, upload: Upload, *, filename: str | None = None, inline: bool = False, max_age: int = DOWNLOAD_TTL
    ) -> str:
        """Return a presigned URL for GET, valid for ``max_age`` seconds.

        For a ``local:`` storage it is relative to the host, without the application's own prefix.

        :param filename: the name under which the browser saves the file; the upload's own by default.
        :param inline: let the browser display the file instead of saving it.
        """
        url = self._uploads.download_url(upload, filename=filename, inline=inline, ttl=max_age)
        return mount_url("", self._uploads.mount, url)

    def delete(self, upload: Upload) -> None:
        """Delete the object and its segments. Repeatable. Raise StorageError or StorageUnavailable."""
        self._uploads.delete(upload)


def _without_requests(options: Options) -> Uploads:
    """Return uploads without the options that are for requests. The owner takes the place of the environ."""
    rules = {"policy": Policy(), "authorize": None, "on_complete": None, "object_name": None, "sniff": False}
    return Uploads(replace(options, **rules, anonymous=True, identify=lambda environ: environ[_OWNER]))  # type: ignore[arg-type]
