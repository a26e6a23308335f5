"""``doctor``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict

import click
from rich.table import Table
from rich.text import Text

from ..errors import ConfigurationError, DirectUploadError
from ..storage.swift import SwiftStorage
from .common import Duration, Origin, console, open_swift, secrets, told_without_traceback
from .examine import examine
from .findings import Result, failure
from .page import examine_page
from .trial import REVOCATION_PATIENCE, Trial

_MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "failure": ("✗", "red")}


@click.command()
@click.argument("storage")
@click.option("--origin", type=Origin(), required=True, help="The origin of your pages: https://app.example.com.")
@click.option("--page", help="The URL of a page that uploads, to be examined too.")
@click.option("--json", "as_json", is_flag=True, help="Results as JSON.")
@click.option("--patience", type=Duration(), default=REVOCATION_PATIENCE, help="For the end of a revoked key.  [90s]")
@told_without_traceback
def doctor(storage: str, origin: str, page: str | None, as_json: bool, patience: int) -> None:
    """Find out what is wrong with a storage, and how to mend it.

    It does what a browser and the middleware would do, in a container of its own, which it removes again. With
    DIRECT_UPLOAD_SECRET set it also tells whether the secret is the one that is in use. The exit status is 0 when
    nothing failed, 1 when something did; warnings do not count.
    """
    swift = open_swift(storage, secret_needed=False)
    results = list(diagnose(swift, origin, page, patience))
    if as_json:
        click.echo(json.dumps([asdict(result) for result in results], indent=2))
    else:
        _print(results)
    if any(result.verdict == "failure" for result in results):
        raise click.exceptions.Exit(1)


def diagnose(storage: SwiftStorage, origin: str, page: str | None, patience: float) -> Iterator[Result]:
    """Everything, in order, as far as it goes."""
    admin = storage.admin()
    try:
        yield from examine(admin, origin, has_secret=bool(secrets()))
    except ConfigurationError:
        raise
    except DirectUploadError as error:
        yield failure("storage", str(error), "See the credentials, the endpoint, and what a firewall may forbid.")
        return
    try:
        yield from Trial(admin, origin, admin.digest(), patience).results()
    except DirectUploadError as error:
        yield failure("trial", str(error), "See Swift's own log for the request that failed.")
    if page is not None:
        yield from examine_page(page, storage.page_origin() or "")


def _print(results: list[Result]) -> None:
    table = Table(box=None, show_header=False, padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for result in results:
        mark, colour = _MARKS[result.verdict]
        detail = Text(result.detail)
        if result.remedy:
            detail.append(f"\n→ {result.remedy}", style="dim")
        table.add_row(Text(mark, style=colour), result.check, detail)
    out = console()
    out.print(table)
    counted = {verdict: sum(r.verdict == verdict for r in results) for verdict in _MARKS}
    out.print(f"{counted['ok']} fine, {counted['warning']} to look at, {counted['failure']} wrong")
