"""Uploaded files in ``request.FILES``: a receipt in a form becomes a file that is already in storage."""

from __future__ import annotations

import re
from typing import Any, BinaryIO

from ...errors import InvalidReceipt, NotYours
from ...models import Upload
from ...request_uploads import RequestUploads
from ..common import framework

with framework("Django", "django"):
    from django.core.files.uploadedfile import UploadedFile

_LIKE_A_RECEIPT = re.compile(r"[A-Za-z0-9_.-]{100,}")


class StoredUploadedFile(UploadedFile):  # type: ignore[type-arg]
    """An uploaded file that is in storage already. It is read from there on demand.

    :ivar upload: the :class:`~direct_upload_middleware.Upload`.
    """

    def __init__(self, upload: Upload, uploads: RequestUploads) -> None:
        self.upload = upload
        self._uploads = uploads
        self._opened: BinaryIO | None = None
        super().__init__(None, upload.filename, upload.type.partition(";")[0].strip(), upload.size)

    @property
    def file(self) -> BinaryIO:
        """The file in storage."""
        if self._opened is None:
            self._opened = self._uploads.open(self.upload)
        return self._opened

    @file.setter
    def file(self, value: Any) -> None:
        """Do nothing: Django's classes set it to the file that they are made with."""

    @property
    def closed(self) -> bool:
        """True if the file is not open."""
        return self._opened is None or self._opened.closed

    def open(self, mode: str | None = None, *args: Any, **kwargs: Any) -> StoredUploadedFile:
        """Open it again at its beginning."""
        if self._opened is not None and self._opened.closed:
            self._opened = None
        self.file.seek(0)
        return self

    def close(self) -> None:
        """Close it if it was opened."""
        if self._opened is not None:
            self._opened.close()


def accept_receipts_as_files(request: Any, uploads: RequestUploads) -> None:
    """Let ``request.FILES`` have a file for each of the sender's receipts in ``request.POST``.

    Django parses a form when it is first needed, and so is this done: most requests have no form.
    """
    load = request._load_post_and_files

    def load_with_receipts() -> None:
        load()
        _add_files(request, uploads)

    request._load_post_and_files = load_with_receipts


def _add_files(request: Any, uploads: RequestUploads) -> None:
    files = [
        (name, StoredUploadedFile(upload, uploads))
        for name, values in request._post.lists()
        for value in values
        if (upload := _verified(uploads, value)) is not None
    ]
    if files:
        request._files = request._files.copy()
    for name, file in files:
        request._files.appendlist(name, file)


def _verified(uploads: RequestUploads, value: Any) -> Upload | None:
    if not isinstance(value, str) or not _LIKE_A_RECEIPT.fullmatch(value):
        return None
    try:
        return uploads.verify(value)
    except (InvalidReceipt, NotYours):
        return None  # for a field that takes receipts to report
