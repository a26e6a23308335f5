"""The record of uploads, and the users."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from flask_login import UserMixin
from sqlalchemy import BigInteger, create_engine, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

from direct_upload_middleware import Upload


class Base(DeclarativeBase):
    """The base of all tables."""


class Document(Base):
    """A completed upload. The ID of the upload is the primary key, so recording it twice does no harm."""

    __tablename__ = "documents"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    container: Mapped[str]
    filename: Mapped[str]
    type: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    etag: Mapped[str]
    owner: Mapped[str] = mapped_column(index=True)
    completed: Mapped[datetime]
    title: Mapped[str] = mapped_column(default="")

    @property
    def upload(self) -> Upload:
        """Return the upload for ``download_url()`` and ``delete()``."""
        values = {column: getattr(self, column) for column in Upload.__dataclass_fields__}
        return Upload(**values | {"completed": self.completed.replace(tzinfo=UTC)})


class Documents:
    """The table."""

    def __init__(self, path: Path) -> None:
        engine = create_engine(f"sqlite:///{path}")
        Base.metadata.create_all(engine)
        self.session: sessionmaker[Session] = sessionmaker(engine, expire_on_commit=False)

    def record(self, upload: Upload) -> None:
        """Add a row for the upload, unless it exists."""
        with self.session.begin() as session:
            session.execute(insert(Document).values(**asdict(upload), title="").on_conflict_do_nothing())

    def of(self, owner: str) -> list[Document]:
        """Return all documents of an owner, newest first."""
        with self.session() as session:
            return list(session.scalars(select(Document).filter_by(owner=owner).order_by(Document.completed.desc())))

    def find(self, id: str, owner: str) -> Document | None:
        """Return a document of the owner, or None."""
        with self.session() as session:
            return session.scalar(select(Document).filter_by(id=id, owner=owner))

    def set_title(self, id: str, title: str) -> None:
        with self.session.begin() as session:
            if document := session.get(Document, id):
                document.title = title

    def remove(self, document: Document) -> None:
        with self.session.begin() as session:
            session.delete(document)


#: Shown on the login page. A real application stores slow hashes of passwords and limits login attempts.
PASSWORDS = {"alice": "wonderland", "bob": "builder"}


class User(UserMixin):  # type: ignore[misc]  # Flask-Login has no types
    """A user who can log in."""

    def __init__(self, name: str) -> None:
        self.id = name
