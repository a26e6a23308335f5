"""The command ``demo``: run the plain example application, which is part of the package."""

from __future__ import annotations

from importlib import import_module

import click

STORAGES = ("swift", "s3", "local")


@click.command()
@click.option("--storage", type=click.Choice(STORAGES), help="Where to store files.  [swift if it can run]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0 picks a free one.  [8080 or the next free one]")
@click.option("--keep", type=click.Path(file_okay=False), help="Keep files and database in this directory.")
def demo(storage: str | None, port: int | None, keep: str | None) -> None:
    """Try uploads in a small application with log-in.

    The application runs on this machine with a private OpenStack Swift, or with a directory if Swift cannot run.
    All data is removed at the end, unless --keep is given. Press Ctrl-C to stop.
    """
    try:
        serve = import_module("direct_upload_middleware.demo.serve")
    except ImportError as error:
        hint = "The demo needs more packages: pip install 'direct-upload-middleware[demo]'"
        raise click.ClickException(f"{hint} ({error.name} is missing)") from error
    shelf = import_module("direct_upload_middleware.demo.plain.app")
    given = {"--storage": storage, "--port": port, "--keep": keep}
    arguments = [word for name, value in given.items() if value is not None for word in (name, str(value))]
    serve.main(shelf.make_app, arguments)
