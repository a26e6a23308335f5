"""Import pyrax 1.10.0 on a modern Python.

pyrax imports names from a version of novaclient that does not run on a modern Python, and does not use them here. While
pyrax is imported, stand-ins take the place of novaclient. Afterwards ``sys.modules`` (except for pyrax itself),
``configparser`` and the loggers are as they were. An application's own novaclient is not affected.
"""

from __future__ import annotations

import configparser
import importlib
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from ...errors import ConfigurationError

_PARSER = "SafeConfigParser"
_lock = threading.Lock()

_NAMES: dict[str, dict[str, Any]] = {
    "novaclient": {"API_MAX_VERSION": None},
    "novaclient.client": {"get_client_class": lambda version: None},
    "novaclient.exceptions": {"ClientException": Exception, "NotFound": Exception},
    "novaclient.auth_plugin": {},
    "novaclient.v2": {},
    "novaclient.v2.servers": {"Server": object},
}


def import_identity() -> type[Any]:
    """Return pyrax's identity class. Raise ConfigurationError when pyrax is missing."""
    with _lock:
        if "pyrax" not in sys.modules:
            with _stand_ins(), _quiet_logger(), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    importlib.import_module("pyrax")
                except ImportError as error:
                    raise ConfigurationError(
                        "rackspace:// storage needs pyrax, in an environment without openstacksdk: "
                        "pip install 'direct-upload-middleware[rackspace]'"
                    ) from error
        identity: type[Any] = importlib.import_module("pyrax.identity.rax_identity").RaxIdentity
        return identity


@contextmanager
def _stand_ins() -> Iterator[None]:
    before = {name: sys.modules.get(name) for name in (*list(sys.modules), "keyring") if _is_replaced(name)}
    for name in before:
        sys.modules.pop(name, None)
    sys.modules.update(_modules())
    sys.modules["keyring"] = None  # type: ignore[assignment]
    has_parser = hasattr(configparser, _PARSER)
    if not has_parser:
        setattr(configparser, _PARSER, configparser.ConfigParser)  # gone since Python 3.12
    try:
        yield
    finally:
        for name in [name for name in sys.modules if _is_replaced(name)]:
            del sys.modules[name]
        sys.modules.update({name: module for name, module in before.items() if module is not None})
        if not has_parser:
            delattr(configparser, _PARSER)


def _is_replaced(name: str) -> bool:
    return name.partition(".")[0] in ("novaclient", "keyring")


def _modules() -> dict[str, ModuleType]:
    modules = {name: ModuleType(name) for name in _NAMES}
    for name, module in modules.items():
        vars(module).update(_NAMES[name])
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(modules[parent], child, module)
    for package in ("novaclient", "novaclient.v2"):
        modules[package].__path__ = []
    return modules


@contextmanager
def _quiet_logger() -> Iterator[None]:
    """Restore the logger that pyrax makes print everything."""
    logger = logging.getLogger("pyrax")
    level, handlers = logger.level, list(logger.handlers)
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.handlers[:] = handlers
