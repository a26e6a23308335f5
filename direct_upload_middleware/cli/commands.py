"""``setup``, ``sweep`` and ``rotate-key``."""

from __future__ import annotations

from collections import Counter

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from ..storage.sweep import Finding, Sweepable
from .common import (
    Duration,
    Origin,
    age_text,
    bytes_text,
    console,
    open_storage,
    open_swift,
    told_without_traceback,
)

_A_DAY = 86400


@click.command()
@click.argument("storage")
@click.option("--origin", "origins", multiple=True, type=Origin(), help="An origin whose pages upload; repeatable.")
@click.option("--seal", type=click.Choice(["revoke", "pin"]), default="revoke", help="As the middleware's option.")
@click.option("--quota", type=click.IntRange(min=1), help="Bytes that the container of finished uploads may hold.")
@click.option("--dry-run", is_flag=True, help="Tell what is there and what is missing; change nothing.")
@told_without_traceback
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


@click.command()
@click.argument("storage")
@click.option("--older-than", type=Duration(), required=True, help="Untouched for so long: 12h, 2d, 1w.")
@click.option("--dry-run", is_flag=True, help="List what would be removed; remove nothing.")
@click.option("--quiet", is_flag=True, help="Tell only of what went wrong.")
@told_without_traceback
def sweep(storage: str, older_than: int, dry_run: bool, quiet: bool) -> None:
    """Remove what uploads that were given up have left behind.

    Nothing that belongs to a finished upload is touched. Choose a time above the middleware's ticket_ttl, a day by
    default: what is younger may belong to an upload that is still under way. It may run on several machines at once,
    from cron, and be interrupted at any time.
    """
    swept = open_storage(storage, secret_needed=False)
    if not isinstance(swept, Sweepable):
        raise click.UsageError("This storage cannot be swept.")
    if older_than < _A_DAY and not quiet:
        click.echo("Note: tickets are good for a day by default; uploads under way may be older than this.", err=True)
    found: list[Finding] = []
    with _progress(quiet) as progress:
        task = progress.add_task("looking", total=None)
        findings = swept.sweep(
            older_than=older_than,
            dry_run=dry_run,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
        for finding in findings:
            found.append(finding)
            progress.update(task, description=f"{len(found)} found")
            if finding.error or not quiet:
                progress.console.print(_finding_text(finding), markup=False, highlight=False, soft_wrap=True)
    if not quiet:
        _print_sum(found, dry_run)
    if any(finding.error for finding in found):
        raise click.exceptions.Exit(1)


def _progress(quiet: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    out = console()
    return Progress(*columns, console=out, transient=True, disable=quiet or not out.is_terminal)


def _finding_text(finding: Finding) -> str:
    what = f"{finding.kind:<10} {finding.name}  {bytes_text(finding.size)}, {age_text(finding.age)} old"
    return f"{what}: {finding.error}" if finding.error else what


def _print_sum(found: list[Finding], dry_run: bool) -> None:
    counted = Counter(finding.kind for finding in found if finding.removed or dry_run)
    size = sum(finding.size for finding in found if finding.removed or dry_run)
    parts = ", ".join(f"{number} {kind}" for kind, number in sorted(counted.items())) or "nothing"
    click.echo(f"{'Would remove' if dry_run else 'Removed'} {parts} ({bytes_text(size)}).")


@click.command("rotate-key")
@click.argument("storage")
@click.option("--finish", is_flag=True, help="Take the old keys away.")
@click.option("--after", type=Duration(), default="1d", help="With --finish: how long URLs may live.  [1d]")
@click.option("--settle", type=Duration(), default="60s", help="How long Swift's proxies remember keys.  [60s]")
@told_without_traceback
def rotate_key(storage: str, finish: bool, after: int, settle: int) -> None:
    """Change the temp URL keys while uploads and downloads go on.

    First without options: new keys come in beside the old, and both are valid. Then, when the last URL that an old key
    has signed has expired, with --finish.

    To change the secret: run this with the new secret added at the end of DIRECT_UPLOAD_SECRET, restart the
    application with the same list, and, a ticket_ttl later, run it with --finish and take the old secret off the list.
    """
    admin = open_swift(storage).admin()
    out = console()
    for done in admin.finish_rotation(after=after) if finish else admin.rotate(settle=settle):
        out.print(f"[cyan]+[/] {done}")
    if not finish:
        out.print(f"When the longest URL has expired: direct-upload rotate-key '{storage}' --finish", soft_wrap=True)
