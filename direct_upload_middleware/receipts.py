"""The receipt: signed proof of one finished upload."""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime

from itsdangerous import BadData

from .errors import InvalidReceipt
from .keys import Keys
from .models import Upload
from .tokens import Tokens


@dataclass(frozen=True, slots=True)
class Receipt:
    """An upload, and what an anonymous one is bound to (see :mod:`.requester`)."""

    upload: Upload
    anonymous_owner: str | None


class Receipts:
    """Makes and reads receipts. The same upload always has the same receipt, as long as the newest secret stays."""

    def __init__(self, keys: Keys) -> None:
        self._tokens = Tokens(keys, "receipt")

    def issue(self, receipt: Receipt) -> str:
        """The receipt as a string for a form."""
        u = receipt.upload
        return self._tokens.dumps(
            [
                [u.id, u.name, u.container, u.filename, u.type, u.size, u.etag, u.owner, int(u.completed.timestamp())],
                receipt.anonymous_owner,
            ]
        )

    def read(self, token: object, *, max_age: float | None = None) -> Receipt:
        """Raises :class:`~.errors.InvalidReceipt`, also when it is older than ``max_age`` seconds."""
        try:
            upload, anonymous_owner = self._tokens.loads(token)
            id, name, container, filename, type, size, etag, owner, completed = upload
            when = datetime.fromtimestamp(completed, UTC)
            receipt = Receipt(Upload(id, name, container, filename, type, size, etag, owner, when), anonymous_owner)
        except (BadData, ValueError, TypeError, OverflowError, OSError, zlib.error, RecursionError) as error:
            raise InvalidReceipt from error
        if max_age is not None and time.time() - completed > max_age:
            raise InvalidReceipt("The receipt is too old.")
        return receipt
