"""For applications' own tests: upload a file with WebTest, and a real, private Swift or S3 server."""

from .client import FAILURES, upload_file, upload_files
from .private_s3.server import S3Server, S3Unavailable
from .private_swift.server import SwiftServer, SwiftUnavailable

__all__ = ["FAILURES", "S3Server", "S3Unavailable", "SwiftServer", "SwiftUnavailable", "upload_file", "upload_files"]
