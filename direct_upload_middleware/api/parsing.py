"""Parse JSON bodies and their members."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from ..errors import InvalidRequest, Malformed, TooLarge, UnsupportedMediaType

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

MAX_BODY = 1024**2
MAX_BATCH_BODY = 4 * 1024**2
MAX_INDEXES = 100
MAX_UPLOADS = 100

_MD5 = re.compile(r"[0-9a-f]{32}")
_LENGTH = re.compile(r"[0-9]+")
_MAX_DIGITS = 100


def read_object(environ: WSGIEnvironment, limit: int = MAX_BODY) -> dict[str, Any]:
    """Read the JSON object in the body. Raise UnsupportedMediaType, TooLarge (over ``limit`` bytes) or Malformed."""
    media_type = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise UnsupportedMediaType
    try:
        value = json.loads(_read(environ, limit).decode("utf-8"), parse_int=_parse_integer)
    except (ValueError, RecursionError) as error:
        raise Malformed from error
    if not isinstance(value, dict):
        raise Malformed
    return value


def _parse_integer(text: str) -> int:
    """Truncate an integer that is too long for Python: it remains larger than every limit."""
    return int(text[:_MAX_DIGITS])


def _read(environ: WSGIEnvironment, limit: int) -> bytes:
    given = environ.get("CONTENT_LENGTH")
    if given and not _LENGTH.fullmatch(given):
        raise Malformed("Content-Length is not a number.")
    length = _parse_integer(given) if given else limit + 1 if environ.get("wsgi.input_terminated") else 0
    if given and length > limit:
        raise _body_too_large(limit)
    try:
        body: bytes = environ["wsgi.input"].read(length)
    except Exception as error:  # servers raise various exceptions if the client disconnects or sends garbage
        raise Malformed("The body could not be read.") from error
    if len(body) > limit:
        raise _body_too_large(limit)
    return body


def _body_too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body is larger than {limit} bytes.")


def parse_uploads(body: dict[str, Any]) -> list[Any]:
    """Return the member ``uploads``: a list of at most 100 items. The caller checks each item for itself."""
    given = body.get("uploads")
    if not isinstance(given, list) or len(given) > MAX_UPLOADS:
        raise InvalidRequest("uploads", f"uploads must be a list of at most {MAX_UPLOADS} objects.")
    return given


def parse_upload(item: Any) -> dict[str, Any]:
    """Return an item of ``uploads``. Raise InvalidRequest unless it is an object."""
    if not isinstance(item, dict):
        raise InvalidRequest("uploads", "Each of the uploads must be an object.")
    return item


def parse_upload_id(item: dict[str, Any]) -> str:
    """Return the member ``id`` of an item of ``uploads``."""
    given = item.get("id")
    if not isinstance(given, str):
        raise InvalidRequest("id", "id must be the string that names the upload.")
    return given


def parse_indexes(body: dict[str, Any], count: int) -> list[int]:
    """Return the member ``indexes``: at most 100 integers from 0 to ``count - 1``."""
    given = body.get("indexes")
    if not isinstance(given, list) or len(given) > MAX_INDEXES or not all(_is_index(i, count) for i in given):
        raise InvalidRequest("indexes", f"indexes must be a list of at most {MAX_INDEXES} integers, 0 to {count - 1}.")
    return given


def parse_etags(body: dict[str, Any], count: int) -> dict[int, str]:
    """Return the member ``segments``, ``[{"index", "etag"}, …]``, as index → ETag."""
    given = body.get("segments")
    if not isinstance(given, list):
        raise InvalidRequest("segments", "segments must be a list of objects with index and etag.")
    found: dict[int, str] = {}
    for item in given:
        index: Any = item.get("index") if isinstance(item, dict) else None
        etag: Any = item.get("etag") if isinstance(item, dict) else None
        if not _is_index(index, count) or not isinstance(etag, str) or not _MD5.fullmatch(etag):
            raise InvalidRequest(
                "segments", f"Each segment needs an index, 0 to {count - 1}, and an etag, an MD5 of 32 hex digits."
            )
        if found.setdefault(index, etag) != etag:
            raise InvalidRequest("segments", f"segments contains segment {index} twice, with different ETags.")
    return found


def parse_part_etags(body: dict[str, Any], count: int) -> dict[int, str]:
    """Return the member ``parts``, ``[{"PartNumber", "ETag"}, …]``, as index → ETag.

    Part numbers count from 1, ETags may be quoted, and there is at least one part.
    """
    given = body.get("parts")
    parts = [part if isinstance(part, dict) else {} for part in given] if isinstance(given, list) else []
    segments = [{"index": _decrement(p.get("PartNumber")), "etag": _unquote(p.get("ETag"))} for p in parts]
    try:
        if segments:
            return parse_etags({"segments": segments}, count)
    except InvalidRequest as error:
        raise InvalidRequest(
            "parts", f"Each part needs a PartNumber, 1 to {count}, and one ETag, an MD5 of 32 hex digits."
        ) from error
    raise InvalidRequest("parts", "parts must be a list of objects with PartNumber and ETag.")


def _decrement(value: Any) -> Any:
    return value - 1 if isinstance(value, int) and not isinstance(value, bool) else None


def _unquote(value: Any) -> Any:
    return value.removeprefix('"').removesuffix('"') if isinstance(value, str) else None


def _is_index(value: Any, count: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < count
