"""Carry out a call for each of several uploads, so that the failure of one is its own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from ..errors import ApplicationError, DirectUploadError
from ..storage.concurrency import imap_concurrently

T = TypeVar("T")
R = TypeVar("R")

log = logging.getLogger(__name__)


def attempt(call: Callable[..., R], *args: Any) -> R | DirectUploadError:
    """Return what ``call`` returns, or the error that it raises. Log any other exception: it is a bug."""
    try:
        return call(*args)
    except DirectUploadError as error:
        return error
    except Exception:
        log.exception("the upload API failed")
        return ApplicationError()


def attempt_each(call: Callable[[T], R], items: Sequence[T | DirectUploadError]) -> list[R | DirectUploadError]:
    """Attempt a call for every item concurrently; return the results in order. An item that is an error stays it."""

    def attempt_item(item: T | DirectUploadError) -> R | DirectUploadError:
        return item if isinstance(item, DirectUploadError) else attempt(call, item)

    if len(items) < 2:
        return [attempt_item(item) for item in items]
    return list(imap_concurrently(attempt_item, items))
