"""What the package imports, and when: a program that imports it starts quickly, and the first request is not slow."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOT_NEEDED = {
    *("asyncio", "brotli", "cgi", "concurrent", "configparser", "ctypes", "difflib", "email", "ftplib", "gzip"),
    *("http.client", "mimetypes", "multiprocessing", "requests", "socket", "sqlite3", "ssl", "subprocess", "tempfile"),
    *("unittest", "urllib.request", "webob", "xml", "zipfile", "openstack", "pure_magic_rs", "pyrax", "swiftclient"),
}


def modules_after(program: str) -> set[str]:
    """Return the names of the modules that are loaded after a program, with the packages that they are in."""
    program = f"import sys; before = set(sys.modules)\n{program}\nprint(*set(sys.modules) - before)"
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "error", "-W", "ignore:'cgi' is deprecated", "-c", program]
    done = subprocess.run(command, env=environ, capture_output=True, encoding="utf-8", check=True)
    return set(done.stdout.split())


def with_parents(names: set[str]) -> set[str]:
    return {".".join(name.split(".")[:length]) for name in names for length in range(1, name.count(".") + 2)}


@pytest.mark.parametrize(
    "program",
    [
        pytest.param("import direct_upload_middleware", id="the package"),
        pytest.param("from direct_upload_middleware import Refused, Upload", id="a name that workers need"),
        pytest.param("from direct_upload_middleware import DirectUploadMiddleware", id="the middleware"),
    ],
)
def test_an_import_loads_only_what_it_needs(program: str) -> None:
    assert with_parents(modules_after(program)) & NOT_NEEDED == set()


def test_the_package_loads_only_its_errors_and_models() -> None:
    loaded = modules_after("import direct_upload_middleware")
    assert {name for name in loaded if name.startswith("direct_upload_middleware.")} == {
        "direct_upload_middleware.errors",
        "direct_upload_middleware.models",
    }


def test_the_first_request_imports_nothing(tmp_path: Path) -> None:
    program = f"""
from wsgiref.util import setup_testing_defaults
from direct_upload_middleware import DirectUploadMiddleware
def page(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/html")])
    return [b'<input type="file" data-direct-upload>']
app = DirectUploadMiddleware(page, "local:{tmp_path}")
before = set(sys.modules)
for path in ("/", "/_upload/owner"):
    setup_testing_defaults(environ := {{"PATH_INFO": path, "REMOTE_USER": "ann"}})
    list(app(environ, lambda *start: None))
"""
    assert modules_after(program) == set()


def test_every_public_name_is_there() -> None:
    import direct_upload_middleware

    for name in direct_upload_middleware.__all__:
        assert getattr(direct_upload_middleware, name).__name__ == name
    with pytest.raises(AttributeError, match="'direct_upload_middleware' has no attribute 'Uploader'"):
        direct_upload_middleware.Uploader  # noqa: B018
