"""Signed tokens: the common form of tickets and receipts."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from itsdangerous import BadSignature, Signer, URLSafeSerializer
from itsdangerous.encoding import base64_decode, base64_encode

from .keys import Keys

MAX_TOKEN_LENGTH = 16 * 1024


class _CompactJSON:
    """JSON without whitespace."""

    @staticmethod
    def dumps(value: Any) -> str:
        return json.dumps(value, separators=(",", ":"))

    @staticmethod
    def loads(text: str | bytes) -> Any:
        return json.loads(text)


class Tokens:
    """Signs and reads tokens of one kind; ``salt`` separates the kinds.

    All tokens use HMAC-SHA256; the newest secret signs, every secret verifies. Only the canonical spelling of a token
    is valid: base64 has several spellings of the same bytes, and a modified character must always be noticed.
    """

    def __init__(self, keys: Keys, salt: str) -> None:
        self._keys = keys
        self._salt = f"direct-upload {salt}"
        self._cached: URLSafeSerializer | None = None

    @property
    def _serializer(self) -> URLSafeSerializer:
        if self._cached is None:
            self._cached = URLSafeSerializer(
                list(self._keys.secrets),
                salt=self._salt,
                serializer=_CompactJSON,
                signer=Signer,
                signer_kwargs={"key_derivation": "hmac", "digest_method": sha256},
            )
        return self._cached

    def dumps(self, payload: Any) -> str:
        """Sign a JSON-able payload. The token is ASCII and valid in a header, a URL or a form."""
        token = self._serializer.dumps(payload)
        return token.decode("ascii") if isinstance(token, bytes) else token

    def loads(self, token: object) -> Any:
        """Verify a token and return its payload. Raise itsdangerous' BadData unless :meth:`dumps` made it."""
        if not isinstance(token, str) or not token.isascii() or len(token) > MAX_TOKEN_LENGTH:
            raise BadSignature("not a token")
        signature = token.rpartition(".")[2].encode("ascii")
        if base64_encode(base64_decode(signature)) != signature:
            raise BadSignature("not the canonical spelling")
        return self._serializer.loads(token)
