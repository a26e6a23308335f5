"""Bottle: a plugin that passes the request's uploads to callbacks.

::

    app = bottle.Bottle()
    app.install(DirectUploadPlugin())

    @app.post("/documents")
    def add(uploads):
        upload = uploads.verify(bottle.request.forms.document)
        …

    application = DirectUploadMiddleware(app, "swift://uploads", secret=SECRET, identify=cookie_user("user", SECRET))

``uploads`` is a :class:`~direct_upload_middleware.request_uploads.RequestUploads`. Its errors become Bottle's
``HTTPError``, so that ``@app.error(403)`` and ``@app.error(503)`` can show them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from .common import PAGE_ERRORS, framework, uploads_in

with framework("Bottle", "bottle"):
    from bottle import BaseRequest, HTTPError, PluginError, request

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from ..options import Identify

__all__ = ["DirectUploadPlugin", "cookie_user"]


class DirectUploadPlugin:
    """A Bottle plugin that passes ``uploads`` to every callback with a parameter of that name.

    :param keyword: the parameter's name.
    """

    name = "direct_upload"
    api = 2

    def __init__(self, keyword: str = "uploads") -> None:
        self.keyword = keyword

    def setup(self, app: Any) -> None:
        """Raise PluginError if another plugin with this keyword is installed. Called by Bottle."""
        for plugin in app.plugins:
            if isinstance(plugin, DirectUploadPlugin) and plugin.keyword == self.keyword:
                raise PluginError(f"A DirectUploadPlugin for the keyword {self.keyword!r} is already installed.")

    def apply(self, callback: Callable[..., Any], route: Any) -> Callable[..., Any]:
        """Return the callback of a route, wrapped if it has the parameter. Called by Bottle."""
        if self.keyword not in inspect.signature(route.callback).parameters:
            return callback

        @wraps(callback)
        def with_uploads(*args: Any, **kwargs: Any) -> Any:
            kwargs[self.keyword] = uploads_in(request.environ)
            try:
                return callback(*args, **kwargs)
            except PAGE_ERRORS as error:
                raise HTTPError(error.status, error.detail, error, **error.headers) from error

        return with_uploads


def cookie_user(name: str, secret: str, **options: Any) -> Identify:
    """Return an ``identify`` that reads the user's id from a cookie signed by Bottle.

    The application sets the cookie with ``response.set_cookie(name, user_id, secret=secret)``.

    :param options: further arguments of Bottle's ``get_cookie``, such as ``digestmod``.
    """

    def identify(environ: WSGIEnvironment) -> str | None:
        user = BaseRequest(environ.copy()).get_cookie(name, secret=secret, **options)
        return None if user is None else str(user)

    return identify
