"""For applications' own tests: upload a file with WebTest, and a real, private Swift."""

from .client import FAILURES, upload_file, upload_files
from .private_swift.server import SwiftServer, SwiftUnavailable

__all__ = ["FAILURES", "SwiftServer", "SwiftUnavailable", "upload_file", "upload_files"]
