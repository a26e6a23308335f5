"""The kinds of option values: how each is checked, and how it is converted from a string of a settings file."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from .errors import ConfigurationError
from .origins import normalize_origin
from .policy import parse_accept
from .storage.base import SEALS, GiB

Convert = Callable[[str, Any], Any]
"""Takes an option's name and value, returns the converted value, raises ConfigurationError."""

_MOUNT = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)+")  # browsers resolve . and ..
_TRUE = ("true", "yes", "on", "y", "t", "1")
_FALSE = ("false", "no", "off", "n", "f", "0")


@dataclass(frozen=True, slots=True)
class Kind:
    """``check`` validates a Python value; ``parse`` converts a non-empty string, which ``check`` then validates."""

    check: Convert
    parse: Convert


def _unchanged(name: str, value: Any) -> Any:
    return value


def _check_secret(name: str, value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    secrets = [value] if isinstance(value, str) else value
    if not isinstance(secrets, list | tuple) or not secrets or not all(map(_is_secret, secrets)):
        raise ConfigurationError(f"{name} must be a non-empty string, or a list of them, oldest first")
    return tuple(secrets)


def _is_secret(value: object) -> bool:
    if not isinstance(value, str) or not value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def split_secrets(text: str) -> list[str]:
    """Split secrets at whitespace, and at nothing else: a secret may contain commas."""
    return text.split()


def split_list(text: str) -> list[str]:
    """Split a list at commas and line breaks."""
    return [item.strip() for item in re.split(r"[,\r\n]", text) if item.strip()]


def _check_callable(name: str, value: Any) -> Any:
    if value is not None and not callable(value):
        raise ConfigurationError(f"{name} must be a callable, not {value!r}")
    return value


def import_callable(name: str, text: str) -> Any:
    """Import ``module:attribute`` or ``module.attribute``."""
    module, separator, attributes = text.partition(":") if ":" in text else text.rpartition(".")
    if not (module and separator and attributes):
        raise ConfigurationError(f"{name} must be written module:attribute or module.attribute, not {text!r}")
    try:
        found: Any = import_module(module)
        for attribute in attributes.split("."):
            found = getattr(found, attribute)
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        raise ConfigurationError(f"{name}: cannot import {text!r}: {error}") from error
    return found


def _import_or_path(name: str, text: str) -> Any:
    return text if text.startswith("/") else import_callable(name, text)


def _check_bool(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ConfigurationError(f"{name} must be True or False, not {value!r}")
    return value


def _parse_bool(name: str, text: str) -> bool:
    if text.lower() not in (*_TRUE, *_FALSE):
        raise ConfigurationError(f"{name} must be true or false, not {text!r}")
    return text.lower() in _TRUE


def _check_inject(name: str, value: Any) -> Any:
    if isinstance(value, bool) or value == "auto":
        return value
    raise ConfigurationError(f"{name} must be 'auto', True or False, not {value!r}")


def _parse_inject(name: str, text: str) -> str | bool:
    return "auto" if text.lower() == "auto" else _parse_bool(name, text)


def _parse_integer(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise ConfigurationError(f"{name} must be an integer, not {text!r}") from error


def integer(expected: str, *, least: int = 1, most: int | None = None, optional: bool = False) -> Kind:
    """Return the kind of an integer from ``least`` to ``most``; ``expected`` describes it in the error message."""

    def check(name: str, value: Any) -> int | None:
        if value is None and optional:
            return None
        is_integer = isinstance(value, int) and not isinstance(value, bool)
        if not is_integer or value < least or (most is not None and value > most):
            raise ConfigurationError(f"{name} must be {expected}, not {value!r}")
        return int(value)

    return Kind(check, _parse_integer)


def _check_mount(name: str, value: Any) -> str:
    if not isinstance(value, str) or not _MOUNT.fullmatch(value):
        raise ConfigurationError(f"{name} must be a path such as '/_upload', without a slash at its end, not {value!r}")
    return value


def _check_seal(name: str, value: Any) -> Any:
    if value not in SEALS:
        raise ConfigurationError(f"{name} must be 'revoke' or 'pin', not {value!r}")
    return value


def _check_strings(name: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(split_list(value))
    if not isinstance(value, Collection) or not all(isinstance(item, str) for item in value):
        raise ConfigurationError(f"{name} must be a list of strings, not {value!r}")
    return tuple(value)


def _check_accept(name: str, value: Any) -> tuple[str, ...]:
    return parse_accept(_check_strings(name, value))


def _check_origins(name: str, value: Any) -> frozenset[str]:
    return frozenset(_check_origin(name, text) for text in _check_strings(name, value))


def _check_origin(name: str, text: str) -> str:
    origin = normalize_origin(text.removesuffix("/"))
    if origin is None:
        raise ConfigurationError(f"{name}: {text!r} is not an origin; write it like 'https://app.example.com'")
    return origin


SECRET = Kind(_check_secret, lambda name, text: split_secrets(text))
CALLABLE = Kind(_check_callable, import_callable)
IDENTIFY = Kind(_check_callable, _import_or_path)
BOOL = Kind(_check_bool, _parse_bool)
INJECT = Kind(_check_inject, _parse_inject)
MOUNT = Kind(_check_mount, _unchanged)
SEAL = Kind(_check_seal, _unchanged)
ACCEPT = Kind(_check_accept, _unchanged)
ORIGINS = Kind(_check_origins, _unchanged)
SECONDS = integer("an integer of 1 or more (seconds)")
MAX_SIZE = integer("None or an integer of 0 or more (bytes)", least=0, optional=True)
SEGMENT_SIZE = integer("1 to 5 GiB in bytes, the limit of a Swift object", most=5 * GiB)
PARALLEL = integer("an integer from 1 to 64, the number of concurrent PUTs", most=64)
