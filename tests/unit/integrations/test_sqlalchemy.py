"""A column that holds an upload."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from direct_upload_middleware import Upload
from direct_upload_middleware.integrations.sqlalchemy import UploadType


class Base(DeclarativeBase):
    pass


class Document(Base):
    __tablename__ = "documents"

    id: Mapped[str] = mapped_column(primary_key=True)
    upload: Mapped[Upload | None] = mapped_column(UploadType)


def test_an_upload_is_stored_and_read_back() -> None:
    when = datetime(2026, 1, 2, tzinfo=UTC)
    upload = Upload("1", "2", "uploads", "笑.txt", "text/plain", 5, "3", None, when)
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([Document(id="1", upload=upload), Document(id="2", upload=None)])
        session.commit()
        assert session.scalars(select(Document.upload).order_by(Document.id)).all() == [upload, None]
        assert session.scalar(select(Document.id).where(Document.upload.is_(None))) == "2"
    engine.dispose()
