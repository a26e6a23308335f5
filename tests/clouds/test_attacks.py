"""What the holder of a PUT temp URL tries to read: other uploads, other objects of the account. On every Swift."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from urllib.parse import quote, unquote, urlsplit

import pytest
import requests
from helpers.faults.changed_answers import meddling
from helpers.faults.no_container_keys import ProxiedAccess, drop_keys
from helpers.uploads import SEGMENT, BegunUpload, Site, assert_problem

from direct_upload_middleware.storage.swift import SwiftStorage
from direct_upload_middleware.testing.private_swift.server import SwiftServer

NEWEST = "newest"
SECRET = b"ann's own"  # of one segment
LONG_SECRET = b"what ann alone may read."  # of three segments
ELSEWHERE = "payroll"


def everything_quoted(path: str) -> str:
    return "".join(f"%{byte:02X}" for byte in path.encode())


SPELLINGS: dict[str, Callable[[str], Mapping[str, str]]] = {
    "plain": lambda source: {"X-Copy-From": source},
    "without a slash": lambda source: {"X-Copy-From": source.lstrip("/")},
    "in lower case": lambda source: {"x-copy-from": source},
    "quoted": lambda source: {"X-Copy-From": quote(source)},
    "everything quoted": lambda source: {"X-Copy-From": everything_quoted(source)},
    "quoted slashes": lambda source: {"X-Copy-From": source.replace("/", "%2F")},
    "with the account": lambda source: {"X-Copy-From": source, "X-Copy-From-Account": "AUTH_test"},
    "with fresh metadata": lambda source: {"X-Copy-From": source, "X-Fresh-Metadata": "true"},
    "with a range": lambda source: {"X-Copy-From": source, "Range": "bytes=0-"},
    "with a condition": lambda source: {"X-Copy-From": source, "If-Match": "*", "Copy-If-Match": "*"},
    "a manifest": lambda source: {"X-Object-Manifest": source.lstrip("/")},
    "a symlink": lambda source: {"X-Symlink-Target": source.lstrip("/"), "X-Symlink-Target-Account": "AUTH_test"},
}


PLACES = {
    "one segment": ("revoke", SEGMENT - 1),
    "several segments": ("revoke", 2 * SEGMENT + 1),
    "pinned segments": ("pin", 2 * SEGMENT + 1),
}
"""The seal and the size of an upload decide where it is sent."""


class Attacked:
    """ann's uploads, and what mallory's temp URLs have written, on one cluster and in the same containers."""

    def __init__(self, server: SwiftServer, storage: SwiftStorage) -> None:
        self._token = server.token()
        self.ann = {seal: Site(storage, user="ann", seal=seal) for seal in ("revoke", "pin")}
        self.mallory = {seal: Site(storage, user="mallory", seal=seal) for seal in ("revoke", "pin")}
        self.sources = [f"/{ELSEWHERE}/2026"]
        for seal, size in PLACES.values():
            data = SECRET if size < SEGMENT else LONG_SECRET
            self.send(self.ann[seal], data)
            assert self.send(self.ann[seal], data).complete().status_int == 200
        self.sources += [f"/{storage.container}/{name}" for name in self._names(server, storage.container)]

    def send(self, site: Site, data: bytes) -> BegunUpload:
        begun = site.begin(data)
        begun.send()
        self.sources.append(path_of(begun.urls[0]))
        return begun

    def _names(self, server: SwiftServer, container: str) -> list[str]:
        url = f"{server.storage_url}/{container}"
        return requests.get(url, headers={"X-Auth-Token": self._token}, timeout=30).text.splitlines()

    def begin(self, place: str) -> BegunUpload:
        """Begin an upload of mallory's."""
        seal, size = PLACES[place]
        return self.mallory[seal].begin(bytes(size))

    def content(self, begun: BegunUpload) -> bytes:
        """Return what is stored where a temp URL writes."""
        url = begun.urls[0].partition("?")[0]
        response = requests.get(url, headers={"X-Auth-Token": self._token}, timeout=30)
        return response.content if response.status_code == 200 else b""


