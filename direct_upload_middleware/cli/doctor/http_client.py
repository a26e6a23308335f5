"""An HTTP client that sends what a browser sends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from ...errors import StorageUnavailable
from ...origins import normalize_origin

TIMEOUT = 30
MAX_REDIRECTS = 10
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class HttpClient:
    """A browser with one page open. Each request uses a new connection, so that any process may answer it.

    :param page: the page's URL.
    :param headers: headers to add to each request to the page's origin, such as the cookie of a logged-in user. No
        other host receives these credentials.
    """

    def __init__(self, page: str, headers: Mapping[str, str]) -> None:
        self.page = page
        self._headers = dict(headers)

    @property
    def origin(self) -> str:
        """The page's origin, as in the Origin header."""
        parts = urlsplit(self.page)
        return normalize_origin(f"{parts.scheme}://{parts.netloc}") or ""

    @property
    def is_https(self) -> bool:
        """True if the page's URL is https."""
        return urlsplit(self.page).scheme == "https"

    @property
    def is_local(self) -> bool:
        """True if browsers trust the page's host without a certificate."""
        return urlsplit(self.page).hostname in LOOPBACK

    def get(self, url: str, *, follow: bool = False) -> requests.Response:
        """Get any resource."""
        return self._request("GET", url, {}, follow=follow)

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
        """Call the upload API like the page's script.

        :param cookie: a cookie to send in addition to those given at construction.
        :param fetch_metadata: send ``Sec-Fetch-Site``, which old browsers do not send, nor any browser on http pages.
        """
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if method != "GET":
            sent["Origin"] = self.origin
        if fetch_metadata and (self.is_https or self.is_local):
            sent["Sec-Fetch-Site"] = "same-origin"
        if cookie is not None:
            sent["Cookie"] = "; ".join(filter(None, (self.headers_for(url).get("Cookie"), cookie)))
        return self._request(method, url, sent, json=json)

    def headers_for(self, url: str) -> dict[str, str]:
        """Return the headers given at construction for a URL of the page's own origin, and none for any other."""
        parts = urlsplit(url)
        return self._headers if normalize_origin(f"{parts.scheme}://{parts.netloc}") == self.origin else {}

    def _request(
        self, method: str, url: str, headers: Mapping[str, str], *, follow: bool = False, **options: Any
    ) -> requests.Response:
        response = self._send(method, url, headers, **options)
        passed: list[requests.Response] = []
        while follow and response.is_redirect and len(passed) < MAX_REDIRECTS:
            passed.append(response)
            response = self._send(method, urljoin(response.url, response.headers["Location"]), headers, **options)
        response.history = passed
        return response

    def _send(self, method: str, url: str, headers: Mapping[str, str], **options: Any) -> requests.Response:
        sent = {**self.headers_for(url), **headers}
        try:
            return requests.request(method, url, headers=sent, timeout=TIMEOUT, allow_redirects=False, **options)
        except requests.RequestException as error:
            raise StorageUnavailable(f"{url} cannot be reached: {type(error).__name__}") from error
