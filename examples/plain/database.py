"""The record of uploads: one SQLite table with a row for each upload."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import astuple, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from direct_upload_middleware import Upload

SCHEMA = """
CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    container TEXT NOT NULL,
    filename TEXT NOT NULL,
    type TEXT NOT NULL,
    size INTEGER NOT NULL,
    etag TEXT NOT NULL,
    owner TEXT NOT NULL,
    completed TEXT NOT NULL,
    title TEXT NOT NULL DEFAULT ''
)
"""


@dataclass(frozen=True)
class Item:
    """An upload and its title, which can be empty."""

    upload: Upload
    title: str


class Database:
    """The table. Each call opens its own connection, so it is thread-safe."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._transaction() as cursor:
            cursor.execute(SCHEMA)

    def add(self, upload: Upload) -> None:
        """Add a row for the upload, unless it exists."""
        *values, completed = astuple(upload)
        with self._transaction() as cursor:
            cursor.execute(
                "INSERT INTO uploads VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '') ON CONFLICT (id) DO NOTHING",
                (*values, completed.isoformat()),
            )

    def set_title(self, id: str, title: str) -> None:
        """Set the title. Do nothing if the upload was deleted."""
        with self._transaction() as cursor:
            cursor.execute("UPDATE uploads SET title = ? WHERE id = ?", (title, id))

    def items(self, owner: str) -> list[Item]:
        """Return all items of an owner, newest first."""
        with self._transaction() as cursor:
            rows = cursor.execute("SELECT * FROM uploads WHERE owner = ? ORDER BY completed DESC, rowid DESC", (owner,))
            return [_item(row) for row in rows]

    def find(self, id: str, *, owner: str) -> Item | None:
        """Return an item of the owner, or None."""
        with self._transaction() as cursor:
            row = cursor.execute("SELECT * FROM uploads WHERE id = ? AND owner = ?", (id, owner)).fetchone()
            return _item(row) if row else None

    def remove(self, id: str) -> None:
        with self._transaction() as cursor:
            cursor.execute("DELETE FROM uploads WHERE id = ?", (id,))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Cursor]:
        with closing(sqlite3.connect(self._path)) as connection, connection:
            connection.row_factory = sqlite3.Row
            yield connection.cursor()


def _item(row: sqlite3.Row) -> Item:
    values: dict[str, Any] = dict(row)
    title = values.pop("title")
    return Item(Upload(**values | {"completed": datetime.fromisoformat(values["completed"])}), title)
