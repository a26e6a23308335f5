"""Keep signatures of temp URLs out of the logs of other libraries: urllib3 logs the URL of every request."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

_SIGNATURE = re.compile(r"((?:temp_url_sig|X-Amz-Signature|X-Amz-Security-Token)=)[0-9A-Za-z%+/=_-]+")
_LOGGERS = ("urllib3.connectionpool", "urllib3.util.retry")


def redacted(text: str) -> str:
    """Return the text without signatures."""
    return _SIGNATURE.sub(r"\1…", text)


@contextmanager
def signatures_kept_out_of_logs() -> Iterator[None]:
    """Redact urllib3's log while this process requests a temp URL."""
    redacting = _Redacting()
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    for logger in loggers:
        logger.addFilter(redacting)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(redacting)


class _Redacting(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redacted(record.getMessage()), ()
        return True
