"""Amazon S3 and servers that speak its protocol."""

from .storage import S3Storage

__all__ = ["S3Storage"]
