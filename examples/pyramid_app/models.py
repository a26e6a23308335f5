"""The record of uploads."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import create_engine, delete, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

from direct_upload_middleware import Upload, UploadStore
from direct_upload_middleware.integrations.sqlalchemy import UploadType


def utc_now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)  # as SQLite stores it


class Base(DeclarativeBase):
    """The base of all tables."""


class Document(Base):
    """An upload on its way to the shelf, on it, or in the bin. The ID of the upload is the primary key."""

    __tablename__ = "documents"

    id: Mapped[str] = mapped_column(primary_key=True)
    upload: Mapped[Upload] = mapped_column(UploadType)
    owner: Mapped[str] = mapped_column(index=True)
    title: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default="pending")  # then "saved", perhaps "deleted"
    changed: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)


class Documents:
    """The table."""

    def __init__(self, path: Path) -> None:
        engine = create_engine(f"sqlite:///{path}")
        Base.metadata.create_all(engine)
        self.session: sessionmaker[Session] = sessionmaker(engine, expire_on_commit=False)

    def record(self, upload: Upload) -> None:
        """Add a pending row for a new upload. This can be called more than once."""
        row = insert(Document).values(id=upload.id, upload=upload, owner=upload.owner)
        with self.session.begin() as session:
            session.execute(row.on_conflict_do_nothing())

    def forget(self, upload: Upload) -> bool:
        """Delete the row, and return True, if the upload is still pending."""
        with self.session.begin() as session:
            session.execute(delete(Document).filter_by(id=upload.id, state="pending"))
            return session.get(Document, upload.id) is None

    def save(self, ids: Iterable[str], title: str) -> None:
        """Put uploads on the shelf: their form was sent."""
        sent = update(Document).filter(Document.id.in_(ids), Document.state != "deleted")
        with self.session.begin() as session:
            session.execute(sent.values(title=title, state="saved"))

    def of(self, owner: str) -> list[Document]:
        """Return the documents on the shelf of an owner, the newest first."""
        found = select(Document).filter_by(owner=owner, state="saved").order_by(Document.changed.desc(), Document.id)
        with self.session() as session:
            return list(session.scalars(found))

    def find(self, id: str, owner: str, state: str = "saved") -> Document | None:
        """Return a document of the owner in this state, or None."""
        with self.session() as session:
            return session.scalar(select(Document).filter_by(id=id, owner=owner, state=state))

    def set_state(self, document: Document, state: str) -> None:
        with self.session.begin() as session:
            session.execute(update(Document).filter_by(id=document.id).values(state=state))

    def clean_up(self, store: UploadStore, age: timedelta) -> int:
        """Delete what was pending or deleted for this long. A row is deleted only if its file was."""
        unwanted = select(Document).filter(Document.state != "saved", Document.changed < utc_now() - age)
        with self.session() as session:
            found = list(session.scalars(unwanted))
        for document in found:
            row = delete(Document).filter_by(id=document.id, state=document.state)
            with self.session.begin() as session:
                if session.execute(row.returning(Document.id)).all():
                    store.delete(document.upload)
        return len(found)
