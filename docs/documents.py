"""The application's record of uploads, in SQLite."""

import json
import sqlite3
from contextlib import closing, contextmanager

from direct_upload_middleware import Refused, Upload, UploadStore


@contextmanager
def transaction():
    with closing(sqlite3.connect("documents.sqlite3")) as connection, connection:
        yield connection


def execute(sql, *values):
    with transaction() as connection:
        return connection.execute(sql, values).fetchall()


execute(
    "CREATE TABLE IF NOT EXISTS documents (id TEXT PRIMARY KEY, owner TEXT, upload TEXT NOT NULL, "
    "pending INTEGER DEFAULT 1, created TEXT DEFAULT CURRENT_TIMESTAMP)"
)


def record(environ, upload):
    """A file is uploaded, but its form is not sent yet. This is called at least once for each upload."""
    values = upload.id, upload.owner, json.dumps(upload.to_dict())
    execute("INSERT INTO documents (id, owner, upload) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", *values)


def forget(environ, upload):
    """The user removed the file from the field. It is deleted after this, unless its form was sent."""
    execute("DELETE FROM documents WHERE id = ? AND pending", upload.id)
    if execute("SELECT id FROM documents WHERE id = ?", upload.id):
        raise Refused("This file was saved.")


def save(uploads):
    """The form was sent: the files are the user's now."""
    for upload in uploads:
        execute("UPDATE documents SET pending = 0 WHERE id = ?", upload.id)


def uploads_of(owner):
    """Return the user's uploads, the latest first."""
    rows = execute("SELECT upload FROM documents WHERE owner IS ? AND NOT pending ORDER BY created DESC", owner)
    return [Upload.from_dict(json.loads(text)) for (text,) in rows]


def find(owner, id):
    """Return an upload of the user, or None."""
    return next((upload for upload in uploads_of(owner) if upload.id == id), None)


def delete_abandoned(store):
    """Delete the files whose form was not sent within a day. A row is deleted only if its file was."""
    for (id,) in execute("SELECT id FROM documents WHERE pending AND created < datetime('now', '-1 day')"):
        with transaction() as connection:
            rows = connection.execute("DELETE FROM documents WHERE id = ? AND pending RETURNING upload", [id])
            for (text,) in rows.fetchall():
                store.delete(Upload.from_dict(json.loads(text)))


if __name__ == "__main__":  # python documents.py, once a day
    delete_abandoned(UploadStore())  # the same storage URL and secret as for the middleware
