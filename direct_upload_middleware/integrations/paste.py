"""Paste Deploy: the middleware as a filter in an ini file.

::

    [filter:direct-upload]
    use = egg:direct-upload-middleware
    storage = swift://uploads
    secret = %(secret)s
    identify = myapp.security:current_user
    accept = .pdf, image/*

    [pipeline:main]
    pipeline = direct-upload myapp

The options are the middleware's, written as strings: separate list items with commas, write callables as
``module:attr`` (``identify`` may also be a path such as ``/whoami``) and booleans as Paste's ``asbool`` reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError
from ..middleware import DirectUploadMiddleware

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_TRUE = ("true", "yes", "on", "y", "t", "1")
_FALSE = ("false", "no", "off", "n", "f", "0")


def filter_app_factory(
    app: WSGIApplication, global_conf: Mapping[str, str] | None, **settings: str
) -> DirectUploadMiddleware:
    """Wrap ``app``. This is the entry point ``main`` of the group ``paste.filter_app_factory``.

    :raises ConfigurationError: an option is wrong, unknown or in conflict with another.
    """
    return DirectUploadMiddleware(app, **options_from_strings(settings))


def options_from_strings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the middleware's keyword arguments for an ini file's strings; raise ConfigurationError.

    An empty string counts as a missing option. Values that are not strings, and options with unknown names, are
    returned unchanged: the middleware refuses the latter.
    """
    texts = {name: text.strip() for name, text in settings.items() if isinstance(text, str) and text.strip()}
    values = {name: value for name, value in settings.items() if not isinstance(value, str)}
    return values | {name: _CONVERTERS.get(name, _as_is)(name, text) for name, text in texts.items()}


def _as_is(name: str, text: str) -> str:
    return text


def _boolean(name: str, text: str) -> bool:
    if text.lower() not in (*_TRUE, *_FALSE):
        raise ConfigurationError(f"{name} must be true or false, not {text!r}")
    return text.lower() in _TRUE


def _inject(name: str, text: str) -> str | bool:
    return "auto" if text.lower() == "auto" else _boolean(name, text)


def _integer(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise ConfigurationError(f"{name} must be an integer, not {text!r}") from error


def _list(name: str, text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def _identify(name: str, text: str) -> Any:
    return text if text.startswith("/") else _callable(name, text)


def _callable(name: str, text: str) -> Any:
    module_name, colon, attributes = text.partition(":")
    if not module_name or not colon or not attributes:
        raise ConfigurationError(f"{name} must be written module:attribute, not {text!r}")
    try:
        found: Any = import_module(module_name)
        for attribute in attributes.split("."):
            found = getattr(found, attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(f"{name}: {text!r} cannot be imported: {error}") from error
    return found


_CONVERTERS: dict[str, Callable[[str, str], Any]] = {
    "secret": _list,
    "accept": _list,
    "origins": _list,
    "identify": _identify,
    "authorize": _callable,
    "on_complete": _callable,
    "object_name": _callable,
    "anonymous": _boolean,
    "bind_ip": _boolean,
    "sniff": _boolean,
    "inject": _inject,
    "max_size": _integer,
    "segment_size": _integer,
    "parallel": _integer,
    "ticket_ttl": _integer,
    "url_ttl": _integer,
}
