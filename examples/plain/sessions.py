"""Login sessions in a signed cookie."""

from __future__ import annotations

import hmac
from hashlib import sha256

from itsdangerous import BadData, URLSafeTimedSerializer
from webob import Request, Response

COOKIE = "shelf_session"
MAX_AGE = 12 * 3600

#: Shown on the login page. A real application stores slow hashes of passwords and limits login attempts.
USERS = {"alice": "wonderland", "bob": "builder"}


def is_password(user: str, password: str) -> bool:
    """Return whether this is the password of the user."""
    return user in USERS and hmac.compare_digest(USERS[user].encode(), password.encode())


class Sessions:
    """Starts, reads and ends sessions."""

    def __init__(self, secret: str) -> None:
        self._serializer = URLSafeTimedSerializer(secret, salt="shelf session", signer_kwargs={"digest_method": sha256})

    def user(self, request: Request) -> str | None:
        """Return the user who is logged in, or None."""
        try:
            user = self._serializer.loads(request.cookies.get(COOKIE, ""), max_age=MAX_AGE)
        except BadData:
            return None
        return user if user in USERS else None

    def begin(self, response: Response, user: str, *, secure: bool) -> Response:
        """Add the session cookie to the response, and return it."""
        token = self._serializer.dumps(user)
        response.set_cookie(
            COOKIE,
            token if isinstance(token, str) else token.decode(),
            max_age=MAX_AGE,
            secure=secure,
            httponly=True,
            samesite="Lax",
        )
        return response

    def end(self, response: Response) -> Response:
        """Remove the session cookie with the response, and return it."""
        response.delete_cookie(COOKIE)
        return response
