"""Rackspace Cloud Files as a storage."""

from .storage import RackspaceStorage

__all__ = ["RackspaceStorage"]
