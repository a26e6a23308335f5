"""A browser of the doctor's, as far as an upload has to do with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests

from ...errors import StorageUnavailable
from ...origins import normalize_origin

TIMEOUT = 30
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class HttpClient:
    """Whoever has the page open. Each request is on a connection of its own, so that any process may answer it.

    :param page: the page's URL.
    :param headers: what is sent along, such as the cookie of somebody who is logged in.
    """

    def __init__(self, page: str, headers: Mapping[str, str]) -> None:
        self.page = page
        self._headers = dict(headers)

    @property
    def origin(self) -> str:
        """The page's origin, as the Origin header has it."""
        parts = urlsplit(self.page)
        return normalize_origin(f"{parts.scheme}://{parts.netloc}") or ""

    @property
    def is_https(self) -> bool:
        return urlsplit(self.page).scheme == "https"

    @property
    def is_local(self) -> bool:
        """Whether browsers trust the page's host though it has no certificate."""
        return urlsplit(self.page).hostname in LOOPBACK

    def get(self, url: str, *, follow: bool = False) -> requests.Response:
        """Any resource."""
        return self._request("GET", url, {}, allow_redirects=follow)

    def call(
        self,
        method: str,
        url: str,
        *,
        json: Any = None,
        cookie: str | None = None,
        fetch_metadata: bool = True,
        **headers: str,
    ) -> requests.Response:
        """A call of the upload API, as the page's script makes it.

        :param cookie: our own, beside those that were given.
        :param fetch_metadata: whether the browser sends ``Sec-Fetch-Site``, which old ones do not, nor any of a page
            that is under http.
        """
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if method != "GET":
            sent["Origin"] = self.origin
        if fetch_metadata and (self.is_https or self.is_local):
            sent["Sec-Fetch-Site"] = "same-origin"
        if cookie is not None:
            sent["Cookie"] = "; ".join(filter(None, (self._headers.get("Cookie"), cookie)))
        return self._request(method, url, sent, json=json, allow_redirects=False)

    def _request(self, method: str, url: str, headers: Mapping[str, str], **options: Any) -> requests.Response:
        try:
            return requests.request(method, url, headers={**self._headers, **headers}, timeout=TIMEOUT, **options)
        except requests.RequestException as error:
            raise StorageUnavailable(f"{url} cannot be had: {type(error).__name__}") from error
