"""The command itself: options, order of the checks, output."""

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

EXAMPLE = "Example: direct-upload doctor swift://uploads --origin https://app.example.com"


@click.command(epilog=EXAMPLE)
@click.argument("storage")
@click.option("--origin", type=Origin(), help="Origin of your pages: https://app.example.com.  [the origin of --page]")
@click.option("--page", type=PageUrl(), help="URL of a page with an upload field, to examine as well.")
@click.option(
    "--header", "headers", multiple=True, type=Header(), help="Header for the page, such as 'Cookie: …'; repeatable."
)
@click.option(
    "--seal", type=click.Choice(SEALS), default="revoke", help="The middleware's option of that name.  [revoke]"
)
@click.option(
    "--patience", type=Duration(), default=REVOCATION_PATIENCE, help="How long to wait for a revoked key to end.  [90s]"
)
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
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
    """Find out what is wrong with a storage, and how to fix it.

    The doctor does what a browser and the middleware do, in a temporary container. If DIRECT_UPLOAD_SECRET is set, it
    also checks that this is the secret in use.

    With --page it also reads a page of the application, begins an upload like the page's script, and aborts it. If
    users have to log in, give it the cookie of one: --header 'Cookie: session=…'.

    The exit status is 1 if a check failed, otherwise 0; warnings do not count.
    """
    if page is None and origin is None:
        raise click.UsageError("Give the origin of your pages with --origin, or the URL of a page with --page.")
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
    """Run all checks in order; stop after the first ones if the storage cannot be reached."""
    admin = storage.admin()
    try:
        yield from examine(admin, origin, has_secret=bool(secrets()), seal=seal)
    except ConfigurationError:
        raise
    except DirectUploadError as error:
        yield failure("storage", str(error), "Check the credentials, the endpoint, and the firewall.")
        return
    try:
        yield from RoundTrip(admin, origin, seal=seal, patience=patience).results()
    except DirectUploadError as error:
        yield failure("round_trip", str(error), "Look up the failed request in Swift's own log.")
    if page is not None:
        yield from examine_page(page, storage.browser_storage_origin() or "", headers)


def diagnose_s3_and_page(
    storage: S3Storage, origin: str, page: str | None, *, headers: Mapping[str, str]
) -> Generator[Result, None, None]:
    """Diagnose an S3 storage."""
    works = yield from diagnose_s3(storage, origin)
    if works and page is not None:
        yield from examine_page(page, storage.browser_storage_origin() or "", headers)


def _print_json(results: Generator[Result, None, None]) -> Counter[str]:
    with closing(results):  # cleans up after an interrupt, too
        found = list(results)
    click.echo(json.dumps([asdict(result) for result in found], indent=2, ensure_ascii=False))
    return Counter(result.verdict for result in found)


def _print(results: Generator[Result, None, None]) -> Counter[str]:
    """Print each result as soon as it is known: waiting for the end of a revoked key may take a minute."""
    out, verdicts = console(), Counter[str]()
    with out.status("examining …"), closing(results):
        for result in results:
            verdicts[result.verdict] += 1
            out.print(_row(result))
    warnings = f"{verdicts['warning']} warning{'' if verdicts['warning'] == 1 else 's'}"
    out.print(f"\n{verdicts['ok']} passed, {warnings}, {verdicts['failure']} failed")
    return verdicts


def _row(result: Result) -> Table:
    mark, colour = _MARKS[result.verdict]
    detail = Text(result.detail)
    if result.remedy:
        detail.append(f"\n→ {result.remedy}")
    row = Table.grid(padding=(0, 1))
    row.add_column(width=1)
    row.add_column(width=_LONGEST_CHECK, no_wrap=True)
    row.add_column(overflow="fold", ratio=1)
    row.add_row(Text(mark, style=colour), result.check, detail)
    return row
