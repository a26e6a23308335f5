"""The command ``setup``: create what a storage needs before its first use."""

from __future__ import annotations

import click
from rich.console import Console

from .common import Origin, console, open_swift, without_traceback


@click.command()
@click.argument("storage")
@click.option("--origin", "origins", multiple=True, type=Origin(), help="Allow uploads from this origin; repeatable.")
@click.option(
    "--seal", type=click.Choice(["revoke", "pin"]), default="revoke", help="The middleware's option of that name."
)
@click.option("--quota", type=click.IntRange(min=1), help="Limit the container of finished uploads to this many bytes.")
@click.option("--dry-run", is_flag=True, help="Only show what exists and what is missing.")
@without_traceback
def setup(storage: str, origins: tuple[str, ...], seal: str, quota: int | None, dry_run: bool) -> None:
    """Create containers, CORS headers and temp URL keys.

    You may run it again at any time. It is optional: the first upload does the same.
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
            "This cluster has no container temp URL keys, which seal='revoke' needs. Use seal='pin' instead."
        )
    out.print("[yellow]![/] this cluster has no container temp URL keys: uploads are signed with the account's key")
