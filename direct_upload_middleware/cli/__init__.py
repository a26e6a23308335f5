"""The command ``direct-upload``: set up, examine and clean a storage, and try the demo."""

from __future__ import annotations

import sys

try:
    import click
    import requests  # noqa: F401  the extra installs all three
    import rich  # noqa: F401
except ImportError as error:
    sys.exit(f"direct-upload needs {error.name}: pip install 'direct-upload-middleware[cli]'")

from .demo import demo
from .doctor.command import doctor
from .rotate_key import rotate_key
from .setup import setup
from .sweep import sweep


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--debug", is_flag=True, help="Show tracebacks and the log.")
@click.version_option(package_name="direct-upload-middleware")
@click.pass_context
def main(context: click.Context, debug: bool) -> None:
    """Try direct uploads, and set up, examine and clean their storage.

    STORAGE is the middleware's storage URL: swift://CONTAINER?cloud=NAME, rackspace://CONTAINER?region=ORD or
    local:PATH. Credentials are found in the same places as by the middleware. The environment variable
    DIRECT_UPLOAD_SECRET holds its secret; separate several secrets with spaces, oldest first.
    """
    context.obj = debug


for command in (demo, setup, doctor, sweep, rotate_key):
    main.add_command(command)
