"""Flask: an extension.

::

    uploads = DirectUpload(accept=["image/*"], on_complete=record)

    def create_app():
        app = Flask(__name__)
        app.config["DIRECT_UPLOAD_STORAGE"] = "swift://uploads"
        uploads.init_app(app)
        return app

    @app.post("/documents")
    def add():
        upload = current_uploads.verify(request.form["document"])
        …

Options are arguments, or configuration values such as ``DIRECT_UPLOAD_STORAGE`` and ``DIRECT_UPLOAD_MAX_SIZE``;
arguments override the configuration. The default secret is ``SECRET_KEY`` (with ``SECRET_KEY_FALLBACKS``).

The default identity is Flask-Login's ``current_user`` if the application has a login manager, else the session's
``user_id`` (``DIRECT_UPLOAD_SESSION_KEY`` names another key). ``identify``, ``authorize``, ``on_complete``,
``on_remove`` and ``object_name`` are called in a request context, so that ``session``, ``current_user`` and a database
session work; functions registered with ``before_request`` are not called.

Templates have ``direct_upload_field("document", multiple=True)`` and ``direct_upload_script(nonce)``. The command
``flask direct-upload`` sets up, examines and cleans the storage.

Errors of :data:`current_uploads` become a 403 or 503 through the application's error handlers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError, DirectUploadError
from ..middleware import DirectUploadMiddleware
from ..options import check_names, parse_strings
from ..request_uploads import ENVIRON_KEY, RequestUploads
from .commands import COMMANDS, CommandFailed, run_command
from .common import PAGE_ERRORS, framework, uploads_in
from .field_html import upload_field

with framework("Flask", "flask"):
    import click
    from flask import Flask, current_app, has_request_context, request, session
    from markupsafe import Markup
    from werkzeug.exceptions import HTTPException, default_exceptions
    from werkzeug.local import LocalProxy

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

__all__ = ["DirectUpload", "current_uploads"]

PREFIX = "DIRECT_UPLOAD_"
SESSION_KEY = "SESSION_KEY"
CALLABLES = ("identify", "authorize", "on_complete", "on_remove", "object_name")


def _current_uploads() -> RequestUploads:
    return uploads_in(request.environ if has_request_context() else {})


#: The uploads of the current request.
current_uploads: RequestUploads = LocalProxy(_current_uploads)  # type: ignore[assignment]


class DirectUpload:
    """A Flask extension for one or several applications.

    :param app: the application; or call :meth:`init_app` later.
    :param options: ``storage`` and other options of :class:`~direct_upload_middleware.DirectUploadMiddleware`.
    """

    def __init__(self, app: Flask | None = None, **options: Any) -> None:
        self._options = options
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Wrap the application. Its configuration must be complete.

        :raises ConfigurationError: an option is wrong, unknown or in conflict with another.
        """
        if "direct_upload" in app.extensions:
            raise ConfigurationError("DirectUpload.init_app was already called for this application; call it once")
        options = _configured(app) | self._options
        app.cli.add_command(_make_command(options))
        options.setdefault("identify", _logged_in)
        for name in CALLABLES:
            if callable(options.get(name)):
                options[name] = _in_request(app, options[name])
        middleware = DirectUploadMiddleware(app.wsgi_app, **options)
        app.extensions["direct_upload"] = middleware
        app.wsgi_app = middleware  # type: ignore[method-assign]
        for error in PAGE_ERRORS:
            app.register_error_handler(error, _error_page)
        app.jinja_env.globals.update(direct_upload_field=_field, direct_upload_script=_script)


def _field(name: str, **options: Any) -> Markup:
    """Return the HTML of an upload field, in templates ``direct_upload_field("document", multiple=True)``.

    ``receipts`` are those that the field begins with; names that are not parameters of
    :func:`~.field_html.upload_field` become attributes.
    """
    receipts = options.pop("receipts", ())
    known = {key: options.pop(key) for key in ("multiple", "required", "accept") if key in options}
    kept = [(receipt, current_uploads.verify(receipt)) for receipt in receipts]
    return Markup(upload_field(name, **known, kept=kept, attributes=options))  # noqa: S704  it is escaped


def _script(nonce: str | None = None) -> Markup:
    """Return the script's tag, in templates ``direct_upload_script()``."""
    return Markup(current_uploads.script_tag(nonce))  # noqa: S704  it is escaped


def _make_command(options: Mapping[str, Any]) -> click.Command:
    """Return the command ``flask direct-upload``."""

    @click.command("direct-upload", context_settings={"ignore_unknown_options": True})
    @click.argument("command", type=click.Choice(COMMANDS))
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def direct_upload(command: str, arguments: tuple[str, ...]) -> None:
        """Set up, examine and clean the storage of this application.

        The options are those of the command direct-upload, such as: flask direct-upload sweep --older-than 2d.
        """
        try:
            run_command("flask direct-upload", command, options, arguments)
        except CommandFailed as error:
            click.echo(f"Error: {error}", err=True)
            raise SystemExit(error.status) from error

    return direct_upload


def _configured(app: Flask) -> dict[str, Any]:
    """Return the options in the configuration; raise ConfigurationError for an unknown name."""
    given = {name.removeprefix(PREFIX).lower(): app.config[name] for name in app.config if name.startswith(PREFIX)}
    given.pop(SESSION_KEY.lower(), None)
    check_names([name for name in given if name != "storage"], prefix=PREFIX)
    given = parse_strings(given)
    if app.secret_key and "secret" not in given:
        given["secret"] = [*reversed(app.config.get("SECRET_KEY_FALLBACKS") or ()), app.secret_key]
    return given


def _in_request(app: Flask, callable: Callable[..., Any]) -> Callable[..., Any]:
    """Return the callable, wrapped to run in the current request context or in a new one."""

    @wraps(callable)
    def in_request(environ: WSGIEnvironment, *args: Any) -> Any:
        with _request_context(app, environ):
            return callable(environ, *args)

    return in_request


def _request_context(app: Flask, environ: WSGIEnvironment) -> AbstractContextManager[Any]:
    if has_request_context() and request.environ.get(ENVIRON_KEY) is environ.get(ENVIRON_KEY):
        return nullcontext()
    return app.request_context(environ.copy())


def _logged_in(environ: WSGIEnvironment) -> str | None:
    """Return the identity of the logged-in user, or None. This is the default ``identify``."""
    if hasattr(current_app, "login_manager"):
        from flask_login import current_user

        return str(current_user.get_id()) if current_user.is_authenticated else None
    user = session.get(current_app.config.get(PREFIX + SESSION_KEY, "user_id"))
    return None if user is None else str(user)


def _error_page(error: DirectUploadError) -> Any:
    """Return the application's error page for this status, or Werkzeug's."""
    page = default_exceptions.get(error.status, HTTPException)(error.detail)
    page.code = error.status
    response = current_app.make_response(current_app.handle_http_exception(page))
    response.headers.extend(dict(error.headers))
    return response
