"""The command ``doctor``: examine a storage, and a page that uploads to it."""

from .command import doctor

__all__ = ["doctor"]
