"""Authentication and permissions."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Any

from pyramid.authorization import ACLHelper, Allow, Authenticated, Everyone
from pyramid.request import Request

#: Shown on the login page. A real application stores slow hashes of passwords and limits login attempts.
PASSWORDS = {"alice": "wonderland", "bob": "builder"}


class Root:
    """The object that permissions apply to: the whole shelf."""

    __acl__ = ((Allow, Authenticated, "use"), (Allow, Authenticated, "upload"))

    def __init__(self, request: Request) -> None:
        """Create the root. Pyramid calls this for each request."""


class SessionPolicy:
    """A security policy that stores the user in the session."""

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
    """Return whether this is the password of the user."""
    return bool(password) and hmac.compare_digest(PASSWORDS.get(user, "").encode(), password.encode())
