"""OpenStack Swift as a storage."""

from .storage import SwiftStorage

__all__ = ["SwiftStorage"]
