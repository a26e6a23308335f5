"""``doctor``."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import asdict
from urllib.parse import urlsplit

import click
from rich.table import Table
from rich.text import Text

from ...errors import ConfigurationError, DirectUploadError
from ...storage.base import SEALS, Seal
from ...storage.s3.storage import S3Storage
from ...storage.swift.storage import SwiftStorage
from ..common import Duration, Header, Origin, PageUrl, console, is_s3, open_s3, open_swift, secrets, without_traceback
from .cluster import examine
from .page import examine_page
from .result import Result, failure
from .round_trip import REVOCATION_PATIENCE, RoundTrip
from .s3 import diagnose_s3

_MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "failure": ("✗", "red")}
_LONGEST_CHECK = len("conditional-complete")


@click.command()
@click.argument("storage")
@click.option("--origin", type=Origin(), help="The origin of your pages: https://app.example.com.  [that of --page]")
@click.option("--page", type=PageUrl(), help="The URL of a page that uploads, to be examined too.")
@click.option(
    "--header", "headers", multiple=True, type=Header(), help="To send to the page, such as 'Cookie: …'; repeatable."
)
@click.option("--seal", type=click.Choice(SEALS), default="revoke", help="As the middleware's option.  [revoke]")
@click.option("--patience", type=Duration(), default=REVOCATION_PATIENCE, help="For the end of a revoked key.  [90s]")
@click.option("--json", "as_json", is_flag=True, help="Results as JSON.")
@without_traceback
def doctor(
    storage: str,
    origin: str | None,
    page: str | None,
    headers: tuple[tuple[str, str], ...],
    seal: Seal,
    patience: int,
    as_json: bool,
) -> None:
    """Find out what is wrong with a storage, and how to mend it.

    It does what a browser and the middleware would do, in a container of its own, which it removes again. With
    DIRECT_UPLOAD_SECRET set it also tells whether the secret is the one that is in use.

    With --page it also reads a page of the application, begins an upload as the page would, and gives it up again.
    Where users log in, it needs the cookie of one: --header 'Cookie: session=…'.

    The exit status is 0 when nothing failed, 1 when something did; warnings do not count.
    """
    if page is None and origin is None:
        raise click.UsageError("Give the origin of your pages with --origin, or one of them with --page.")
    origin = origin or _origin(page or "")
    if is_s3(storage):
        results = diagnose_s3_and_page(open_s3(storage), origin, page, headers=dict(headers))
    else:
        swift = open_swift(storage, secret_needed=False)
        results = diagnose(swift, origin, page, headers=dict(headers), seal=seal, patience=patience)
    verdicts = _print_json(results) if as_json else _print(results)
    if verdicts["failure"]:
        raise click.exceptions.Exit(1)


def _origin(page: str) -> str:
    parts = urlsplit(page)
    return Origin().convert(f"{parts.scheme}://{parts.netloc}", None, None)


def diagnose(
    storage: SwiftStorage, origin: str, page: str | None, *, headers: Mapping[str, str], seal: Seal, patience: float
) -> Generator[Result, None, None]:
    """Everything, in order, as far as it goes."""
    admin = storage.admin()
    try:
        yield from examine(admin, origin, has_secret=bool(secrets()), seal=seal)
    except ConfigurationError:
        raise
    except DirectUploadError as error:
        yield failure("storage", str(error), "See the credentials, the endpoint, and what a firewall may forbid.")
        return
    try:
        yield from RoundTrip(admin, origin, seal=seal, patience=patience).results()
    except DirectUploadError as error:
        yield failure("round_trip", str(error), "See Swift's own log for the request that failed.")
    if page is not None:
        yield from examine_page(page, storage.browser_storage_origin() or "", headers)


def diagnose_s3_and_page(
    storage: S3Storage, origin: str, page: str | None, *, headers: Mapping[str, str]
) -> Generator[Result, None, None]:
    """The same for S3."""
    works = yield from diagnose_s3(storage, origin)
    if works and page is not None:
        yield from examine_page(page, storage.browser_storage_origin() or "", headers)


def _print_json(results: Generator[Result, None, None]) -> Counter[str]:
    with closing(results):  # an interrupt too has it clean up
        found = list(results)
    click.echo(json.dumps([asdict(result) for result in found], indent=2, ensure_ascii=False))
    return Counter(result.verdict for result in found)


def _print(results: Generator[Result, None, None]) -> Counter[str]:
    """Each as soon as it is there: how long a revoked key lives may take a minute to find out."""
    out, verdicts = console(), Counter[str]()
    with out.status("examining …"), closing(results):
        for result in results:
            verdicts[result.verdict] += 1
            out.print(_row(result))
    out.print(f"\n{verdicts['ok']} fine, {verdicts['warning']} to look at, {verdicts['failure']} wrong")
    return verdicts


def _row(result: Result) -> Table:
    mark, colour = _MARKS[result.verdict]
    detail = Text(result.detail)
    if result.remedy:
        detail.append(f"\n→ {result.remedy}", style="dim")
    row = Table.grid(padding=(0, 1))
    row.add_column(width=1)
    row.add_column(width=_LONGEST_CHECK, no_wrap=True)
    row.add_column(overflow="fold")
    row.add_row(Text(mark, style=colour), result.check, detail)
    return row
