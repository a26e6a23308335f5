"""The storage protocol, and the storages that implement it."""

from .base import Storage
from .urls import storage_from_url

__all__ = ["Storage", "storage_from_url"]
