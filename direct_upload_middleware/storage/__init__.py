"""Where uploads go: the protocol, and the storages that keep it."""

from .base import Storage
from .urls import storage_from_url

__all__ = ["Storage", "storage_from_url"]
