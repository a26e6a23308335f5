"""S3, and what speaks its protocol."""

from .storage import S3Storage

__all__ = ["S3Storage"]
