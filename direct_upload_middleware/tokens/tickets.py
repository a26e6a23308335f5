"""The ticket: signed permission for one upload in progress.

A ticket contains everything that the middleware remembers of an upload in progress, and the requester holds it. It is
signed, but not encrypted unless it is part of addresses: it contains nothing that its holder may not know.
"""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass, field, replace

from itsdangerous import BadData

from ..errors import InvalidTicket, TicketExpired
from ..keys import Keys
from ..models import UploadRequest
from ..storage.base import SEALS, Transfer
from .signed import Scope, Tokens

MAX_LIFETIMES = 30
"""The longest duration of an upload with renewed tickets, in lifetimes of a ticket."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """The content of a ticket. ``transfer`` is what the storage must know.

    ``binding`` ties it to a requester; ``anonymous_owner``, for a requester without identity, is what the receipt will
    be tied to. ``begun`` and ``transfer.expires`` are Unix seconds.
    """

    transfer: Transfer
    filename: str
    identity: str | None
    binding: str = field(repr=False)
    anonymous_owner: str | None = field(repr=False)
    begun: int

    @property
    def request(self) -> UploadRequest:
        """The requested upload. The size of an upload of unknown size is right after it was measured."""
        return UploadRequest(self.filename, self.transfer.size, self.transfer.type, self.identity)


class Tickets:
    """Issues and reads tickets: those of uploads of known size, or those of uploads of unknown size."""

    def __init__(self, keys: Keys, scope: Scope, *, unknown_size: bool = False) -> None:
        self._unknown_size = unknown_size
        # Uppy's plugin puts the ticket of an upload of unknown size into addresses.
        kind = "ticket of unknown size" if unknown_size else "ticket"
        self._tokens = Tokens(keys, kind, scope, opaque=unknown_size)

    def issue(self, ticket: Ticket) -> str:
        """Return the ticket as a string for the ``Upload-Ticket`` header."""
        t = ticket.transfer
        return self._tokens.dumps(
            [
                [
                    *(t.id, t.name, t.type, t.size, t.segment_size, t.segment_count, SEALS.index(t.seal), t.expires),
                    *([t.reference] if t.reference else []),
                ],
                ticket.filename,
                ticket.identity,
                ticket.binding,
                ticket.anonymous_owner,
                ticket.begun,
            ]
        )

    def read(self, token: str | None, *, upload_id: str) -> Ticket:
        """Read the ticket of this upload. Raise :class:`~.errors.InvalidTicket`.

        The caller checks whose ticket it is, and only then whether it has expired: only its owner may learn that.
        """
        try:
            transfer, *rest = self._tokens.loads(token)
            id_, name, media_type, size, segment_size, segment_count, seal, expires, *reference = transfer
            plan = (size, segment_size, segment_count, SEALS[seal], expires, self._unknown_size)
            ticket = Ticket(Transfer(id_, name, media_type, *plan, *reference), *rest)
        except (BadData, ValueError, TypeError, IndexError, zlib.error, RecursionError) as error:
            raise InvalidTicket from error
        if ticket.transfer.id != upload_id:
            raise InvalidTicket
        return ticket


def renew(ticket: Ticket, ttl: int) -> Ticket | None:
    """Return the ticket for another ``ttl`` seconds if less than half of that is left, else None.

    A renewed ticket expires at most ``MAX_LIFETIMES * ttl`` seconds after the upload began.
    """
    now = int(time.time())
    expires = min(now + ttl, ticket.begun + MAX_LIFETIMES * ttl)
    if ticket.transfer.expires - now >= ttl / 2 or expires <= ticket.transfer.expires:
        return None
    return replace(ticket, transfer=replace(ticket.transfer, expires=expires))


def check_not_expired(ticket: Ticket) -> None:
    """Raise :class:`~.errors.TicketExpired` if the ticket has expired."""
    if time.time() >= ticket.transfer.expires:
        raise TicketExpired
