"""Requests to presigned URLs as a browser makes them: for probes and the doctor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...errors import StorageUnavailable
from ..redaction import signatures_kept_out_of_logs
from ..sending import SegmentReader

TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """Storage's answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def etag(self) -> str:
        """The unquoted value of the header ``ETag``."""
        return self.headers.get("etag", "").strip('"')


def fetch(
    method: str, url: str, body: bytes | SegmentReader | None = None, headers: Mapping[str, str] | None = None
) -> Answer:
    """Make one request without credentials. Raise StorageUnavailable when there is no answer."""
    import urllib3

    try:
        with signatures_kept_out_of_logs(), urllib3.PoolManager(num_pools=1, timeout=TIMEOUT, retries=False) as pool:
            response = pool.request(method, url, body=body, headers=dict(headers or {}), redirect=False)
            return Answer(response.status, {k.lower(): v for k, v in response.headers.items()}, response.data)
    except urllib3.exceptions.HTTPError as error:
        raise StorageUnavailable from error
