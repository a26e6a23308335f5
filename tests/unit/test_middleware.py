"""What the middleware does for pages when storage is not there."""

from __future__ import annotations

import time
from typing import Any
from wsgiref.validate import validator

import pytest
from webtest import TestApp

from direct_upload_middleware import DirectUploadMiddleware, StorageUnavailable, middleware
from direct_upload_middleware.storage.swift import SwiftStorage

POLICY = "default-src 'self'"


def page(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/html"), ("Content-Security-Policy", POLICY)])
    return [b"<!doctype html><body><direct-upload></direct-upload></body>"]


class Identity:
    """An identity service that can be down; it counts who asks."""

    def __init__(self) -> None:
        self.asked = 0

    def login(self) -> Any:
        self.asked += 1
        raise StorageUnavailable

    def forget(self, token: str) -> None:
        raise AssertionError("there was no token")


def test_a_page_does_not_fail_with_the_storage_and_not_every_one_waits_for_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    identity = Identity()
    app = DirectUploadMiddleware(validator(page), SwiftStorage("uploads", access=identity), secret="s" * 16)
    browser = TestApp(validator(app))
    for _ in range(3):
        answer = browser.get("/")
        assert answer.headers["Content-Security-Policy"] == POLICY
        assert "direct-upload.js" in answer.text
    assert identity.asked == 1
    assert "Content-Security-Policy" in caplog.text
    monkeypatch.setattr(middleware, "time", Later())
    browser.get("/")
    assert identity.asked == 2


class Later:
    """The clock, when the pause is over."""

    @staticmethod
    def monotonic() -> float:
        return time.monotonic() + middleware.ORIGIN_RETRY_DELAY
