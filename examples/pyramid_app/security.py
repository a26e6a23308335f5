"""Who is logged in, and what they may."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Any

from pyramid.authorization import ACLHelper, Allow, Authenticated, Everyone
from pyramid.request import Request

#: Shown on the log-in page. A real application keeps slow hashes of passwords and limits the attempts.
PASSWORDS = {"alice": "wonderland", "bob": "builder"}


class Root:
    """What permissions are about: the whole shelf."""

    __acl__ = ((Allow, Authenticated, "use"), (Allow, Authenticated, "upload"))

    def __init__(self, request: Request) -> None:
        """Pyramid makes one for each request."""


class SessionPolicy:
    """The user is in the session."""

    def identity(self, request: Request) -> str | None:
        user = request.session.get("user")
        return user if user in PASSWORDS else None

    def authenticated_userid(self, request: Request) -> str | None:
        return self.identity(request)

    def permits(self, request: Request, context: Any, permission: str) -> Any:
        user = self.identity(request)
        return ACLHelper().permits(context, [Everyone, *([Authenticated, user] if user else [])], permission)

    def remember(self, request: Request, userid: str, **options: Any) -> Sequence[tuple[str, str]]:
        request.session.invalidate()
        request.session["user"] = userid
        return ()

    def forget(self, request: Request, **options: Any) -> Sequence[tuple[str, str]]:
        request.session.invalidate()
        return ()


def is_password(user: str, password: str) -> bool:
    """Whether this is the user's password."""
    return bool(password) and hmac.compare_digest(PASSWORDS.get(user, "").encode(), password.encode())
