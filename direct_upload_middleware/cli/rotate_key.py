"""The command ``rotate-key``: replace temp URL keys without interrupting uploads and downloads."""

from __future__ import annotations

import click

from .common import Duration, console, is_s3, open_swift, without_traceback

EXAMPLE = "Example: direct-upload rotate-key swift://uploads"


@click.command("rotate-key", short_help="Replace the temp URL keys while uploads go on.", epilog=EXAMPLE)
@click.argument("storage")
@click.option("--finish", is_flag=True, help="Remove the old keys.")
@click.option("--after", type=Duration(), default="1d", help="With --finish: how long URLs are valid.  [1d]")
@click.option("--settle", type=Duration(), default="60s", help="How long Swift's proxies cache keys.  [60s]")
@without_traceback
def rotate_key(storage: str, finish: bool, after: int, settle: int) -> None:
    """Replace the temp URL keys without interrupting uploads and downloads.

    First run it without options: it adds new keys, and both old and new ones are valid. Run it again with --finish
    when the last URL signed with an old key has expired.

    To change the secret: add the new secret at the end of DIRECT_UPLOAD_SECRET, run this command, and restart the
    application with the same list. After ticket_ttl seconds, run it with --finish and remove the old secret from the
    list.
    """
    if is_s3(storage):
        click.echo(
            "There is nothing to rotate: presigned URLs are signed with the credentials. To change those, give the "
            "application the new access key, and delete the old one when the last URL has expired (url_ttl)."
        )
        return
    admin = open_swift(storage).admin()
    out = console()
    for step in admin.finish_rotation(after=after) if finish else admin.rotate(settle=settle):
        out.print(f"[cyan]+[/] {step}")
    if not finish:
        out.print("When all URLs signed with the old keys have expired, run:")
        out.print(f"  direct-upload rotate-key '{storage}' --finish", soft_wrap=True)
