"""The upload policy: the rules for a request's fields, and the application's for size and type. Pure functions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import ConfigurationError, InvalidRequest, TooLarge, TypeNotAccepted
from .file_types.active_types import ANY_TYPE, essence_of, is_page, is_script
from .file_types.extension_types import possible_types
from .models import UploadRequest

MAX_FILENAME_BYTES = 1024
MAX_TYPE_LENGTH = 255

_TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"  # noqa: S105  RFC 9110, 5.6.2
_QUOTED = r'"(?:[\t \x21\x23-\x5b\x5d-\x7e]|\\[\t \x21-\x7e])*"'
_PARAMETER = rf"(?!(?i:swift_)){_TOKEN}=(?:{_TOKEN}|{_QUOTED})"  # Swift reserves parameters that begin with swift_
_MIME = re.compile(rf"{_TOKEN}/{_TOKEN}(?:[ \t]*;[ \t]*{_PARAMETER})*")
_ACCEPT = re.compile(rf"\.[^\s,/;\"]+|\*/\*|(?!\*/){_TOKEN}/{_TOKEN}")


def parse_request(body: Mapping[str, Any], identity: str | None) -> UploadRequest:
    """Parse the request in a JSON body. Raise :class:`~.errors.InvalidRequest` with the invalid ``field``."""
    return UploadRequest(
        filename=_filename(body.get("filename")),
        size=_size(body.get("size")),
        type=_type(body.get("type")),
        identity=identity,
    )


def _filename(value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidRequest("filename", "filename must be a string.")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in value):
        raise InvalidRequest("filename", "filename must not contain control characters or lone surrogates.")
    if not 1 <= len(value.encode()) <= MAX_FILENAME_BYTES:
        raise InvalidRequest("filename", f"filename must have 1 to {MAX_FILENAME_BYTES} bytes in UTF-8.")
    if "/" in value or value in (".", ".."):
        raise InvalidRequest("filename", "filename must be a name, not a path.")
    return value


def _size(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InvalidRequest("size", "size must be the file's length in bytes: an integer of 0 or more.")
    return value


def _type(value: Any) -> str:
    if value == "":
        return ANY_TYPE
    if not isinstance(value, str) or len(value) > MAX_TYPE_LENGTH or not _MIME.fullmatch(value):
        raise InvalidRequest("type", 'type must be "" or a MIME type such as "image/png".')
    return value


@dataclass(frozen=True, slots=True)
class Policy:
    """The application's rules: ``max_size`` in bytes or None; ``accept`` as in HTML, empty for everything."""

    max_size: int | None = None
    accept: tuple[str, ...] = ()

    def check(self, request: UploadRequest) -> None:
        """Raise :class:`~.errors.TooLarge` or :class:`~.errors.TypeNotAccepted`."""
        if self.max_size is not None and request.size > self.max_size:
            raise TooLarge(f"The file is larger than the limit of {self.max_size} bytes.")
        if self.accept and not self.accepts(request.filename, request.type):
            raise TypeNotAccepted(f"Accepted file types: {', '.join(self.accept)}.")

    def accepts(self, filename: str, media_type: str) -> bool:
        """Return whether a token of ``accept`` matches as in HTML: the name's extension, the type, or its family.

        A type that is unknown or has another name is decided by the extension too, see :mod:`.extension_types`. HTML's
        ``accept`` is a hint, this is a rule: an extension does not match a page or a script that claims to have it.
        Otherwise ``invoice.pdf`` of type ``text/html`` would be displayed as a page.
        """
        essence = essence_of(media_type)
        types = possible_types(filename, essence)
        tokens = types | {known.split("/")[0] + "/*" for known in types} | {"*/*"}
        return any(
            filename.lower().endswith(token) and not _is_disguised(token, essence)
            if token.startswith(".")
            else token in tokens
            for token in self.accept
        )


def _is_disguised(extension: str, essence: str) -> bool:
    """Return whether a type is a page or a script, and not a type of the extension."""
    if not (is_page(essence) or is_script(essence)):
        return False
    if own := possible_types(extension, ANY_TYPE) - {ANY_TYPE}:
        return essence not in own and not own <= possible_types(extension, essence)
    from .file_types.media_types import equivalent_types, normalize_type, type_of_extension  # slow to import

    claimed, usual = normalize_type(essence), type_of_extension(extension)
    if usual is not None:
        return claimed not in equivalent_types(usual)
    return extension.rpartition(".")[2] not in re.split(r"[/.+-]", claimed)


def parse_accept(tokens: Sequence[str]) -> tuple[str, ...]:
    """Return HTML ``accept`` tokens in lower case. Raise ConfigurationError for an invalid token."""
    accept = tuple(token.strip().lower() for token in tokens)
    for token in accept:
        if not _ACCEPT.fullmatch(token):
            raise ConfigurationError(
                f"accept: {token!r} is neither an extension ('.pdf') nor a type ('video/mp4', 'image/*')."
            )
    return accept
