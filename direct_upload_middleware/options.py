"""The middleware's options, validated when it is made, and frozen."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from .errors import ConfigurationError
from .keys import Keys
from .models import Upload, UploadRequest
from .origins import normalize_origin
from .plan import MiB
from .policy import Policy, parse_accept
from .storage.base import SEALS, ChecksOptions, GiB, Seal, Storage
from .storage.urls import storage_from_url

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    Identify: TypeAlias = Callable[[WSGIEnvironment], str | None]
    Authorize: TypeAlias = Callable[[WSGIEnvironment, UploadRequest], None]
    OnComplete: TypeAlias = Callable[[WSGIEnvironment, Upload], Any]
    ObjectName: TypeAlias = Callable[[WSGIEnvironment, UploadRequest], str]

_MOUNT = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)+")  # browsers resolve . and ..


def remote_user(environ: WSGIEnvironment) -> str | None:
    """The default ``identify``: what the server or an outer middleware put into ``REMOTE_USER``."""
    return environ.get("REMOTE_USER")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Every option of :class:`~direct_upload_middleware.DirectUploadMiddleware`; see there for what each means."""

    storage: Storage
    keys: Keys
    policy: Policy
    identify: Identify = remote_user
    anonymous: bool = False
    authorize: Authorize | None = None
    on_complete: OnComplete | None = None
    object_name: ObjectName | None = None
    mount: str = "/_upload"
    inject: Literal["auto"] | bool = "auto"
    segment_size: int = 16 * MiB
    parallel: int = 4
    seal: Seal = "revoke"
    ticket_ttl: int = 86400
    url_ttl: int = 900
    bind_ip: bool = False
    origins: Collection[str] = frozenset()
    sniff: bool = False


def make_options(storage: Storage | str | None, given: Mapping[str, Any]) -> Options:
    """Check everything that was given; raises :class:`~.errors.ConfigurationError` that says what to do.

    :param given: the middleware's keyword arguments by name.
    """
    _check_names(given)
    store = _storage(storage)
    keys = _keys(given.get("secret"), store)
    policy = Policy(
        max_size=_max_size(given.get("max_size")), accept=parse_accept(_strings("accept", given.get("accept", ())))
    )
    values = {name: check(name, given[name]) for name, check in _CHECKS.items() if name in given}
    options = Options(storage=store, keys=keys, policy=policy, **values)
    if options.sniff:
        _check_sniff(policy)
    if isinstance(store, ChecksOptions):
        store.check_options(seal=options.seal, bind_ip=options.bind_ip)
    store.bind(keys)
    return options


def _check_sniff(policy: Policy) -> None:
    if not policy.accept:
        raise ConfigurationError("sniff compares what was sent with accept: say there what is accepted")
    from .sniff import check_library  # has tables of types that are slow to import

    check_library()


def _check_names(given: Mapping[str, Any]) -> None:
    for name in given:
        if name not in OPTION_NAMES:
            import difflib

            close = difflib.get_close_matches(name, ("storage", *OPTION_NAMES), 1)
            hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(OPTION_NAMES)}"
            raise ConfigurationError(f"unknown option {name!r}; {hint}")


def _storage(storage: Storage | str | None) -> Storage:
    if storage is None or isinstance(storage, str):
        return storage_from_url("local:" if storage is None else storage)
    if not isinstance(storage, Storage):
        raise ConfigurationError(f"storage: {storage!r} is neither a URL ('swift://uploads') nor a Storage")
    return storage


def _keys(secret: Any, storage: Storage) -> Keys:
    if secret is None:
        if storage.needs_secret:
            raise ConfigurationError(
                "secret is required: give a long random string that all processes share, such as the output of "
                "python -c 'import secrets; print(secrets.token_urlsafe(32))'"
            )
        return Keys(storage.default_secrets)
    secrets = [secret] if isinstance(secret, str) else secret
    if not isinstance(secrets, list | tuple) or not secrets or not all(map(_is_secret, secrets)):
        raise ConfigurationError("secret must be a non-empty string, or a list of them, oldest first")
    return Keys(secrets)


def _is_secret(value: object) -> bool:
    if not isinstance(value, str) or not value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


# -- one check an option: (name, value) -> the value to keep -----------------------------------------------


def _identify(name: str, value: Any) -> Identify:
    return remote_user if value is None else _callable(name, value)


def _optional_callable(name: str, value: Any) -> Any:
    return None if value is None else _callable(name, value)


def _callable(name: str, value: Any) -> Any:
    if not callable(value):
        raise ConfigurationError(f"{name} must be a callable, not {value!r}")
    return value


def _bool(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ConfigurationError(f"{name} must be True or False, not {value!r}")
    return value


def _positive(name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ConfigurationError(f"{name} must be an integer of 1 or more, not {value!r}")
    return value


def _parallel(name: str, value: Any) -> int:
    if _positive(name, value) > 64:
        raise ConfigurationError(f"{name} is how many segments go up at once, 1 to 64, not {value!r}")
    return int(value)


def _segment_size(name: str, value: Any) -> int:
    if _positive(name, value) > 5 * GiB:
        raise ConfigurationError(f"{name} is in bytes and at most 5 GiB (Swift's limit), not {value!r}")
    return int(value)


def _max_size(value: Any) -> int | None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
        raise ConfigurationError(f"max_size must be None or an integer of bytes, 0 or more, not {value!r}")
    return value


def _mount(name: str, value: Any) -> str:
    if not isinstance(value, str) or not _MOUNT.fullmatch(value):
        raise ConfigurationError(f"{name} must be a path such as '/_upload', without a slash at its end, not {value!r}")
    return value


def _inject(name: str, value: Any) -> Literal["auto"] | bool:
    if isinstance(value, bool):
        return value
    if value == "auto":
        return "auto"
    raise ConfigurationError(f"{name} must be 'auto', True or False, not {value!r}")


def _seal(name: str, value: Any) -> Seal:
    for seal in SEALS:
        if value == seal:
            return seal
    raise ConfigurationError(f"{name} must be 'revoke' or 'pin', not {value!r}")


def _origins(name: str, value: Any) -> frozenset[str]:
    return frozenset(map(_origin, _strings(name, value)))


def _origin(text: str) -> str:
    origin = normalize_origin(text.removesuffix("/"))
    if origin is None:
        raise ConfigurationError(f"origins: {text!r} is no origin; write it like 'https://app.example.com'")
    return origin


def _strings(name: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [item.strip() for item in value.split(",") if item.strip()]
    if not isinstance(value, Collection) or not all(isinstance(item, str) for item in value):
        raise ConfigurationError(f"{name} must be a list of strings, not {value!r}")
    return tuple(value)


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "identify": _identify,
    "anonymous": _bool,
    "authorize": _optional_callable,
    "on_complete": _optional_callable,
    "object_name": _optional_callable,
    "mount": _mount,
    "inject": _inject,
    "segment_size": _segment_size,
    "parallel": _parallel,
    "seal": _seal,
    "ticket_ttl": _positive,
    "url_ttl": _positive,
    "bind_ip": _bool,
    "origins": _origins,
    "sniff": _bool,
}

OPTION_NAMES = ("secret", "max_size", "accept", *_CHECKS)
