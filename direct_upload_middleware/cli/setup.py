"""``setup``: make what a storage needs before its first use."""

from __future__ import annotations

import click
from rich.console import Console

from .common import Origin, console, open_swift, without_traceback


@click.command()
@click.argument("storage")
@click.option("--origin", "origins", multiple=True, type=Origin(), help="An origin whose pages upload; repeatable.")
@click.option("--seal", type=click.Choice(["revoke", "pin"]), default="revoke", help="As the middleware's option.")
@click.option("--quota", type=click.IntRange(min=1), help="Bytes that the container of finished uploads may hold.")
@click.option("--dry-run", is_flag=True, help="Tell what is there and what is missing; change nothing.")
@without_traceback
def setup(storage: str, origins: tuple[str, ...], seal: str, quota: int | None, dry_run: bool) -> None:
    """Make containers, CORS and keys before their first use.

    It may be repeated, and is never required: the first upload does the same.
    """
    out, admin = console(), open_swift(storage).admin()
    for step in admin.setup(origins, seal=seal, quota=quota):
        if step.do is None:
            out.print(f"[green]✓[/] {step.what}")
        elif dry_run:
            out.print(f"[yellow]•[/] would {step.what}")
        else:
            step.do()
            out.print(f"[cyan]+[/] {step.what}: done")
    if not dry_run and not admin.has_container_keys(seal=seal):
        _print_without_keys(out, seal)


def _print_without_keys(out: Console, seal: str) -> None:
    if seal != "pin":
        raise click.ClickException(
            "Containers have no temp URL keys here, and seal='revoke' needs them: see seal='pin'."
        )
    out.print("[yellow]![/] containers have no temp URL keys here: uploads are signed with the account's key")
