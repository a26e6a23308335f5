"""Helpers for applications' tests: upload files with a test client, and run a private OpenStack Swift."""

from .client import FAILURES, upload_file, upload_files
from .private_swift.server import SwiftServer, SwiftUnavailable

__all__ = ["FAILURES", "SwiftServer", "SwiftUnavailable", "upload_file", "upload_files"]
