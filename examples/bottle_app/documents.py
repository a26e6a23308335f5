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
CREATE TABLE IF NOT EXISTS documents (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, container TEXT NOT NULL, filename TEXT NOT NULL, type TEXT NOT NULL,
    size INTEGER NOT NULL, etag TEXT NOT NULL, owner TEXT NOT NULL, completed TEXT NOT NULL, title TEXT NOT NULL
)
"""


@dataclass(frozen=True)
class Document:
    """An upload and its title, which can be empty."""

    upload: Upload
    title: str

    @property
    def readable_size(self) -> str:
        """Format the size like the script does: 1 kB is 1000 bytes."""
        power = min(4, (len(str(self.upload.size)) - 1) // 3)
        return f"{self.upload.size / 1000**power:.{min(1, power)}f} {('bytes', 'kB', 'MB', 'GB', 'TB')[power]}"


class Documents:
    """The table. Each call opens its own connection, so it is thread-safe."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._transaction() as connection:
            connection.execute(SCHEMA)

    def record(self, upload: Upload) -> None:
        """Add a row for the upload, unless it exists."""
        values = [*astuple(upload)[:-1], upload.completed.isoformat(), ""]
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", values
            )

    def of(self, owner: str) -> list[Document]:
        """Return all documents of an owner, newest first."""
        return self._select("owner = ? ORDER BY completed DESC, rowid DESC", owner)

    def find(self, id: str, owner: str) -> Document | None:
        """Return a document of the owner, or None."""
        return next(iter(self._select("id = ? AND owner = ?", id, owner)), None)

    def set_title(self, id: str, title: str) -> None:
        with self._transaction() as connection:
            connection.execute("UPDATE documents SET title = ? WHERE id = ?", (title, id))

    def remove(self, id: str) -> None:
        with self._transaction() as connection:
            connection.execute("DELETE FROM documents WHERE id = ?", (id,))

    def _select(self, where: str, *values: str) -> list[Document]:
        with self._transaction() as connection:
            return [_document(row) for row in connection.execute(f"SELECT * FROM documents WHERE {where}", values)]  # noqa: S608  ours

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path)) as connection, connection:
            connection.row_factory = sqlite3.Row
            yield connection


def _document(row: sqlite3.Row) -> Document:
    values: dict[str, Any] = dict(row)
    title = values.pop("title")
    return Document(Upload(**values | {"completed": datetime.fromisoformat(values["completed"])}), title)
