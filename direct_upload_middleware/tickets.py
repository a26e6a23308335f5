"""Signed tokens, and the ticket: permission to carry out one upload.

A ticket is all the memory that the middleware has of an upload under way, and it is in the requester's hands. It is
signed, not encrypted: it holds nothing that its holder may not know.
"""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass, replace

from itsdangerous import BadData

from .errors import InvalidTicket, TicketExpired
from .keys import Keys
from .models import UploadRequest
from .storage.base import SEALS, Transfer
from .tokens import Tokens


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a ticket says. ``transfer`` is what the storage must know.

    ``binding`` ties it to a requester; ``anonymous_owner``, where there is no identity, is what the receipt will be
    tied to. ``begun`` and ``transfer.expires`` are Unix seconds.
    """

    transfer: Transfer
    filename: str
    identity: str | None
    binding: str
    anonymous_owner: str | None
    begun: int

    @property
    def request(self) -> UploadRequest:
        """What is asked for: of an open-ended upload, once it is measured."""
        return UploadRequest(self.filename, self.transfer.size, self.transfer.type, self.identity)


class Tickets:
    """Makes and reads tickets: of uploads whose size is known, or of those that are open-ended."""

    def __init__(self, keys: Keys, *, unknown_size: bool = False) -> None:
        self._unknown_size = unknown_size
        self._tokens = Tokens(keys, "open-ended ticket" if unknown_size else "ticket")

    def issue(self, ticket: Ticket) -> str:
        """The ticket as a string for the ``Upload-Ticket`` header."""
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

    def read(self, token: str | None, *, id: str) -> Ticket:
        """The ticket for upload ``id``. Raises :class:`~.errors.InvalidTicket`.

        Whose it is, and then whether it is still good, is for the caller to check: only its owner may learn that it has
        expired.
        """
        try:
            transfer, *rest = self._tokens.loads(token)
            id_, name, type, size, segment_size, segment_count, seal, expires, *reference = transfer
            plan = (size, segment_size, segment_count)
            kind = (SEALS[seal], expires, self._unknown_size, *reference)
            ticket = Ticket(Transfer(id_, name, type, *plan, *kind), *rest)
        except (BadData, ValueError, TypeError, IndexError, zlib.error, RecursionError) as error:
            raise InvalidTicket from error
        if ticket.transfer.id != id:
            raise InvalidTicket
        return ticket


def renewed(ticket: Ticket, ttl: int) -> Ticket | None:
    """The same ticket for another ``ttl`` seconds, once less than half of that is left; None before."""
    now = int(time.time())
    if ticket.transfer.expires - now >= ttl / 2:
        return None
    return replace(ticket, transfer=replace(ticket.transfer, expires=now + ttl))


def check_fresh(ticket: Ticket) -> None:
    """Raises :class:`~.errors.TicketExpired` when the ticket's time is over."""
    if time.time() >= ticket.transfer.expires:
        raise TicketExpired
