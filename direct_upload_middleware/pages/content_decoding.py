"""Decode the beginning of a page that is encoded, to look at it without changing it."""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Final, TypeAlias

_Decode: TypeAlias = Callable[[bytes], Any]  # returns bytes; the libraries are not typed

_GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS  # detected by the header
_RAW_DEFLATE: Final = -zlib.MAX_WBITS
_ZSTD_MODULES: Final = ("compression.zstd", "backports.zstd")


class UndecodableError(Exception):
    """The bytes are not encoded as declared."""


class PageDecoder:
    """A decoder from encoded bytes to UTF-8, for a page that arrives in pieces.

    :param encodings: content encodings, in the order in which they were applied.
    :param charset: a charset that is not ASCII-compatible, or None.
    :raises LookupError: an encoding or the charset is unknown, or its library is not installed.
    """

    def __init__(self, encodings: Sequence[str], charset: str | None) -> None:
        self._steps = [_make_decoder(name) for name in reversed(encodings)]
        if charset is not None:
            self._steps.append(_make_charset_decoder(charset))

    def decode(self, data: bytes) -> bytes:
        """Return what the next piece decodes to. Raise UndecodableError if it cannot be decoded."""
        try:
            for step in self._steps:
                data = step(data)
            return data
        except Exception as error:  # each library has its own errors
            raise UndecodableError(str(error)) from error


def _make_decoder(encoding: str) -> _Decode:
    match encoding:
        case "gzip" | "x-gzip":
            return zlib.decompressobj(_GZIP_OR_ZLIB).decompress
        case "deflate":
            return _make_deflate_decoder()
        case "br":
            brotli: _Decode = _import_attribute(["brotli", "brotlicffi"], "Decompressor")().process
            return brotli
        case "zstd":
            zstd: _Decode = _import_attribute(_ZSTD_MODULES, "ZstdDecompressor")().decompress
            return zstd
    raise LookupError(f"unknown content encoding {encoding!r}")


def _make_deflate_decoder() -> _Decode:
    """Return a decoder for zlib data, and for the raw data that some applications send instead."""
    decompressor: Any = None

    def decode(data: bytes) -> Any:
        nonlocal decompressor
        if decompressor is not None:
            return decompressor.decompress(data)
        decompressor = zlib.decompressobj(_GZIP_OR_ZLIB)
        try:
            return decompressor.decompress(data)
        except zlib.error:
            decompressor = zlib.decompressobj(_RAW_DEFLATE)
            return decompressor.decompress(data)

    return decode


def _import_attribute(modules: Sequence[str], name: str) -> Any:
    """Return the attribute of the first module that is installed: the one that the application uses as well."""
    for module in modules:
        try:
            return getattr(import_module(module), name)
        except ImportError:
            continue
    raise LookupError(f"none of these modules is installed: {', '.join(modules)}")


def _make_charset_decoder(charset: str) -> _Decode:
    try:
        "a".encode(charset)  # raises LookupError for a codec that is not a charset, such as "rot13"
    except ValueError as error:
        raise LookupError(f"unknown charset {charset!r}") from error
    decoder = codecs.getincrementaldecoder(charset)(errors="replace")
    return lambda data: decoder.decode(data).encode("utf-8", "replace")
