"""Names of the headers that Swift and this package give a meaning. Each is defined here only."""

from __future__ import annotations

CONTAINER_KEYS = ("X-Container-Meta-Temp-Url-Key", "X-Container-Meta-Temp-Url-Key-2")
ACCOUNT_KEYS = ("X-Account-Meta-Temp-Url-Key", "X-Account-Meta-Temp-Url-Key-2")
ORIGIN_HEADER = "X-Container-Meta-Access-Control-Allow-Origin"
EXPOSE_HEADER = "X-Container-Meta-Access-Control-Expose-Headers"
MAX_AGE_HEADER = "X-Container-Meta-Access-Control-Max-Age"
QUOTA = "X-Container-Meta-Quota-Bytes"

META = "X-Object-Meta-Direct-Upload-"
"""The prefix of our metadata of a finished object."""
NAME = "X-Container-Meta-Direct-Upload-Name-"
"""The prefix of the pieces of the final object's name, in the metadata of a segment container."""
GENERATION = "X-Container-Meta-Direct-Upload-Generation"

ROTATING = "X-Account-Meta-Direct-Upload-Rotating"
"""Says that the second key is to become the first, once all proxies know it."""
ROTATED = "X-Account-Meta-Direct-Upload-Rotated"

NEWEST = {"X-Newest": "true"}
"""Asks Swift for the newest of all replicas: a stale one proves nothing."""
