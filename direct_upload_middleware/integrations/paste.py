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

The options are the middleware's, written as strings: lists are separated by commas or line breaks, several secrets by
whitespace, callables are written ``module:attr`` or ``module.attr`` (``identify`` may also be a path such as
``/whoami``), and booleans as for Paste's ``asbool``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..middleware import DirectUploadMiddleware
from ..options import parse_strings

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def filter_app_factory(
    app: WSGIApplication, global_conf: Mapping[str, str] | None, **settings: str
) -> DirectUploadMiddleware:
    """Wrap ``app``. This is the entry point ``main`` of the group ``paste.filter_app_factory``.

    :raises ConfigurationError: an option is wrong, unknown or in conflict with another.
    """
    return DirectUploadMiddleware(app, **parse_strings(settings))
