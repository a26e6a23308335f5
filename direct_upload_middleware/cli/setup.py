"""The command ``setup``: create what a storage needs before its first use."""

from __future__ import annotations

from collections.abc import Iterable

import click
from rich.console import Console

from ..storage.s3.admin import S3Admin
from ..storage.s3.admin import Step as S3Step
from ..storage.swift.admin import Step as SwiftStep
from ..storage.swift.admin import SwiftAdmin
from .common import Origin, console, is_s3, open_s3, open_swift, without_traceback

EXAMPLE = "Example: direct-upload setup swift://uploads --origin https://app.example.com"


@click.command(epilog=EXAMPLE)
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

    You may run it again at any time. With Swift it is optional: the first upload does the same. With S3 it makes the
    bucket, its CORS rule and a lifecycle rule for abandoned uploads, and prints the least IAM policy.
    """
    out = console()
    if is_s3(storage):
        _setup_s3(out, open_s3(storage).admin(), origins, seal=seal, quota=quota, dry_run=dry_run)
        return
    admin = open_swift(storage).admin()
    _carry_out(out, admin.setup(origins, seal=seal, quota=quota), dry_run=dry_run)
    if not dry_run:
        _report_capabilities(out, admin, seal)


def _carry_out(out: Console, steps: Iterable[SwiftStep | S3Step], *, dry_run: bool) -> None:
    for step in steps:
        if step.do is None:
            out.print(f"[green]✓[/] {step.what}")
        elif dry_run:
            out.print(f"[yellow]•[/] to do: {step.what}")
        else:
            step.do()
            out.print(f"[cyan]+[/] done: {step.what}")


def _setup_s3(
    out: Console, admin: S3Admin, origins: tuple[str, ...], *, seal: str, quota: int | None, dry_run: bool
) -> None:
    if seal != "revoke" or quota is not None:
        raise click.UsageError("S3 has neither seal='pin' nor quotas: leave --seal and --quota out.")
    _carry_out(out, admin.setup(origins), dry_run=dry_run)
    out.print("\nThe least IAM policy for the application's credentials:\n")
    click.echo(admin.policy())


def _report_capabilities(out: Console, admin: SwiftAdmin, seal: str) -> None:
    """Print what the cluster lacks; raise ClickException when the middleware refuses it."""
    missing = admin.missing(seal=seal)
    for capability in missing:
        out.print(f"[yellow]![/] {capability.name}: {capability.missing}", markup=True, highlight=False)
        out.print(f"  {capability.remedy}", markup=False, highlight=False)
    required = {"temp-urls", "if-none-match", "copy-conditions"} | ({"container-keys"} if seal == "revoke" else set())
    names = {capability.name for capability in missing}
    if "container-keys" in names:
        required.add("temp-url-isolation")  # the account's key signs uploads there
    if refused := sorted(names & required):
        raise click.ClickException(f"The middleware refuses uploads on this cluster: it lacks {', '.join(refused)}.")
