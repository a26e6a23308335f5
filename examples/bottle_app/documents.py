"""The record of uploads: one SQLite table with a row for each upload."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from direct_upload_middleware import Upload, UploadStore

SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, upload TEXT NOT NULL, title TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL DEFAULT 'pending',  -- then 'saved', perhaps 'deleted'
    changed REAL NOT NULL DEFAULT (julianday())
)
"""


@dataclass(frozen=True)
class Document:
    """An upload and its title, which can be empty."""

    upload: Upload
    title: str


class Documents:
    """The table. Each call opens its own connection, so it is thread-safe."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._execute(SCHEMA)

    def record(self, upload: Upload) -> None:
        """Add a pending row for a new upload. This can be called more than once."""
        values = upload.id, upload.owner, json.dumps(upload.to_dict())
        self._execute("INSERT INTO documents (id, owner, upload) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", *values)

    def forget(self, upload: Upload) -> bool:
        """Delete the row, and return True, if the upload is still pending."""
        self._execute("DELETE FROM documents WHERE id = ? AND state = 'pending'", upload.id)
        return not self._execute("SELECT id FROM documents WHERE id = ?", upload.id)

    def save(self, ids: Iterable[str], title: str) -> None:
        """Put uploads on the shelf: their form was sent."""
        values = "title = ?, state = 'saved', changed = julianday()"
        for id in ids:
            self._execute(f"UPDATE documents SET {values} WHERE id = ? AND state != 'deleted'", title, id)  # noqa: S608  ours

    def set_state(self, id: str, state: str) -> None:
        self._execute("UPDATE documents SET state = ?, changed = julianday() WHERE id = ?", state, id)

    def of(self, owner: str) -> list[Document]:
        """Return the documents on the shelf of an owner, the newest first."""
        return self._select("owner = ? AND state = 'saved' ORDER BY changed DESC, rowid DESC", owner)

    def find(self, id: str, owner: str, state: str = "saved") -> Document | None:
        """Return a document of the owner in this state, or None."""
        return next(iter(self._select("id = ? AND owner = ? AND state = ?", id, owner, state)), None)

    def clean_up(self, store: UploadStore, age: timedelta) -> int:
        """Delete what was pending or deleted for this long. A row is deleted only if its file was."""
        unwanted = "state != 'saved' AND changed <= julianday() - ?"
        days = age / timedelta(days=1)
        found = self._select(unwanted, days)
        for document in found:
            delete = f"DELETE FROM documents WHERE id = ? AND {unwanted} RETURNING id"  # noqa: S608  ours
            with self._transaction() as connection:
                if connection.execute(delete, (document.upload.id, days)).fetchall():
                    store.delete(document.upload)
        return len(found)

    def _select(self, where: str, *values: object) -> list[Document]:
        rows = self._execute(f"SELECT upload, title FROM documents WHERE {where}", *values)  # noqa: S608  ours
        return [Document(Upload.from_dict(json.loads(upload)), title) for upload, title in rows]

    def _execute(self, statement: str, *values: object) -> list[tuple[str, ...]]:
        with self._transaction() as connection:
            return connection.execute(statement, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path)) as connection, connection:
            yield connection
