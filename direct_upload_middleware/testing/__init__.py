"""For applications' own tests: upload a file with WebTest, and a real, private Swift."""

from .client import upload_file
from .swift_server import SwiftServer, SwiftUnavailable

__all__ = ["SwiftServer", "SwiftUnavailable", "upload_file"]
