"""What the commands share: the storage and its secret, errors without tracebacks, consoles."""

from __future__ import annotations

import functools
import logging
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click
from rich.console import Console

from ..errors import DirectUploadError
from ..keys import Keys
from ..origins import normalize_origin
from ..storage.base import Storage
from ..storage.s3.storage import S3Storage
from ..storage.swift.storage import SwiftStorage
from ..storage.urls import storage_from_url
from .debugging import everything_shown

SECRET_VARIABLE = "DIRECT_UPLOAD_SECRET"  # noqa: S105  the name of it
NOTHING_TO_DO = "This storage has nothing to set up, to examine or to rotate: it is a directory."
_UNBROKEN = 10_000
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}

F = TypeVar("F", bound=Callable[..., Any])


def without_traceback(command: F) -> F:
    """Tell an error in one sentence, with exit status 1; with ``--debug``, raise it."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        debug = click.get_current_context().obj
        if debug:
            with everything_shown():
                return command(*args, **kwargs)
        try:
            with _warnings_kept_back():
                return command(*args, **kwargs)
        except DirectUploadError as error:
            raise click.ClickException(str(error)) from error

    return run  # type: ignore[return-value]


@contextmanager
def _warnings_kept_back() -> Iterator[None]:
    """What a command has to say it says itself. The level is put back, for whoever calls a command in a process of
    their own."""
    logger = logging.getLogger("direct_upload_middleware")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def secrets() -> list[str]:
    """The middleware's secrets, oldest first; none where the variable is not set."""
    return [secret.strip() for secret in os.environ.get(SECRET_VARIABLE, "").split(",") if secret.strip()]


def open_storage(url: str, *, secret_needed: bool = True) -> Storage:
    """The storage of this URL, with its keys."""
    storage = storage_from_url(url)
    if storage.needs_secret and secret_needed and not secrets():
        raise click.UsageError(f"Set {SECRET_VARIABLE} to the middleware's secret; several separated by commas.")
    storage.bind(Keys(secrets()) if secrets() or storage.needs_secret else Keys(storage.default_secrets))
    return storage


def open_swift(url: str, *, secret_needed: bool = True) -> SwiftStorage:
    """The same, where only Swift will do."""
    storage = open_storage(url, secret_needed=secret_needed)
    if not isinstance(storage, SwiftStorage):
        raise click.UsageError(NOTHING_TO_DO)
    return storage


def is_s3(url: str) -> bool:
    """Whether this is the URL of an S3 storage."""
    return urlsplit(url).scheme == "s3"


def open_s3(url: str) -> S3Storage:
    """Return the S3 storage of this URL, for what needs no secret."""
    storage = open_storage(url, secret_needed=False)
    assert isinstance(storage, S3Storage)  # noqa: S101  is_s3() was asked
    return storage


def console() -> Console:
    """Where results go. Lines are broken for terminals only: what is read by a program is a line each."""
    is_broken = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(highlight=False, width=None if is_broken else _UNBROKEN)


class Duration(click.ParamType):  # type: ignore[type-arg]
    """Seconds, from ``90``, ``15m``, ``12h``, ``2d`` or ``1w``."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"([0-9]{1,9})([smhdw]?)", value)
        if not match:
            self.fail(f"{value!r} is no time; write 90s, 15m, 12h, 2d or 1w", param, context)
        return int(match[1]) * _UNITS[match[2] or "s"]


class Origin(click.ParamType):  # type: ignore[type-arg]
    """An origin, as the Origin header has it."""

    name = "origin"

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> str:
        origin = normalize_origin(str(value).removesuffix("/"))
        if origin is None:
            self.fail(f"{value!r} is no origin; write it like https://app.example.com", param, context)
        return origin


class PageUrl(click.ParamType):  # type: ignore[type-arg]
    """The address of a page."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> str:
        parts = urlsplit(str(value))
        if normalize_origin(f"{parts.scheme}://{parts.netloc}") is None:
            self.fail(f"{value!r} is no address of a page; write it like https://app.example.com/new", param, context)
        return str(value)


class Header(click.ParamType):  # type: ignore[type-arg]
    """A header of a request, its name and its value."""

    name = "header"

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e]*)", value)
        if not match:
            self.fail("a header is written like 'Cookie: session=…'", param, context)
        return match[1].title(), match[2].strip()


def bytes_text(size: int) -> str:
    """``1.5 GiB``."""
    number = float(size)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if number < 1024:
            return f"{number:.0f} {unit}" if unit == "bytes" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} TiB"


def age_text(seconds: int) -> str:
    """``3 days``, ``5 hours``."""
    for name, unit in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * unit:
            return f"{seconds // unit} {name}"
    return f"{seconds} seconds"
