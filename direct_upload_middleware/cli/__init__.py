"""``direct-upload``: what an operator does with a storage."""

from __future__ import annotations

import sys

try:
    import click
    import rich  # noqa: F401  both are what the extra brings
except ImportError:  # pragma: no cover
    sys.exit("direct-upload needs click and rich: pip install 'direct-upload-middleware[cli]'")

from .demo import demo
from .doctor.command import doctor
from .rotate_key import rotate_key
from .setup import setup
from .sweep import sweep


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--debug", is_flag=True, help="Show tracebacks, and what is logged.")
@click.version_option(package_name="direct-upload-middleware")
@click.pass_context
def main(context: click.Context, debug: bool) -> None:
    """Try direct uploads, and set up, examine and clean their storage.

    STORAGE is the URL that the middleware is given: swift://CONTAINER?cloud=NAME, rackspace://CONTAINER?region=ORD,
    local:PATH. Credentials come from where the middleware takes them. Its secret comes from the variable
    DIRECT_UPLOAD_SECRET; several are separated by commas, the oldest first.
    """
    context.obj = debug


for command in (demo, setup, doctor, sweep, rotate_key):
    main.add_command(command)
