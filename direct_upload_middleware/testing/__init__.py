"""Helpers for applications' tests: upload files with a test client, and run a private OpenStack Swift or S3 server."""

from .adapters import UploadFailed
from .client import FAILURES, DownloadedFile, download_file, upload_file, upload_files
from .private_s3.server import S3Server, S3Unavailable
from .private_swift.server import SwiftServer, SwiftUnavailable

__all__ = [
    "FAILURES",
    "DownloadedFile",
    "S3Server",
    "S3Unavailable",
    "SwiftServer",
    "SwiftUnavailable",
    "UploadFailed",
    "download_file",
    "upload_file",
    "upload_files",
]
