"""``manage.py direct_upload``: the command ``direct-upload`` with the storage and the secret of the settings."""

from __future__ import annotations

from argparse import REMAINDER
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from .....errors import ConfigurationError
from ....commands import COMMANDS, CommandFailed, run_command
from ...configuration import configured


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
            given = configured()
        except ConfigurationError as error:
            raise CommandError(str(error)) from error
        try:
            run_command("manage.py direct_upload", options["command"], given, options["options"])
        except CommandFailed as error:
            raise CommandError(str(error), returncode=error.status) from error
