"""Clusters that do less than Swift: the real Swift behind a gate. Each is refused at begin, or survived."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from helpers.doctor_runs import diagnose, run
from helpers.faults import lenient_swift as quirks
from helpers.faults.changed_answers import Exchange, Meddle, meddling
from helpers.faults.no_container_keys import drop_keys, storage_behind
from helpers.uploads import EMPTY, ONE, SEVERAL, BegunUpload, Site, assert_problem, new_container, swift_storage

from direct_upload_middleware.storage.swift import SwiftStorage
from direct_upload_middleware.storage.swift.headers import ACCOUNT_KEYS
from direct_upload_middleware.testing.private_swift.server import SwiftServer

ORIGIN = "https://app.example.com"


class Gate:
    """What passes between everybody and Swift is changed while ``meddle`` is set."""

    def __init__(self) -> None:
        self.meddle: Meddle | None = None

    def __call__(self, exchange: Exchange) -> None:
        if self.meddle is not None:
            self.meddle(exchange)

    @contextmanager
    def set(self, meddle: Meddle) -> Iterator[None]:
        self.meddle = meddle
        try:
            yield
        finally:
            self.meddle = None


@pytest.fixture(scope="module")
def gate() -> Gate:
    return Gate()


@pytest.fixture(scope="module")
def storage(swift_server: SwiftServer, gate: Gate) -> Iterator[SwiftStorage]:
    """A storage that was probed while the gate was open."""
    with storage_behind(swift_server, gate, new_container()) as storage:
        Site(storage).upload(ONE)
        Site(storage, seal="pin").upload(SEVERAL)
        yield storage


def names(server: SwiftServer, *path: str) -> list[str]:
    url = "/".join((server.storage_url, *path))
    return requests.get(url, headers={"X-Auth-Token": server.token()}, timeout=30).text.splitlines()


# -- refused when an upload begins ------------------------------------------------------------------------------------

REFUSED = [
    pytest.param(quirks.takes_taken_names, "if-none-match", (EMPTY, ONE, SEVERAL), id="names that are taken"),
    pytest.param(quirks.ignores_copy_conditions, "copy-conditions", (EMPTY, ONE, SEVERAL), id="conditions of copies"),
    pytest.param(quirks.checks_no_manifests, "slo-etags", (SEVERAL,), id="ETags of manifests"),
    pytest.param(drop_keys, "container-keys", (EMPTY, ONE, SEVERAL), id="keys of containers"),
]


@pytest.mark.parametrize(("quirk", "name", "refused"), REFUSED)
def test_a_missing_capability_is_named_when_an_upload_begins_and_in_the_log(
    swift_server: SwiftServer, caplog: pytest.LogCaptureFixture, quirk: Meddle, name: str, refused: tuple[bytes, ...]
) -> None:
    with storage_behind(swift_server, quirk, new_container()) as storage, caplog.at_level(logging.WARNING):
        site = Site(storage)
        for data in (EMPTY, ONE, SEVERAL):
            answer = site.request("POST", "/uploads", json={"filename": "a", "size": len(data), "type": ""})
            if data in refused:
                assert_problem(answer, 502, "storage-error")
                assert f"capability {name}" in answer.json["detail"]
                assert "\n" not in answer.json["detail"]
            else:
                assert answer.status_int == 201
        assert [True for record in caplog.records if f"lacks the capability {name}" in record.getMessage()]
        assert not [found for found in names(swift_server) if "_trial_" in found], "probes leave nothing behind"


@pytest.mark.parametrize(("quirk", "name", "refused"), REFUSED)
def test_setup_and_doctor_name_what_a_cluster_lacks(
    swift_server: SwiftServer,
    swift_environ: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    quirk: Meddle,
    name: str,
    refused: tuple[bytes, ...],
) -> None:
    with meddling(swift_server.url, quirk) as proxy:
        monkeypatch.setenv("OS_AUTH_URL", f"{proxy}/auth/v1.0")
        url = f"swift://{new_container()}"
        result = run("setup", url, "--origin", ORIGIN)
        assert name in result.output
        assert result.exit_code == (1 if ONE in refused else 0)
        status, worst = diagnose(url)
        assert (status, worst[name]["verdict"]) == (1, "failure")
        assert worst[name]["remedy"]


# -- survived --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hide", [quirks.hides_info, quirks.says_nothing_of_temp_urls])
@pytest.mark.parametrize(("allowed", "bits"), [("sha1 sha256", 256), ("sha1 sha512", 512), ("sha1", 160)])
def test_digests_are_tried_where_info_does_not_list_them(hide: Meddle, allowed: str, bits: int) -> None:
    with SwiftServer(allowed_digests=allowed) as server, storage_behind(server, hide, new_container()) as storage:
        site = Site(storage)
        begun = site.begin(ONE)
        [signature] = parse_qs(urlsplit(begun.urls[0]).query)["temp_url_sig"]
        assert len(signature) * 4 == bits
        begun.send()
        assert site.download(begun.complete().json["download_url"]) == ONE


KINDS = [
    pytest.param(ONE, "revoke", id="one segment"),
    pytest.param(SEVERAL, "revoke", id="several segments"),
    pytest.param(SEVERAL, "pin", id="pinned segments"),
]


@pytest.mark.parametrize(("data", "seal"), KINDS)
def test_uploads_are_completed_whatever_listings_show(
    storage: SwiftStorage, gate: Gate, data: bytes, seal: str
) -> None:
    site = Site(storage, seal=seal)
    begun = site.begin(data)
    begun.send()
    with gate.set(all_stale(storage, begun)):
        complete = begun.complete()
        assert complete.status_int == 200
        assert begun.complete().status_int == 200
        assert begun.abort().status_int == 409
    assert site.download(complete.json["download_url"]) == data


@pytest.mark.parametrize(("data", "seal"), KINDS)
def test_an_abort_deletes_what_listings_do_not_show(
    swift_server: SwiftServer, storage: SwiftStorage, gate: Gate, data: bytes, seal: str
) -> None:
    begun = Site(storage, seal=seal).begin(data)
    begun.send()
    with gate.set(all_stale(storage, begun)):
        assert begun.abort().status_int == 204
    for container in names(swift_server):
        left = [name for name in names(swift_server, container) if begun.id in f"{container}/{name}"]
        assert not [name for name in left if "_over" not in name and "_1_" not in name]
    assert begun.complete().status_int == 404


@pytest.mark.parametrize(("data", "seal"), KINDS)
@pytest.mark.parametrize("stale", ["", "_staging", "_segments", "every container"])
def test_a_sweep_deletes_nothing_that_a_finished_upload_needs(
    storage: SwiftStorage, gate: Gate, data: bytes, seal: str, stale: str
) -> None:
    """At once, with the least age: in life a listing may be stale by more than any age."""
    site = Site(storage, seal=seal)
    confirming = Site(storage, seal=seal, on_complete=lambda environ, upload: None)
    uploads = [site.begin(data), confirming.begin(data)]
    urls = []
    for begun in uploads:
        begun.send()
        urls.append(begun.complete().json["download_url"])
    meddle = (
        quirks.StaleListings(storage.container + stale) if stale != "every container" else all_stale(storage, *uploads)
    )
    with gate.set(meddle):
        for _ in range(3):
            list(storage.sweep(older_than=0))
    for url in urls:
        assert site.download(url) == data
    for begun in uploads:
        assert begun.complete().status_int == 200


def all_stale(storage: SwiftStorage, *uploads: BegunUpload) -> Meddle:
    shared = (storage.container, f"{storage.container}_staging", f"{storage.container}_segments")
    return quirks.StaleListings(*shared, *(f"{storage.container}_segments_{begun.id}" for begun in uploads))


def finish(site: Site, begun: BegunUpload, end: str) -> None:
    """Abort the upload, or complete it and delete its file."""
    if end == "abort":
        assert begun.abort().status_int == 204
    else:
        receipt = begun.complete().json["receipt"]
        site.uploads(lambda uploads: uploads.delete(uploads.verify(receipt)))


def put_segments(container: str, begun: BegunUpload, headers: dict[str, str]) -> None:
    """Put the segments there again, as a late write through another proxy does."""
    for index, piece in enumerate(begun.pieces()):
        path = f"{container}/{index:08d}"
        assert requests.put(path, data=piece, headers=headers, timeout=30).status_code == 201


@pytest.mark.parametrize("has_tombstone", [True, False])
@pytest.mark.parametrize("end", ["abort", "delete"])
def test_a_revived_container_does_not_bring_an_upload_back(
    swift_server: SwiftServer, storage: SwiftStorage, end: str, has_tombstone: bool
) -> None:
    """A PUT through a proxy with a stale cache makes Swift create the deleted container again, without metadata."""
    site = Site(storage)
    begun = site.begin(SEVERAL)
    begun.send()
    finish(site, begun, end)
    headers = {"X-Auth-Token": swift_server.token()}
    if not has_tombstone:
        staging = f"{swift_server.storage_url}/{storage.container}_staging"
        for name in names(swift_server, f"{storage.container}_staging"):
            assert requests.delete(f"{staging}/{name}", headers=headers, timeout=30).status_code == 204
    container = f"{swift_server.storage_url}/{storage.container}_segments_{begun.id}"
    assert requests.put(container, headers=headers, timeout=30).status_code == 201
    put_segments(container, begun, headers)
    assert begun.complete().status_int == 404
    assert site.call("status", begun).status_int == 404
    assert site.call("sign", begun).status_int == 404
    assert begun.abort().status_int == 204


@pytest.mark.parametrize("has_segments", [True, False])
@pytest.mark.parametrize("end", ["abort", "delete"])
def test_a_replica_that_missed_the_deletion_of_a_container_does_not_bring_an_upload_back(
    swift_server: SwiftServer, storage: SwiftStorage, end: str, has_segments: bool
) -> None:
    """It answers with the container as it was, key and all; the segments themselves are found elsewhere, or not."""
    site = Site(storage)
    begun = site.begin(SEVERAL)
    begun.send()
    headers = {"X-Auth-Token": swift_server.token()}
    container = f"{swift_server.storage_url}/{storage.container}_segments_{begun.id}"
    metadata = requests.head(container, headers=headers, timeout=30).headers
    kept = {name: value for name, value in metadata.items() if name.lower().startswith("x-container-meta-")}
    finish(site, begun, end)
    assert requests.put(container, headers={**headers, **kept}, timeout=30).status_code == 201
    if has_segments:
        put_segments(container, begun, headers)
    for call in ("sign", "status", "complete", "sign"):
        assert site.call(call, begun).status_int == 404, call
    assert begun.abort().status_int == 204


@pytest.mark.parametrize("end", ["abort", "delete"])
def test_a_container_that_cannot_go_yet_is_left_to_a_sweep(swift_server: SwiftServer, end: str) -> None:
    """A replica that lists what was deleted keeps it until Swift has updated that replica, which may take minutes."""
    with storage_behind(swift_server, quirks.keeps_containers, new_container()) as storage:
        site = Site(storage)
        begun = site.begin(SEVERAL)
        begun.send()
        segments = f"{storage.container}_segments_{begun.id}"
        finish(site, begun, end)
        assert names(swift_server, segments) == []
        assert begun.complete().status_int == 404
        assert begun.abort().status_int == 204


@pytest.mark.parametrize("times", [1, 3])
def test_another_programs_key_survives_stale_answers(swift_server: SwiftServer, times: int) -> None:
    headers = {"X-Auth-Token": swift_server.token()}
    before = requests.head(swift_server.storage_url, headers=headers, timeout=30).headers
    kept = {name: before[name] for name in ACCOUNT_KEYS if name in before}
    ours = kept or {ACCOUNT_KEYS[0]: secrets.token_hex(16)}
    requests.post(swift_server.storage_url, headers={**headers, **ours}, timeout=30)
    meddle = quirks.forgets(*(name.lower() for name in ACCOUNT_KEYS), times=times)
    with storage_behind(swift_server, meddle, new_container()) as storage:
        Site(storage).upload(ONE)
    after = requests.head(swift_server.storage_url, headers=headers, timeout=30).headers
    assert {name: after.get(name) for name in ours} == ours


@pytest.mark.parametrize("times", [1, 3])
def test_other_origins_survive_stale_answers(swift_server: SwiftServer, times: int) -> None:
    header = "X-Container-Meta-Access-Control-Allow-Origin"
    container = new_container()
    first = swift_storage(swift_server, container)
    Site(first).request(
        "POST", "/uploads", json={"filename": "a", "size": 1, "type": ""}, headers={"Origin": "http://localhost"}
    )
    headers = {"X-Auth-Token": swift_server.token()}
    known = requests.head(f"{swift_server.storage_url}/{container}", headers=headers, timeout=30).headers[header]
    meddle = quirks.forgets(header.lower(), times=times)
    with storage_behind(swift_server, meddle, container) as storage:
        Site(storage, origins=[ORIGIN]).request(
            "POST", "/uploads", json={"filename": "a", "size": 1, "type": ""}, headers={"Origin": ORIGIN}
        )
    after = requests.head(f"{swift_server.storage_url}/{container}", headers=headers, timeout=30).headers[header]
    assert set(after.split()) == {*known.split(), ORIGIN}


def test_a_copy_unlike_its_source_is_removed(storage: SwiftStorage, gate: Gate, swift_server: SwiftServer) -> None:
    """The holder of the temp URL writes other bytes right before the copy, whose condition is ignored."""
    begun = Site(storage).begin(ONE)
    begun.send()

    def attack(exchange: Exchange) -> None:
        if not exchange.status and quirks.has(exchange, "x-copy-from"):
            quirks.ignores_copy_conditions(exchange)
            path = urlsplit(begun.urls[0])
            requests.put(f"{swift_server.url}{path.path}?{path.query}", data=b"evil one", timeout=30)

    with gate.set(attack):
        assert_problem(begun.complete(), 502, "storage-error")
    assert begun.id not in names(swift_server, storage.container)
    begun.send()
    assert begun.site.download(begun.complete().json["download_url"]) == ONE


def test_a_large_object_is_read_where_conditions_on_it_always_fail(storage: SwiftStorage, gate: Gate) -> None:
    """As in Ceph's Swift API."""

    def refuse(exchange: Exchange) -> None:
        if not exchange.status and exchange.method == "GET" and quirks.has(exchange, "if-match"):
            exchange.status, exchange.headers, exchange.body = 412, {}, b""

    site = Site(storage)
    receipt = site.upload(SEVERAL).json["receipt"]
    with gate.set(refuse):
        assert site.uploads(lambda uploads: uploads.open(uploads.verify(receipt)).read()) == SEVERAL


