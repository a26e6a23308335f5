"""SQLAlchemy: a column type for an :class:`~direct_upload_middleware.Upload`.

::

    class Document(Base):
        __tablename__ = "documents"
        id: Mapped[str] = mapped_column(primary_key=True)      # upload.id
        upload: Mapped[Upload] = mapped_column(UploadType)

The column holds JSON with all fields of the upload.
"""

from __future__ import annotations

from typing import Any

from ..models import Upload
from .common import framework

with framework("SQLAlchemy", "sqlalchemy"):
    from sqlalchemy import JSON
    from sqlalchemy.types import TypeDecorator

__all__ = ["UploadType"]


class UploadType(TypeDecorator[Upload]):
    """A column whose value is an upload, or None."""

    impl = JSON(none_as_null=True)
    cache_ok = True

    def process_bind_param(self, value: Upload | None, dialect: Any) -> dict[str, Any] | None:
        """Return what the database stores. Called by SQLAlchemy."""
        return None if value is None else value.to_dict()

    def process_result_value(self, value: Any, dialect: Any) -> Upload | None:
        """Return the upload of a row. Called by SQLAlchemy."""
        return None if value is None else Upload.from_dict(value)
