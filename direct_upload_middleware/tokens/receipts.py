"""The receipt: signed proof of one completed upload."""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime

from itsdangerous import BadData

from ..errors import InvalidReceipt
from ..keys import Keys
from ..models import Upload
from .signed import Scope, Tokens


@dataclass(frozen=True, slots=True)
class Receipt:
    """An upload, and the binding of an anonymous one (see :mod:`.requester`)."""

    upload: Upload
    anonymous_owner: str | None = field(repr=False)


class Receipts:
    """Issues and reads receipts. An upload always has the same receipt, until the newest secret changes."""

    def __init__(self, keys: Keys, scope: Scope) -> None:
        self._tokens = Tokens(keys, "receipt", scope)  # not encrypted: a page shows the file that a receipt is for

    def issue(self, receipt: Receipt) -> str:
        """Return the receipt as a string for a form."""
        u = receipt.upload
        return self._tokens.dumps(
            [
                [u.id, u.name, u.container, u.filename, u.type, u.size, u.etag, u.owner, int(u.completed.timestamp())],
                receipt.anonymous_owner,
            ]
        )

    def read(self, token: object, *, max_age: float | None = None) -> Receipt:
        """Read a receipt. Raise :class:`~.errors.InvalidReceipt`, also for one older than ``max_age`` seconds."""
        try:
            fields, anonymous_owner = self._tokens.loads(token)
            id_, name, container, filename, media_type, size, etag, owner, completed = fields
            when = datetime.fromtimestamp(completed, UTC)
            upload = Upload(id_, name, container, filename, media_type, size, etag, owner, when)
        except (BadData, ValueError, TypeError, OverflowError, OSError, zlib.error, RecursionError) as error:
            raise InvalidReceipt from error
        if max_age is not None and time.time() - completed > max_age:
            raise InvalidReceipt("The receipt is too old.")
        return Receipt(upload, anonymous_owner)
