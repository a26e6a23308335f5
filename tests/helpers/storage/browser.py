"""A browser's requests to a storage, over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import requests


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class Browser:
    """Sends requests as they are. It follows nothing and decodes nothing."""

    def request(self, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        sent = {"Accept-Encoding": "identity", **(headers or {})}
        response = requests.request(method, url, data=body, headers=sent, allow_redirects=False, timeout=60)
        return Answer(response.status_code, response.headers, response.content)
