"""Signed tokens: the common form of tickets and receipts."""

from __future__ import annotations

import hmac
import json
import zlib
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from itsdangerous import BadPayload, BadSignature, Signer, URLSafeSerializer
from itsdangerous.encoding import base64_decode, base64_encode

from ..keys import Keys

MAX_TOKEN_LENGTH = 16 * 1024
_NONCE_BYTES = 16


class _CompactJSON:
    """JSON without whitespace."""

    @staticmethod
    def dumps(value: Any) -> str:
        return json.dumps(value, separators=(",", ":"))

    @staticmethod
    def loads(text: str | bytes) -> Any:
        return json.loads(text)


@dataclass(frozen=True, slots=True)
class Scope:
    """The owner of a token: the container and the mount of one middleware.

    Several middlewares may share a secret. A token of one is invalid for the others, whose rules may be stricter.
    """

    container: str
    mount: str


class _OpaqueSerializer(URLSafeSerializer):
    """Encrypts the payload, so that addresses with a token do not tell access logs what it says.

    The same payload always gives the same token: its nonce is a keyed digest of it (as in SIV, RFC 5297). Integrity is
    the signature's task.
    """

    def __init__(self, *args: Any, mask_keys: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._mask_keys = [key.encode() for key in mask_keys]  # newest first

    def dump_payload(self, obj: Any) -> bytes:
        """Encrypt a payload."""
        text = json.dumps(obj, separators=(",", ":"), ensure_ascii=False)
        data = zlib.compress(text.encode("utf-8", "surrogatepass"))
        nonce = _nonce(self._mask_keys[0], data)
        return base64_encode(nonce + _mask(self._mask_keys[0], nonce, data))

    def load_payload(self, payload: bytes, *args: Any, **kwargs: Any) -> Any:
        """Decrypt a payload. Raise BadPayload."""
        raw = base64_decode(payload)
        nonce, masked = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
        for key in self._mask_keys:
            data = _mask(key, nonce, masked)
            if hmac.compare_digest(nonce, _nonce(key, data)):
                return json.loads(zlib.decompress(data).decode("utf-8", "surrogatepass"))
        raise BadPayload("encrypted with an unknown key")


def _nonce(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, b"nonce" + data, "sha256")[:_NONCE_BYTES]


def _mask(key: bytes, nonce: bytes, data: bytes) -> bytes:
    """Encrypt or decrypt: XOR with a keystream of HMAC-SHA256 in counter mode."""
    count = -(-len(data) // 32)
    stream = b"".join(hmac.digest(key, b"mask" + nonce + n.to_bytes(4, "big"), "sha256") for n in range(count))
    masked = int.from_bytes(data, "big") ^ int.from_bytes(stream[: len(data)], "big")
    return masked.to_bytes(len(data), "big")


class Tokens:
    """Signs and reads tokens of one kind and one scope, which the salt separates from all others.

    All tokens use HMAC-SHA256; the newest secret signs, every secret verifies. Only the canonical spelling of a token
    is valid: base64 has several spellings of the same bytes, and a modified character must always be noticed.

    :param opaque: encrypt what the token says.
    """

    def __init__(self, keys: Keys, kind: str, scope: Scope, *, opaque: bool = False) -> None:
        self._keys = keys
        self._is_opaque = opaque
        self._salt = json.dumps(["direct-upload", kind, scope.container, scope.mount])
        self._cached: URLSafeSerializer | None = None

    @property
    def _serializer(self) -> URLSafeSerializer:
        if self._cached is None:
            secrets = list(self._keys.secrets)
            signing: Any = {
                "salt": self._salt,
                "serializer": _CompactJSON,
                "signer": Signer,
                "signer_kwargs": {"key_derivation": "hmac", "digest_method": sha256},
            }
            if self._is_opaque:
                mask_keys = self._keys.derive_all("token payload", self._salt)
                self._cached = _OpaqueSerializer(secrets, mask_keys=mask_keys, **signing)
            else:
                self._cached = URLSafeSerializer(secrets, **signing)
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
