"""Uppy's own plugin, as our server sees it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from webtest import TestApp, TestResponse

from helpers.uploads import Answered, Site, md5

PART = 10
CALLS = ("sign", "list", "complete", "abort")
FILE = {"filename": "holiday.mp4", "type": "video/mp4", "metadata": {"name": "holiday.mp4", "type": "video/mp4"}}


class Multipart:
    """One upload, as the plugin carries it out."""

    def __init__(self, site: Site, data: bytes, browser: TestApp | None = None) -> None:
        self.site = site
        self.browser = browser or site.browser
        self.pieces = [data[i : i + PART] for i in range(0, len(data), PART)]
        self.answer = site.request("POST", "/s3/multipart", json=FILE, browser=self.browser)
        assert self.answer.status_int == 200, self.answer.text
        self.id: str = self.answer.json["uploadId"]
        self.key: str = self.answer.json["key"]

    def request(self, method: str, below: str = "", json: Any = None, **changes: Any) -> TestResponse:
        key = changes.pop("key", self.key)
        query = "?" + urlencode({"key": key}) if key is not None else ""
        path = f"/s3/multipart/{changes.pop('id', self.id)}{below}{query}"
        return self.site.request(method, path, json=json, **{"browser": self.browser, **changes})

    @property
    def parts(self) -> list[dict[str, Any]]:
        return [{"PartNumber": number, "ETag": f'"{md5(piece)}"'} for number, piece in enumerate(self.pieces, 1)]

    def call(self, name: str, **changes: Any) -> TestResponse:
        """One of :data:`CALLS`."""
        method, below, json = {
            "sign": ("GET", "/1", None),
            "list": ("GET", "", None),
            "complete": ("POST", "/complete", {"parts": self.parts}),
            "abort": ("DELETE", "", None),
        }[name]
        return self.request(method, below, json, **changes)

    def put(self, number: int, piece: bytes) -> Answered:
        signed = self.request("GET", f"/{number}")
        assert signed.status_int == 200, signed.text
        return self.site.fetch("PUT", signed.json["url"], piece)

    def send(self) -> None:
        for number, piece in enumerate(self.pieces, 1):
            answered = self.put(number, piece)
            assert (answered.status, answered.headers["ETag"].strip('"')) == (201, md5(piece))

    def complete(self, parts: Any = None) -> TestResponse:
        return self.request("POST", "/complete", {"parts": self.parts if parts is None else parts})
