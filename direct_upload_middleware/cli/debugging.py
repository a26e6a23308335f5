"""The log that ``--debug`` shows: the package's records with their extras, and every HTTP request, redacted."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from ..storage.redaction import redacted

_LOGGERS = ("direct_upload_middleware", "urllib3", "keystoneauth")
_EXTRAS = ("upload_", "swift_", "sweep_")


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        extras = {name: value for name, value in vars(record).items() if name.startswith(_EXTRAS)}
        pairs = " ".join(f"{name}={value}" for name, value in extras.items())
        return redacted(f"{super().format(record)}  {pairs}".rstrip())


@contextmanager
def everything_shown() -> Iterator[None]:
    """Print the log on standard error while a command runs."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Formatter("%(levelname)s %(name)s: %(message)s"))
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)