# -- answers that cannot be read -------------------------------------------------------------------------------------

SPOILT = [quirks.html_page, quirks.cut_body, quirks.other_json, quirks.no_headers]
UNDERSTOOD = {200, 204, 404, 409, 502, 503}


@pytest.mark.parametrize("spoil", SPOILT)
@pytest.mark.parametrize("data", [ONE, SEVERAL], ids=["one segment", "several segments"])
@pytest.mark.parametrize("call", ["sign", "status", "complete", "abort"])
def test_an_answer_that_cannot_be_read_is_a_problem_and_loses_nothing(
    storage: SwiftStorage, gate: Gate, call: str, data: bytes, spoil: Callable[[Exchange], None]
) -> None:
    """Each request of the call in turn; where there are many, each one meets one kind. What was complete stays so."""
    site = Site(storage, on_complete=lambda environ, upload: None)
    for number in count() if data == ONE else count(SPOILT.index(spoil), len(SPOILT)):
        begun = site.begin(data)
        begun.send()
        spoilt = quirks.SpoiltAnswer(number, spoil)
        with gate.set(spoilt):
            answer = site.call(call, begun)
        assert answer.status_int in UNDERSTOOD, answer.text
        if call == "abort":
            again = begun.abort()
            assert again.status_int == 204, again.text
            assert begun.complete().status_int == 404
        else:
            again = begun.complete()
            assert again.status_int == 200, again.text
            assert site.download(again.json["download_url"]) == data
        if spoilt.count <= number:
            break


