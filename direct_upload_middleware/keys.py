"""The application's secrets, and the keys derived from them."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence


class Keys:
    """The secrets, oldest first, and the keys derived from them.

    :param secrets: the secrets, oldest → newest; or a callable that returns them, called on first use.
    """

    def __init__(self, secrets: Sequence[str] | Callable[[], Sequence[str]]) -> None:
        self._load = secrets if callable(secrets) else None
        self._secrets: tuple[str, ...] = () if callable(secrets) else tuple(secrets)

    @property
    def secrets(self) -> tuple[str, ...]:
        """All secrets, oldest → newest: the last one signs, all verify."""
        if not self._secrets and self._load is not None:
            self._secrets = tuple(self._load())
        return self._secrets

    def derive(self, *purpose: str) -> str:
        """Derive the key for ``purpose`` from the newest secret: 64 hex digits (HMAC-SHA256)."""
        return self.derive_all(*purpose)[0]

    def derive_all(self, *purpose: str) -> list[str]:
        """Derive a key for ``purpose`` from every secret, newest first."""
        message = "\0".join(("direct-upload key", *purpose)).encode()
        return [hmac.digest(s.encode(), message, "sha256").hex() for s in reversed(self.secrets)]
