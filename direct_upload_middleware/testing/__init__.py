"""Helpers for applications' tests: upload files with a test client, and run a private OpenStack Swift."""

from .adapters import UploadFailed
from .client import FAILURES, DownloadedFile, download_file, upload_file, upload_files
from .private_swift.server import SwiftServer, SwiftUnavailable

__all__ = [
    "FAILURES",
    "DownloadedFile",
    "SwiftServer",
    "SwiftUnavailable",
    "UploadFailed",
    "download_file",
    "upload_file",
    "upload_files",
]
