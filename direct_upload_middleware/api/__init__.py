"""The HTTP API under the mount."""

from .routes import Api

__all__ = ["Api"]
