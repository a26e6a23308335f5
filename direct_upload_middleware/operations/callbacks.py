"""Call the application's callbacks, and check what they return."""

from __future__ import annotations

import json
import logging
import unicodedata
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import ApplicationError, NotAuthenticated, Refused

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

T = TypeVar("T")

log = logging.getLogger(__name__)

MAX_NAME_BYTES = 1024


def call_application(callback: Callable[..., T], *args: Any) -> T:
    """Call an application callback. Log every exception except Refused, and raise ApplicationError instead."""
    try:
        return callback(*args)
    except (Refused, NotAuthenticated):
        raise
    except Exception as error:
        log.exception("an application callback failed")
        raise ApplicationError from error


def client_address(environ: WSGIEnvironment) -> str:
    """Return the client's address. Raise ValueError if the server does not know it, as behind a Unix socket."""
    address = ip_address(environ.get("REMOTE_ADDR", ""))
    return str((address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address)


def check_object_name(name: str) -> str:
    """Return the name that ``object_name`` returned. Raise ValueError for one that storage or browsers would change."""
    if not isinstance(name, str) or not 1 <= len(name.encode()) <= MAX_NAME_BYTES:
        raise ValueError(f"object_name must return a str of 1 to {MAX_NAME_BYTES} bytes in UTF-8")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        raise ValueError("object_name returned a name with control characters")
    if any(part in (".", "..") for part in name.split("/")):
        raise ValueError("object_name returned a name with '.' or '..' in its path, which browsers would resolve")
    return name


def check_json(data: Any) -> Any:
    """Return what ``on_complete`` returned. Raise ValueError or TypeError if it cannot be sent as JSON."""
    json.dumps(data, allow_nan=False)
    return data
