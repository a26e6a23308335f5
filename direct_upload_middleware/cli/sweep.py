"""The command ``sweep``: remove what abandoned uploads have left behind."""

from __future__ import annotations

from collections import Counter

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from ..storage.sweeping import Finding, Sweepable
from .common import Duration, age_text, bytes_text, console, open_storage, without_traceback

_A_DAY = 86400

EXAMPLE = "Example: direct-upload sweep swift://uploads --older-than 2d"


@click.command(epilog=EXAMPLE)
@click.argument("storage")
@click.option("--older-than", type=Duration(), required=True, help="Not touched for this long: 12h, 2d, 1w.")
@click.option("--dry-run", is_flag=True, help="Only list what would be removed.")
@click.option("--quiet", is_flag=True, help="Only print errors.")
@without_traceback
def sweep(storage: str, older_than: int, dry_run: bool, quiet: bool) -> None:
    """Remove what abandoned uploads have left behind.

    Finished uploads are never touched. Choose a duration longer than the middleware's ticket_ttl (1 day by default):
    anything younger may belong to an upload in progress. The command may run from cron, on several machines at once,
    and may be interrupted at any time.
    """
    swept = open_storage(storage, secret_needed=False)
    if not isinstance(swept, Sweepable):
        raise click.UsageError("This storage cannot be swept.")
    if older_than < _A_DAY and not quiet:
        click.echo(
            "Note: tickets are valid for 1 day by default; uploads in progress may be older than this.", err=True
        )
    found: list[Finding] = []
    with _progress(quiet) as progress:
        task = progress.add_task("searching", total=None)
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
        _print_total(found, dry_run)
    if any(finding.error for finding in found):
        raise click.exceptions.Exit(1)


def _progress(quiet: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    out = console()
    return Progress(*columns, console=out, transient=True, disable=quiet or not out.is_terminal)


def _finding_text(finding: Finding) -> str:
    what = f"{finding.kind:<10} {finding.name}  {bytes_text(finding.size)}, {age_text(finding.age)} old"
    return f"{what}: {finding.error}" if finding.error else what


def _print_total(found: list[Finding], dry_run: bool) -> None:
    counts = Counter(finding.kind for finding in found if finding.removed or dry_run)
    size = sum(finding.size for finding in found if finding.removed or dry_run)
    parts = ", ".join(f"{number} {kind}" for kind, number in sorted(counts.items())) or "nothing"
    click.echo(f"{'Would remove' if dry_run else 'Removed'} {parts} ({bytes_text(size)}).")
