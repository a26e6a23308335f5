"""``rotate-key``: change the temp URL keys while uploads and downloads go on."""

from __future__ import annotations

import click

from .common import Duration, console, is_s3, open_swift, without_traceback


@click.command("rotate-key")
@click.argument("storage")
@click.option("--finish", is_flag=True, help="Take the old keys away.")
@click.option("--after", type=Duration(), default="1d", help="With --finish: how long URLs may live.  [1d]")
@click.option("--settle", type=Duration(), default="60s", help="How long Swift's proxies remember keys.  [60s]")
@without_traceback
def rotate_key(storage: str, finish: bool, after: int, settle: int) -> None:
    """Change the temp URL keys while uploads and downloads go on.

    First without options: new keys come in beside the old, and both are valid. Then, when the last URL that an old key
    has signed has expired, with --finish.

    To change the secret: run this with the new secret added at the end of DIRECT_UPLOAD_SECRET, restart the
    application with the same list, and, a ticket_ttl later, run it with --finish and take the old secret off the list.
    """
    if is_s3(storage):
        click.echo(
            "There is nothing to rotate: presigned URLs are signed with the credentials. To change those, give the "
            "application the new access key, and delete the old one when the last URL has expired (url_ttl)."
        )
        return
    admin = open_swift(storage).admin()
    out = console()
    for done in admin.finish_rotation(after=after) if finish else admin.rotate(settle=settle):
        out.print(f"[cyan]+[/] {done}")
    if not finish:
        out.print(f"When the longest URL has expired: direct-upload rotate-key '{storage}' --finish", soft_wrap=True)
