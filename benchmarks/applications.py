"""The applications that are measured, for gunicorn: files straight into Swift, and files through the application.

All have their credentials from ``OS_*`` variables.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable
from typing import Any

import requests
from helpers.browsers.website import PAGE
from werkzeug.wrappers import Request

from direct_upload_middleware import DirectUploadMiddleware
from direct_upload_middleware.storage.swift.credentials import OpenStackAccess

Environ = dict[str, Any]
App = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


def page(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
    return [PAGE.encode()]


def direct(**options: Any) -> App:
    """The browser sends its files to Swift."""
    options = {"secret": os.environ["BENCHMARK_SECRET"], "identify": lambda environ: "ann", **options}
    return DirectUploadMiddleware(page, "swift://benchmark", inject=False, **options)


def in_s3(**options: Any) -> App:
    """The browser sends its files to S3, whose address and credentials are in ``AWS_*`` variables."""
    options = {"secret": os.environ["BENCHMARK_SECRET"], "identify": lambda environ: "ann", **options}
    return DirectUploadMiddleware(page, "s3://benchmark/uploads", inject=False, **options)


def told(**options: Any) -> App:
    """The application has to take every upload before it is complete."""
    return direct(on_complete=lambda environ, upload: {"row": upload.id}, **options)


def through() -> App:
    """The browser sends its files to the application, which sends them to Swift."""
    access = OpenStackAccess()
    container = f"benchmark-{secrets.token_hex(4)}"
    login = access.login()
    requests.put(f"{login.storage_url}/{container}", headers={"X-Auth-Token": login.token}, timeout=60)

    def app(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "POST":
            login = access.login()
            url = f"{login.storage_url}/{container}/{secrets.token_hex(16)}"
            stream = Request(environ).files["file"].stream
            answer = requests.put(url, data=stream, headers={"X-Auth-Token": login.token}, timeout=600)
            answer.raise_for_status()
        return page(environ, start_response)

    return app