@pytest.mark.parametrize("data", [ONE, SEVERAL], ids=["one segment", "several segments"])
def test_a_proxy_that_answers_every_head_itself_brings_no_tombstones(
    storage: SwiftStorage, gate: Gate, data: bytes
) -> None:
    """Those of tombstones and registers, whose existence is all that is asked."""
    site = Site(storage)
    begun = site.begin(data)
    begun.send()

    def meddle(exchange: Exchange) -> None:
        if exchange.status and exchange.method == "HEAD" and f"{begun.id}_" in exchange.path:
            exchange.status = 200
            quirks.html_page(exchange)

    with gate.set(meddle):
        assert_problem(begun.complete(), 502, "storage-error")
    assert site.download(begun.complete().json["download_url"]) == data


@pytest.mark.parametrize("spoil", SPOILT)
@pytest.mark.parametrize("call", ["status", "complete", "abort"])
@pytest.mark.parametrize("data", [ONE, SEVERAL], ids=["one segment", "several segments"])
def test_a_finished_upload_survives_answers_that_cannot_be_read(
    storage: SwiftStorage, gate: Gate, call: str, data: bytes, spoil: Callable[[Exchange], None]
) -> None:
    """Whatever the number of the request: a page of a proxy is no proof that an upload was aborted."""
    site = Site(storage)
    begun = site.begin(data)
    begun.send()
    url = begun.complete().json["download_url"]

    def meddle(exchange: Exchange) -> None:
        if exchange.status:
            spoil(exchange)

    with gate.set(meddle):
        assert site.call(call, begun).status_int in UNDERSTOOD - {204}
    assert site.download(url) == data
    assert begun.complete().status_int == 200
