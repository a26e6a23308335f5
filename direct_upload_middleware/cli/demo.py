"""``demo``: the example application of the checkout, which the package brings along."""

from __future__ import annotations

from importlib import import_module

import click

STORAGES = ("swift", "s3", "local")


@click.command()
@click.option("--storage", type=click.Choice(STORAGES), help="Where files go.  [swift, where it can run]")
@click.option("--port", type=click.IntRange(0, 65535), help="Of this machine; 0 for any.  [8080, or the next free one]")
@click.option("--keep", type=click.Path(file_okay=False), help="Keep files and database in this directory.")
def demo(storage: str | None, port: int | None, keep: str | None) -> None:
    """Try uploads in a small application with log-in.

    It runs on this machine, with an OpenStack Swift of its own or, where that cannot run, a directory. What it makes
    is temporary, unless --keep is given. Ctrl-C stops it.
    """
    try:
        serve = import_module("direct_upload_middleware.demo.serve")
    except ImportError as error:
        hint = "The demonstration needs more: pip install 'direct-upload-middleware[demo]'"
        raise click.ClickException(f"{hint} ({error.name} is missing)") from error
    shelf = import_module("direct_upload_middleware.demo.plain.app")
    given = {"--storage": storage, "--port": port, "--keep": keep}
    arguments = [word for name, value in given.items() if value is not None for word in (name, str(value))]
    serve.main(shelf.make_app, arguments)
