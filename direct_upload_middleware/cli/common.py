"""Helpers shared by the commands: storage and secret, errors without tracebacks, parameter types, console."""

from __future__ import annotations

import functools
import logging
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
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

SECRET_VARIABLE = "DIRECT_UPLOAD_SECRET"  # noqa: S105  a name, not a secret
_UNBROKEN = 10_000
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}

_given_secrets: ContextVar[list[str] | None] = ContextVar("direct_upload.secrets", default=None)

F = TypeVar("F", bound=Callable[..., Any])


def without_traceback(command: F) -> F:
    """Print an error as one sentence and exit with status 1; with ``--debug``, raise it."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        debug = click.get_current_context().obj
        if debug:
            with everything_shown():
                return command(*args, **kwargs)
        try:
            with _errors_only():
                return command(*args, **kwargs)
        except DirectUploadError as error:
            raise click.ClickException(str(error)) from error

    return run  # type: ignore[return-value]


@contextmanager
def _errors_only() -> Iterator[None]:
    """Silence the package's log below ERROR while a command runs: a command prints its own results."""
    logger = logging.getLogger("direct_upload_middleware")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def secrets() -> list[str]:
    """Return the middleware's secrets, oldest first, separated by whitespace; empty when the variable is not set."""
    given = _given_secrets.get()
    return os.environ.get(SECRET_VARIABLE, "").split() if given is None else given


@contextmanager
def using_secrets(given: list[str]) -> Iterator[None]:
    """Take these secrets instead of the environment variable, for commands that a framework runs."""
    token = _given_secrets.set(given)
    try:
        yield
    finally:
        _given_secrets.reset(token)


def open_storage(url: str, *, secret_needed: bool = True) -> Storage:
    """Return the storage of this URL, bound to its keys."""
    storage = storage_from_url(url)
    if storage.needs_secret and secret_needed and not secrets():
        raise click.UsageError(
            f"Set the environment variable {SECRET_VARIABLE} to the middleware's secret; separate several with spaces."
        )
    storage.bind(Keys(secrets()) if secrets() or storage.needs_secret else Keys(storage.default_secrets))
    return storage


def open_swift(url: str, *, secret_needed: bool = True) -> SwiftStorage:
    """Return the Swift storage of this URL; raise UsageError for any other storage."""
    storage = open_storage(url, secret_needed=secret_needed)
    if not isinstance(storage, SwiftStorage):
        raise click.UsageError(
            "This command is for Swift storages only: a local directory needs no set-up, no keys and no check."
        )
    return storage


def is_s3(url: str) -> bool:
    """Return whether this is the URL of an S3 storage."""
    return urlsplit(url).scheme == "s3"


def open_s3(url: str) -> S3Storage:
    """Return the S3 storage of this URL, for what needs no secret."""
    storage = open_storage(url, secret_needed=False)
    assert isinstance(storage, S3Storage)  # noqa: S101  is_s3() was asked
    return storage


def console() -> Console:
    """Return the console for results. It wraps lines in a terminal; in a pipe, each result stays on one line."""
    wraps = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(highlight=False, width=None if wraps else _UNBROKEN)


class Duration(click.ParamType):  # type: ignore[type-arg]
    """A duration in seconds, written ``90``, ``15m``, ``12h``, ``2d`` or ``1w``."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> int:
        """Return the seconds."""
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"([0-9]{1,9})([smhdw]?)", value)
        if not match:
            self.fail(f"{value!r} is not a duration; write it like 90s, 15m, 12h, 2d or 1w", param, context)
        return int(match[1]) * _UNITS[match[2] or "s"]


class Origin(click.ParamType):  # type: ignore[type-arg]
    """An origin, as in the Origin header."""

    name = "origin"

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> str:
        """Return the normalized origin."""
        origin = normalize_origin(str(value).removesuffix("/"))
        if origin is None:
            self.fail(f"{value!r} is not an origin; write it like https://app.example.com", param, context)
        return origin


class PageUrl(click.ParamType):  # type: ignore[type-arg]
    """The URL of a page."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> str:
        """Return the URL unchanged."""
        parts = urlsplit(str(value))
        if normalize_origin(f"{parts.scheme}://{parts.netloc}") is None:
            self.fail(f"{value!r} is not the URL of a page; write it like https://app.example.com/new", param, context)
        return str(value)


class Header(click.ParamType):  # type: ignore[type-arg]
    """A request header, written ``Name: value``."""

    name = "header"

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> tuple[str, str]:
        """Return the header's name and value."""
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e]*)", value)
        if not match:
            self.fail("not a header; write it like 'Cookie: session=…'", param, context)
        return match[1].title(), match[2].strip()


def bytes_text(size: int) -> str:
    """Return a size for people: ``1.5 GiB``."""
    number = float(size)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if number < 1024:
            return f"{number:.0f} {unit}" if unit == "bytes" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} TiB"


def age_text(seconds: int) -> str:
    """Return an age for people: ``3 days``, ``5 hours``."""
    for name, unit in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * unit:
            return f"{seconds // unit} {name}"
    return f"{seconds} seconds"
