"""``manage.py direct_upload``: the command ``direct-upload`` with the storage and the secret of the settings."""

from __future__ import annotations

from argparse import REMAINDER
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from .....errors import ConfigurationError
from ...configuration import configured

COMMANDS = ("setup", "doctor", "sweep", "rotate-key")


class Command(BaseCommand):
    """Runs one of the commands of ``direct-upload``."""

    help = (
        "Set up, examine and clean the storage of DIRECT_UPLOAD: manage.py direct_upload sweep --older-than 2d. "
        "The options are those of the command direct-upload: manage.py direct_upload sweep -- --help."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments. Called by Django."""
        parser.add_argument("command", choices=COMMANDS)
        parser.add_argument("options", nargs=REMAINDER, help="options of the command, such as --older-than 2d")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command. Called by Django."""
        try:
            import click

            from .....cli import main
            from .....cli.common import using_secrets
        except (ImportError, SystemExit) as error:
            raise CommandError("This needs more packages: pip install 'direct-upload-middleware[cli]'") from error
        try:
            given = configured()
        except ConfigurationError as error:
            raise CommandError(str(error)) from error
        storage = given.get("storage") or "local:"
        if not isinstance(storage, str):
            raise CommandError("DIRECT_UPLOAD: 'storage' must be a URL for this command.")
        secret = given["secret"]
        rest = [word for word in options["options"] if word != "--"]
        arguments = [options["command"], storage, *rest]
        with using_secrets([secret] if isinstance(secret, str) else list(secret)):
            try:
                status = main.main(arguments, "direct_upload", standalone_mode=False)
            except click.ClickException as error:
                raise CommandError(error.format_message()) from error
        if status:
            raise CommandError("The command failed.", returncode=status)