def path_of(url: str) -> str:
    """Return ``/container/object`` of a temp URL."""
    return "/" + unquote(urlsplit(url).path).split("/", 3)[3]


@pytest.fixture(scope="session")
def attacked(server: SwiftServer, storage: SwiftStorage) -> Attacked:
    """What is attacked."""
    headers = {"X-Auth-Token": server.token()}
    requests.put(f"{server.storage_url}/{ELSEWHERE}", headers=headers, timeout=30)
    url = f"{server.storage_url}/{ELSEWHERE}/2026"
    assert requests.put(url, data=SECRET, headers=headers, timeout=30).status_code == 201
    return Attacked(server, storage)


def test_the_cluster_is_as_old_as_it_says(server: SwiftServer, storage: SwiftStorage, version: str) -> None:
    """Without this control, the attacks would prove nothing."""
    [info] = [requests.get(f"{server.url}/info", timeout=30).json()]
    assert version in (NEWEST, info["swift"]["version"])
    capabilities = storage._provisioning.cluster_info(storage._keys).capabilities
    assert capabilities.isolates_temp_urls is (version == NEWEST)
    assert capabilities.has_container_keys
    assert capabilities.refuses_taken_names
    assert capabilities.checks_manifests
    assert capabilities.honours_copy_conditions


EVERYWHERE = pytest.mark.parametrize("place", PLACES)


@EVERYWHERE
def test_a_temp_url_copies_nothing_of_others(attacked: Attacked, place: str) -> None:
    begun = attacked.begin(place)
    for spelling, headers in SPELLINGS.items():
        for source in attacked.sources:
            if begun.put(0, b"", headers(source)).status == 201:
                assert attacked.content(begun) == b"", (spelling, source)


@EVERYWHERE
def test_a_temp_url_cannot_copy_to_another_place(attacked: Attacked, place: str) -> None:
    """COPY with a stolen temp URL, to one's own place."""
    begun = attacked.begin(place)
    stolen = attacked.send(attacked.ann[PLACES[place][0]], SECRET)
    for destination in (path_of(begun.urls[0]), quote(path_of(begun.urls[0]), safe="")):
        for url in (stolen.urls[0], begun.urls[0]):
            headers = {"Destination": destination, "Destination-Account": "AUTH_test"}
            assert begun.site.fetch("COPY", url, b"", headers).status == 401
    assert attacked.content(begun) == b""


@EVERYWHERE
def test_a_manifest_of_others_segments_cannot_be_written(attacked: Attacked, place: str) -> None:
    """Swift drops the query of a temp URL's request: the manifest is stored as it was sent, and refers to nothing."""
    begun = attacked.begin(place)
    for source in attacked.sources:
        manifest = json.dumps([{"path": source}]).encode()
        begun.site.fetch("PUT", begun.urls[0] + "&multipart-manifest=put", manifest)
        assert attacked.content(begun) in (b"", manifest)


@EVERYWHERE
def test_the_owner_downloads_what_was_sent(attacked: Attacked, place: str) -> None:
    """The attacked cluster is one that works."""
    seal, size = PLACES[place]
    site, data = attacked.ann[seal], bytes(size)
    assert site.download(site.upload(data).json["download_url"]) == data


def test_pin_with_the_accounts_key_is_refused_where_temp_urls_copy(server: SwiftServer, version: str) -> None:
    """The account's key reaches every object of the account."""
    with meddling(server.url, drop_keys) as proxy:
        site = Site(SwiftStorage("without-keys", access=ProxiedAccess(server, proxy)), seal="pin")
        for size in (SEGMENT - 1, 2 * SEGMENT + 1):
            answer = site.request("POST", "/uploads", json={"filename": "a", "size": size, "type": ""})
            if version == NEWEST:
                assert answer.status_int == 201
            else:
                assert_problem(answer, 502, "storage-error")
                assert "temp-url-isolation" in answer.json["detail"]
