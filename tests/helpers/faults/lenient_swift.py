"""Quirks of lenient clusters, each a change of what passes between everybody and the real Swift (changed_answers)."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from helpers.faults.changed_answers import Exchange, Meddle


def has(exchange: Exchange, name: str) -> bool:
    return any(header.lower() == name for header in exchange.headers)


def takes_taken_names(exchange: Exchange) -> None:
    """``If-None-Match`` is ignored on PUT, as by Ceph's Swift API."""
    if not exchange.status and exchange.method == "PUT":
        exchange.drop("If-None-Match")


def checks_no_manifests(exchange: Exchange) -> None:
    """The ETags of a manifest are not compared, as by Ceph's Swift API."""
    if not exchange.status and exchange.method == "PUT" and "multipart-manifest=put" in exchange.url:
        lines = [{name: line[name] for name in line if name != "etag"} for line in json.loads(exchange.body)]
        exchange.body = json.dumps(lines).encode()
        exchange.drop("Content-Length")


def ignores_copy_conditions(exchange: Exchange) -> None:
    """Copies are made whatever ``If-Match`` says."""
    if not exchange.status and has(exchange, "x-copy-from"):
        exchange.drop("If-Match", "Copy-If-Match")


def hides_info(exchange: Exchange) -> None:
    """``/info`` is not for everybody."""
    if not exchange.status and exchange.path.endswith("/info"):
        exchange.status, exchange.headers, exchange.body = 403, {}, b""


def says_nothing_of_temp_urls(exchange: Exchange) -> None:
    """``/info`` answers, and is silent about temp URLs."""
    if exchange.status == 200 and exchange.path.endswith("/info"):
        exchange.body = b'{"swift": {}}'


def is_listing(exchange: Exchange, container: str | None = None) -> bool:
    parts = urlsplit(exchange.url)
    path = parts.path.split("/")
    return (
        exchange.method == "GET"
        and "json" in parse_qs(parts.query).get("format", ())
        and (container is None or path[4:] == [container])
    )


class StaleListings:
    """Listings of these containers do not show any object: the worst that a replica that missed writes can do."""

    def __init__(self, *containers: str) -> None:
        self._containers = containers

    def __call__(self, exchange: Exchange) -> None:
        if exchange.status == 200 and any(is_listing(exchange, container) for container in self._containers):
            exchange.body = b"[]"


def forgets(*names: str, times: int) -> Meddle:
    """The first answers to HEAD are without these headers, as a replica's that missed a POST."""
    left = [times]

    def meddle(exchange: Exchange) -> None:
        if exchange.status and exchange.method == "HEAD" and left[0] and any(has(exchange, name) for name in names):
            left[0] -= 1
            exchange.drop(*names)

    return meddle


def keeps_containers(exchange: Exchange) -> None:
    """No container can be deleted: one of its replicas still lists what is deleted."""
    if not exchange.status and exchange.method == "DELETE" and exchange.path.strip("/").count("/") == 2:
        exchange.status, exchange.headers, exchange.body = 409, {}, b""


Change = Callable[[Exchange], None]


def html_page(exchange: Exchange) -> None:
    """A proxy answers itself, with a status that looks fine."""
    exchange.status, exchange.headers, exchange.body = 200, {"Content-Type": "text/html"}, b"<html>Please wait</html>"


def cut_body(exchange: Exchange) -> None:
    """The connection ended early, and a proxy mended the length."""
    exchange.body = exchange.body[: len(exchange.body) // 2] or b"["


def other_json(exchange: Exchange) -> None:
    """JSON of another shape."""
    exchange.body = b'[{"nothing": 1}, 2]'


def no_headers(exchange: Exchange) -> None:
    """A proxy drops what it does not know."""
    kept = {"content-length", "content-type", "date"}
    exchange.headers = {name: value for name, value in exchange.headers.items() if name.lower() in kept}


class SpoiltAnswer:
    """Change the answer to the request of this number, of those with a token, from 0 on."""

    def __init__(self, number: int, change: Change) -> None:
        self.count = 0
        self._number = number
        self._change = change
        self._lock = threading.Lock()
        self._thread = threading.local()

    def __call__(self, exchange: Exchange) -> None:
        if exchange.status:
            if getattr(self._thread, "is_spoilt", False):
                self._change(exchange)
            return
        self._thread.is_spoilt = False
        if has(exchange, "x-auth-token"):
            with self._lock:
                self._thread.is_spoilt = self.count == self._number
                self.count += 1
