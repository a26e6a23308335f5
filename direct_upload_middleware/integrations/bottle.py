"""Bottle: a plugin that hands the uploads to the callbacks that ask for them.

::

    app = bottle.Bottle()
    app.install(DirectUploadPlugin())

    @app.post("/documents")
    def add(uploads):
        upload = uploads.verify(bottle.request.forms.document)
        …

    application = DirectUploadMiddleware(app, "swift://uploads", secret=SECRET, identify=cookie_user("user", SECRET))

``uploads`` is :class:`~.request_uploads.RequestUploads`. What it raises becomes Bottle's ``HTTPError``
with status 403 or 503, for ``@app.error(403)`` to show.
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
    """Gives ``uploads`` to every callback that has a parameter of that name.

    :param keyword: another name for it.
    """

    name = "direct_upload"
    api = 2

    def __init__(self, keyword: str = "uploads") -> None:
        self.keyword = keyword

    def setup(self, app: Any) -> None:
        """Bottle calls it when the plugin is installed; raises PluginError when another one has the same keyword."""
        for plugin in app.plugins:
            if isinstance(plugin, DirectUploadPlugin) and plugin.keyword == self.keyword:
                raise PluginError(f"A DirectUploadPlugin that gives {self.keyword!r} is installed already.")

    def apply(self, callback: Callable[..., Any], route: Any) -> Callable[..., Any]:
        """Bottle calls it for each route."""
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
    """An ``identify`` for applications that keep the user's id in a cookie that Bottle signed.

    It reads what ``response.set_cookie(name, user_id, secret=secret)`` set.

    :param options: further arguments of Bottle's ``get_cookie``, such as ``digestmod``.
    """

    def identify(environ: WSGIEnvironment) -> str | None:
        user = BaseRequest(environ.copy()).get_cookie(name, secret=secret, **options)
        return None if user is None else str(user)

    return identify
