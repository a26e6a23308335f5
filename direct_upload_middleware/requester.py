"""The requester: identity, the cookie that binds uploads to a browser, and the checks against both."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import quote

from .errors import NotAuthenticated, NotYours
from .tokens.tickets import Ticket

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from .tokens.receipts import Receipt

COOKIE = "direct_upload"
UPLOAD_COOKIE = "direct_upload_own"
"""A second cookie for the paths of one upload only (see :meth:`Requester.adopt`)."""

_NO_COOKIE = (
    "The browser did not send the cookie of this upload. It blocks cookies, or the page is in a frame of another site, "
    "or the page and the upload API are on different sites."
)
_COOKIE_PAIRS = {
    name: re.compile(rf"(?:^|;)[ \t]*{name}=([0-9a-f]{{32}})[ \t]*(?:;|$)") for name in (COOKIE, UPLOAD_COOKIE)
}


@dataclass(frozen=True, slots=True)
class Binding:
    """The binding of an upload to its requester: the ``cookie``, which the response must set, and its digests.

    ``requester`` ties the ticket to identity and cookie, ``anonymous_owner`` the receipt of a requester without
    identity to the cookie. The cookie has 128 random bits, so its digests do not reveal it.
    """

    cookie: str = field(repr=False)
    requester: str = field(repr=False)
    anonymous_owner: str | None = field(repr=False)


def remote_user(environ: WSGIEnvironment) -> str | None:
    """Return ``REMOTE_USER``, which the server or an outer middleware sets. The default ``identify``."""
    return environ.get("REMOTE_USER")


class Requester:
    """The sender of one request. ``identify`` is called at most once, and only if the identity is needed.

    :param identify: callable(environ) -> str or None.
    :param anonymous: whether a requester without identity may upload, bound by the cookie alone.
    """

    def __init__(
        self, environ: WSGIEnvironment, identify: Callable[[WSGIEnvironment], str | None], anonymous: bool
    ) -> None:
        self._environ = environ
        self._identify = identify
        self._anonymous = anonymous
        self._is_identified = False
        self._identity: str | None = None

    # Not a cached_property: before Python 3.12 it has one lock for all requests.
    @property
    def identity(self) -> str | None:
        """The identity that the application returns; None also for an empty string."""
        if not self._is_identified:
            self._identity = self._call_identify()
            self._is_identified = True
        return self._identity

    def _call_identify(self) -> str | None:
        identity = self._identify(self._environ)
        if identity is not None and not isinstance(identity, str):
            raise TypeError(f"identify must return a str or None, not {type(identity).__name__}")
        return identity or None

    @property
    def cookie(self) -> str | None:
        """The request's binding cookie; None if it is missing or has an impossible value.

        The first of several counts, that of the longest path (RFC 6265, 5.4): an application above may have one too.
        """
        return self._read_cookie(COOKIE)

    def _read_cookie(self, name: str) -> str | None:
        found = _COOKIE_PAIRS[name].search(self._environ.get("HTTP_COOKIE", ""))
        return found[1] if found else None

    def check_authenticated(self) -> None:
        """Raise :class:`~.errors.NotAuthenticated` for an anonymous requester, unless ``anonymous`` is set."""
        if self.identity is None and not self._anonymous:
            raise NotAuthenticated

    def bind(self) -> Binding:
        """Return the binding for a new upload. A requester without cookie gets a random one."""
        cookie = self.cookie or secrets.token_hex(16)
        anonymous_owner = None if self.identity else _anonymous_owner(cookie)
        return Binding(cookie, _binding(cookie, self.identity), anonymous_owner)

    def digest(self, purpose: str, cookie: str) -> str:
        """Return a digest of this requester's identity and a cookie."""
        return _digest(purpose, *_cookie_and_identity(cookie, self.identity))

    def check_ticket(self, ticket: Ticket) -> None:
        """Raise :class:`~.errors.NotYours` unless the ticket was issued for this requester and this browser."""
        cookies = [cookie for cookie in (self._read_cookie(UPLOAD_COOKIE), self.cookie) if cookie is not None]
        if not any(_is_same(ticket.binding, _binding(cookie, self.identity)) for cookie in cookies):
            raise NotYours("" if cookies else _NO_COOKIE)

    def adopt(self, ticket: Ticket) -> Ticket:
        """Return this requester's ticket bound to the browser's present cookie, so that pages can verify the receipt.

        A browser without the cookie that begins several uploads at once receives one from each of them, and keeps the
        last. Each upload continues with its own one, :data:`UPLOAD_COOKIE`; pages receive the one that was kept.
        """
        if ticket.anonymous_owner is None or self.cookie is None:
            return ticket
        return replace(ticket, anonymous_owner=_anonymous_owner(self.cookie))

    def check_receipt(self, receipt: Receipt) -> None:
        """Raise :class:`~.errors.NotYours` unless this requester owns the receipt."""
        owner = receipt.upload.owner
        if owner is None:
            is_mine = self.cookie is not None and _is_same(receipt.anonymous_owner, _anonymous_owner(self.cookie))
        else:
            is_mine = owner == self.identity
        if not is_mine:
            raise NotYours


def _binding(cookie: str, identity: str | None) -> str:
    return _digest("requester", *_cookie_and_identity(cookie, identity))


def _cookie_and_identity(cookie: str, identity: str | None) -> tuple[str, str]:
    return cookie, "" if identity is None else "=" + identity


def _anonymous_owner(cookie: str) -> str:
    return _digest("anonymous owner", cookie)


def _digest(*parts: str) -> str:
    return sha256("\0".join(("direct-upload", *parts)).encode("utf-8", "surrogatepass")).hexdigest()


def _is_same(theirs: object, ours: str) -> bool:
    return isinstance(theirs, str) and hmac.compare_digest(theirs.encode(), ours.encode())


def cookie_header(environ: WSGIEnvironment, value: str, max_age: int, *, upload_path: str = "") -> str:
    """Return the ``Set-Cookie`` value that gives the browser its binding cookie for ``max_age`` seconds.

    :param upload_path: the path below SCRIPT_NAME that the cookie of one upload is for.
    """
    name = UPLOAD_COOKIE if upload_path else COOKIE
    path = quote(environ.get("SCRIPT_NAME", "").encode("latin-1")) + upload_path or "/"
    secure = ["Secure"] if environ["wsgi.url_scheme"] == "https" else []
    return "; ".join([f"{name}={value}", f"Max-Age={max_age}", f"Path={path}", *secure, "HttpOnly", "SameSite=Strict"])
