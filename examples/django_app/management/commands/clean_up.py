"""``manage.py clean_up``: delete what was never sent, or was deleted from the shelf, a day ago."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from ...models import clean_up


class Command(BaseCommand):
    """Run it once a day."""

    help = "Delete what was never sent, or was deleted from the shelf, a day ago."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command. Called by Django."""
        self.stdout.write(f"Deleted files: {clean_up()}")
