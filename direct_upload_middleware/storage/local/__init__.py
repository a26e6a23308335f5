"""The embedded storage: a directory on this machine."""

from .storage import LocalStorage

__all__ = ["LocalStorage"]
