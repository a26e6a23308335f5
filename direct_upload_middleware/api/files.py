"""The addresses ``files/{receipt}``: download a finished upload, and remove it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from webob import Request, Response

from ..errors import Refused
from ..models import Upload
from ..operations.callbacks import call_application
from ..operations.outcomes import stored_object
from ..options import Options
from ..uploads import DOWNLOAD_TTL, Uploads
from .responses import ApiResponse, absolute_url

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class Files:
    """Answers calls for finished uploads. Only the owner of a receipt may make them."""

    def __init__(self, options: Options, uploads: Uploads) -> None:
        self._options = options
        self._uploads = uploads

    def download(self, request: Request, receipt: str) -> Response:
        """Redirect to a presigned URL."""
        upload = self._own(request.environ, receipt)
        inline = "inline" in parse_qs(request.environ.get("QUERY_STRING", ""), keep_blank_values=True)
        self._options.storage.check(stored_object(upload))
        url = self._uploads.download_url(upload, filename=None, inline=inline, ttl=DOWNLOAD_TTL)
        response = ApiResponse(status=HTTPStatus.FOUND)
        response.headers["Location"] = absolute_url(request, self._options, url)
        return response

    def remove(self, request: Request, receipt: str) -> Response:
        """Call ``on_remove``, and then delete the upload. Repeatable. Raise Refused without ``on_remove``."""
        upload = self._own(request.environ, receipt)
        if self._options.on_remove is None:
            raise Refused("Finished uploads cannot be removed here.")
        call_application(self._options.on_remove, request.environ, upload)
        self._uploads.delete(upload)
        return ApiResponse(status=HTTPStatus.NO_CONTENT)

    def _own(self, environ: WSGIEnvironment, receipt: str) -> Upload:
        """Return the upload of the requester's receipt. Raise NotAuthenticated, InvalidReceipt or NotYours."""
        requester = self._uploads.authenticate(environ)
        found = self._uploads.receipts.read(receipt)
        requester.check_receipt(found)
        return found.upload
