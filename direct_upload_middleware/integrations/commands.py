"""The command ``direct-upload`` inside a framework's own command, with the storage and the secret of its settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

COMMANDS = ("setup", "doctor", "sweep", "rotate-key")


class CommandFailed(Exception):
    """The command cannot run, or has failed; ``status`` is the exit status."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


def run_command(program: str, command: str, options: Mapping[str, Any], arguments: Sequence[str]) -> None:
    """Run one of :data:`COMMANDS`. Raise CommandFailed.

    :param program: the name in help texts: ``flask direct-upload``.
    :param options: the middleware's options.
    :param arguments: what follows the command, without the storage.
    """
    try:
        import click

        from ..cli import main
        from ..cli.common import using_secrets
    except (ImportError, SystemExit) as error:
        raise CommandFailed("This needs more packages: pip install 'direct-upload-middleware[cli]'") from error
    storage = options.get("storage") or "local:"
    if not isinstance(storage, str):
        raise CommandFailed("The option 'storage' must be a URL for this command.")
    secret = options.get("secret") or ()
    rest = [argument for argument in arguments if argument != "--"]
    with using_secrets([secret] if isinstance(secret, str) else list(secret)):
        try:
            status = main.main([command, storage, *rest], program, standalone_mode=False)
        except click.ClickException as error:
            raise CommandFailed(error.format_message()) from error
    if status:
        raise CommandFailed("The command failed.", status)
