"""The signature of a request to a presigned URL of the local storage, and how it is verified."""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Iterable, Iterator
from ipaddress import ip_address, ip_network
from urllib.parse import parse_qs

from webob import Request

from .. import temp_urls


class TempUrl:
    """The signature of a request, and the other parameters of its query."""

    def __init__(self, request: Request, path: str) -> None:
        text = request.environ.get("QUERY_STRING", "").encode("latin-1", "replace").decode("utf-8", "replace")
        query = {name: values[0] for name, values in parse_qs(text, keep_blank_values=True).items()}
        expires = query.get("temp_url_expires", "")
        self.filename = query.get("filename")
        self.inline = "inline" in query
        self.expires = int(expires) if re.fullmatch("[0-9]{1,12}", expires) else 0
        self._signature = query.get("temp_url_sig", "").encode()
        self._ip_range = query.get("temp_url_ip_range")
        size = query.get("size", "")
        self.size = int(size) if re.fullmatch("[0-9]{1,12}", size) else 0
        self._path = path
        self._method = request.method
        self._address = request.environ.get("REMOTE_ADDR", "")

    def is_valid(self, keys: Iterable[str]) -> bool:
        """Return whether the signature is valid for one of ``keys``, not expired, and used from its address."""
        is_signed = any(hmac.compare_digest(valid, self._signature) for valid in self._valid_signatures(keys))
        return is_signed and self.expires >= time.time() and self._is_from_its_address()

    def _valid_signatures(self, keys: Iterable[str]) -> Iterator[bytes]:
        methods = ("HEAD", "GET", "PUT") if self._method == "HEAD" else (self._method,)
        for key in keys:
            for method in methods:
                yield temp_urls.sign(key, method, self._path, self.expires, ip_range=self._ip_range).encode()

    def _is_from_its_address(self) -> bool:
        if not self._ip_range:
            return True
        try:
            return ip_address(self._address) in ip_network(self._ip_range)
        except ValueError:
            return False
