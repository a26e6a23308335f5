"""Who is asking: identity, the browser-binding cookie, and the same-site check."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import quote

from .errors import NotAuthenticated, NotYours
from .tickets import Ticket

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from .receipts import Receipt

COOKIE = "direct_upload"
OWN_COOKIE = "direct_upload_own"
"""The same for the paths of one upload only, of those that begin several at once (see :meth:`Requester.claimed`)."""

_COOKIE_PAIR = r"(?:^|;)[ \t]*{}=([0-9a-f]{{32}})[ \t]*(?:;|$)"


@dataclass(frozen=True, slots=True)
class Binding:
    """What ties an upload to its requester: the ``cookie``, which the answer has to set, and its digests.

    ``requester`` ties the ticket to identity and cookie, ``anonymous_owner`` the receipt of a requester without
    identity to the cookie. The cookie has 128 random bits: who reads a digest of it does not learn it.
    """

    cookie: str
    requester: str
    anonymous_owner: str | None


class Requester:
    """Whoever sent one request. Identity is asked for once, and only when it is needed.

    :param identify: callable(environ) -> str or None.
    :param anonymous: whether a requester without identity may upload, bound by the cookie alone.
    """

    def __init__(
        self, environ: WSGIEnvironment, identify: Callable[[WSGIEnvironment], str | None], anonymous: bool
    ) -> None:
        self._environ = environ
        self._identify = identify
        self._anonymous = anonymous
        self._is_asked = False
        self._identity: str | None = None

    @property
    def identity(self) -> str | None:
        """The identity that the application gives, or None. An empty string is none.

        No ``cached_property``: before Python 3.12 that lets only one thread ask, of all requests.
        """
        if not self._is_asked:
            self._identity = self._ask()
            self._is_asked = True
        return self._identity

    def _ask(self) -> str | None:
        identity = self._identify(self._environ)
        if identity is not None and not isinstance(identity, str):
            raise TypeError(f"identify must give a str or None, not {type(identity).__name__}")
        return identity or None

    @cached_property
    def cookie(self) -> str | None:
        """The binding cookie's value, None when there is none that we could have made.

        Of several it is the first, that of the longest path (RFC 6265, 5.4): an application above may have one too.
        """
        return self._sent(COOKIE)

    def _sent(self, name: str) -> str | None:
        found = re.search(_COOKIE_PAIR.format(name), self._environ.get("HTTP_COOKIE", ""))
        return found[1] if found else None

    def authenticate(self) -> None:
        """Raises :class:`~.errors.NotAuthenticated` when nobody is logged in and somebody must be."""
        if self.identity is None and not self._anonymous:
            raise NotAuthenticated

    @property
    def record_owner(self) -> str | None:
        """What the browser tells this requester's resume records by, and locks them with: 64 hex digits.

        None where there is no cookie, and so no ticket that could be this requester's. Scripts cannot read the cookie,
        so at a shared computer nobody learns another's.
        """
        return None if self.cookie is None else _digest("record owner", *_who(self.cookie, self.identity))

    def bind(self) -> Binding:
        """What a new upload of this requester is tied to; the cookie is made at random where there is none yet."""
        if self.cookie is None:
            self.cookie = secrets.token_hex(16)
        anonymous_owner = None if self.identity else _anonymous_owner(self.cookie)
        return Binding(self.cookie, _binding(self.cookie, self.identity), anonymous_owner)

    def check_ticket(self, ticket: Ticket) -> None:
        """Raises :class:`~.errors.NotYours` unless the ticket was made for this requester in this browser."""
        cookies = [cookie for cookie in (self._sent(OWN_COOKIE), self.cookie) if cookie is not None]
        if not any(_same(ticket.binding, _binding(cookie, self.identity)) for cookie in cookies):
            raise NotYours

    def claimed(self, ticket: Ticket) -> Ticket:
        """The ticket, which is this requester's, for a receipt that the application's pages can verify.

        A browser without the cookie that begins several uploads at once is given one by each of them, and keeps the
        last. Each upload goes on with its own, under :data:`OWN_COOKIE`; pages see the one that was kept.
        """
        if ticket.anonymous_owner is None or self.cookie is None:
            return ticket
        return replace(ticket, anonymous_owner=_anonymous_owner(self.cookie))

    def check_receipt(self, receipt: Receipt) -> None:
        """Raises :class:`~.errors.NotYours` unless the receipt's owner is this requester."""
        owner = receipt.upload.owner
        if owner is None:
            mine = self.cookie is not None and _same(receipt.anonymous_owner, _anonymous_owner(self.cookie))
        else:
            mine = owner == self.identity
        if not mine:
            raise NotYours


def _binding(cookie: str, identity: str | None) -> str:
    return _digest("requester", *_who(cookie, identity))


def _who(cookie: str, identity: str | None) -> tuple[str, str]:
    return cookie, "" if identity is None else "=" + identity


def _anonymous_owner(cookie: str) -> str:
    return _digest("anonymous owner", cookie)


def _digest(*parts: str) -> str:
    return sha256("\0".join(("direct-upload", *parts)).encode("utf-8", "surrogatepass")).hexdigest()


def _same(theirs: object, ours: str) -> bool:
    return isinstance(theirs, str) and hmac.compare_digest(theirs.encode(), ours.encode())


def cookie_header(environ: WSGIEnvironment, value: str, max_age: int, *, own: str = "") -> str:
    """The ``Set-Cookie`` value that gives the browser its binding cookie for ``max_age`` seconds.

    :param own: the path, below SCRIPT_NAME, that it is for, when it is one upload's own.
    """
    name = OWN_COOKIE if own else COOKIE
    path = quote(environ.get("SCRIPT_NAME", "").encode("latin-1")) + own or "/"
    secure = ["Secure"] if environ["wsgi.url_scheme"] == "https" else []
    return "; ".join([f"{name}={value}", f"Max-Age={max_age}", f"Path={path}", *secure, "HttpOnly", "SameSite=Strict"])


# -- origins -------------------------------------------------------------------------------------------------
