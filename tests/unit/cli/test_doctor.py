"""``direct-upload doctor`` against the real Swift, through a proxy that gives it the quirks of a bad provider."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from helpers.doctor_runs import diagnose, run
from helpers.faults.changed_answers import Exchange, Meddle, meddling
from helpers.faults.no_container_keys import drop_keys

from direct_upload_middleware.testing.private_swift.server import SwiftServer

ORIGIN = "https://app.example.com"


@pytest.fixture
def url() -> str:
    return f"swift://doctor-{secrets.token_hex(4)}"


@contextmanager
def between(server: SwiftServer, meddle: Meddle, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Let the doctor reach Swift through the meddling proxy, which is the endpoint in Swift's catalog."""
    with meddling(server.url, meddle) as proxy:
        monkeypatch.setenv("OS_AUTH_URL", f"{proxy}/auth/v1.0")
        yield proxy


def headers_for(server: SwiftServer) -> dict[str, str]:
    return {"X-Auth-Token": server.token()}


def post(server: SwiftServer, container: str, **headers: str) -> None:
    sent = {**headers_for(server), **{name.replace("_", "-"): value for name, value in headers.items()}}
    assert requests.post(f"{server.storage_url}/{container}", headers=sent, timeout=30).status_code == 204


def when(answered: bool, condition: Callable[[Exchange], bool], do: Callable[[Exchange], Any]) -> Meddle:
    def meddle(exchange: Exchange) -> None:
        if bool(exchange.status) is answered and condition(exchange):
            do(exchange)

    return meddle


def info(change: Callable[[dict[str, Any]], Any]) -> Meddle:
    def do(exchange: Exchange) -> None:
        capabilities = json.loads(exchange.body)
        change(capabilities)
        exchange.body = json.dumps(capabilities).encode()

    return when(True, lambda e: e.path == "/info", do)


def status(code: int) -> Callable[[Exchange], None]:
    def do(exchange: Exchange) -> None:
        exchange.status, exchange.headers, exchange.body = code, {}, b""

    return do


def by_temp_url(exchange: Exchange) -> bool:
    return "temp_url_sig=" in exchange.url


def answers_put_by_temp_url(exchange: Exchange) -> bool:
    return exchange.method == "PUT" and by_temp_url(exchange)


def is_copy(exchange: Exchange) -> bool:
    return any(name.lower() == "x-copy-from" for name in exchange.headers)


class CachesForever:
    """Proxies without a shared memcached: once a temp URL was good, it stays so."""

    def __init__(self) -> None:
        self._good: set[str] = set()

    def __call__(self, exchange: Exchange) -> None:
        key = f"{exchange.method} {exchange.path}"
        if exchange.status == 201 and by_temp_url(exchange):
            self._good.add(key)
        if exchange.status == 401 and key in self._good:
            exchange.status = 201


QUIRKS = [
    pytest.param(info(lambda i: i.pop("tempurl")), "temp-urls", "failure", id="no temp URLs"),
    pytest.param(
        info(lambda i: i["tempurl"].update(methods=["GET", "HEAD"])), "temp-urls", "failure", id="no temp URLs for PUT"
    ),
    pytest.param(info(lambda i: i["tempurl"].pop("allowed_digests")), "digests", "warning", id="SHA-1 only"),
    pytest.param(info(lambda i: i.pop("slo")), "slo", "failure", id="no large objects"),
    pytest.param(info(lambda i: i["slo"].update(max_manifest_segments=100)), "slo", "warning", id="few segments"),
    pytest.param(when(False, lambda e: e.path == "/info", status(404)), "info", "warning", id="no /info"),
    pytest.param(when(False, lambda e: e.method == "OPTIONS", status(405)), "preflight", "failure", id="no OPTIONS"),
    pytest.param(
        when(True, lambda e: e.method == "OPTIONS" and e.status == 401, status(200)),
        "preflight-foreign",
        "warning",
        id="OPTIONS for everybody",
    ),
    pytest.param(
        when(True, by_temp_url, lambda e: e.drop("Access-Control-Expose-Headers", "Access-Control-Allow-Origin")),
        "exposed-headers",
        "failure",
        id="CORS headers dropped",
    ),
    pytest.param(drop_keys, "container-keys", "failure", id="no container keys"),
    pytest.param(when(True, answers_put_by_temp_url, status(201)), "signature", "failure", id="any signature is good"),
    pytest.param(
        when(False, answers_put_by_temp_url, lambda e: e.drop("ETag")), "checksum", "failure", id="ETag header dropped"
    ),
    pytest.param(when(False, is_copy, lambda e: e.drop("If-Match")), "copy", "failure", id="If-Match dropped"),
    pytest.param(
        when(False, is_copy, lambda e: e.drop("X-Fresh-Metadata")), "copy-metadata", "failure", id="metadata copied"
    ),
    pytest.param(
        when(True, lambda e: "multipart-manifest=put" in e.url, status(201)),
        "slo-manifest",
        "failure",
        id="manifests unverified",
    ),
    pytest.param(CachesForever(), "revocation", "failure", id="revoked keys live on"),
    pytest.param(
        when(True, lambda e: True, lambda e: e.drop("Content-Disposition")), "download-name", "failure", id="no names"
    ),
    pytest.param(
        when(True, lambda e: True, lambda e: e.headers.update(Date="Mon, 01 Jan 2024 00:00:00 GMT")),
        "clock",
        "warning",
        id="a wrong clock",
    ),
    pytest.param(
        when(False, lambda e: e.method == "PUT" and "_doctor_" in e.path, status(403)),
        "permissions",
        "failure",
        id="read only",
    ),
]


@pytest.mark.usefixtures("swift_environ")
class TestDoctor:
    def test_a_healthy_cluster_passes_every_check(self, swift_server: SwiftServer, url: str) -> None:
        assert run("setup", url, "--origin", "http://app.example.com").exit_code == 0
        code, found = diagnose(url)
        assert {name: finding for name, finding in found.items() if finding["verdict"] != "ok"} == {}
        assert code == 0
        assert {"credentials", "put", "signature", "expiry", "ip-range", "copy", "download", "revocation"} <= set(found)

    def test_the_doctor_removes_its_container(self, swift_server: SwiftServer, url: str) -> None:
        diagnose(url)
        listing = requests.get(swift_server.storage_url, headers=headers_for(swift_server), timeout=30).text.split()
        assert not [name for name in listing if name.startswith(url.removeprefix("swift://"))]

    def test_the_output_ends_with_a_summary_and_shows_remedies(self, url: str) -> None:
        result = run("doctor", url, "--origin", "http://app.example.com", COLUMNS="100")
        assert "✓" in result.stdout
        assert re.search(r"\n[0-9]+ passed, [0-9]+ warnings?, 0 failed\n", result.stdout)
        assert "→ Run direct-upload setup" in result.stdout

    @pytest.mark.parametrize(("quirk", "check", "verdict"), QUIRKS)
    def test_each_quirk_of_a_cluster_is_reported(
        self,
        swift_server: SwiftServer,
        url: str,
        monkeypatch: pytest.MonkeyPatch,
        quirk: Meddle,
        check: str,
        verdict: str,
    ) -> None:
        with between(swift_server, quirk, monkeypatch):
            run("setup", url, "--origin", "http://app.example.com")
            code, found = diagnose(url)
        assert found[check]["verdict"] == verdict
        assert found[check]["remedy"]
        assert code == (1 if verdict == "failure" else code)

    def test_missing_container_keys_are_a_warning_with_seal_pin(
        self, swift_server: SwiftServer, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with between(swift_server, drop_keys, monkeypatch):
            assert run("setup", url, "--seal", "pin", "--origin", "http://app.example.com").exit_code == 0
            code, found = diagnose(url, "--seal", "pin")
        assert (code, found["container-keys"]["verdict"]) == (0, "warning")
        assert {found[check]["verdict"] for check in ("put", "signature", "expiry", "copy", "download")} == {"ok"}
        assert "revocation" not in found

    def test_a_gateway_that_needs_copy_if_match_passes(
        self, swift_server: SwiftServer, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As Ceph's."""

        def rename(exchange: Exchange) -> None:
            exchange.drop("If-Match")
            exchange.headers = {n.replace("Copy-If-Match", "If-Match"): v for n, v in exchange.headers.items()}

        with between(swift_server, when(False, is_copy, rename), monkeypatch):
            assert diagnose(url)[1]["copy"]["verdict"] == "ok"

    def test_mixed_content_is_reported(self, url: str) -> None:
        code, found = diagnose(url, origin=ORIGIN)
        assert (code, found["transport"]["verdict"]) == (1, "failure")

    def test_a_wrong_password_is_reported(self, url: str) -> None:
        code, found = diagnose(url, OS_PASSWORD="wrong")
        assert (code, found["storage"]["verdict"]) == (1, "failure")
        assert "credentials" in found["storage"]["detail"]

    def test_an_unreachable_identity_service_is_reported(self, url: str) -> None:
        code, found = diagnose(url, OS_AUTH_URL="http://127.0.0.1:9/auth/v1.0")
        assert (code, found["storage"]["verdict"]) == (1, "failure")

    def test_a_different_secret_is_reported(self, url: str) -> None:
        run("setup", url, "--origin", ORIGIN)
        code, found = diagnose(url, DIRECT_UPLOAD_SECRET="another-one")
        assert (code, found["secret"]["verdict"]) == (1, "failure")

    def test_missing_containers_and_origins_are_reported(self, url: str) -> None:
        assert diagnose(url)[1]["containers"]["verdict"] == "warning"
        run("setup", url, "--origin", ORIGIN)
        found = diagnose(url, origin="http://other.example.com")[1]
        assert found["cors-origin"]["verdict"] == "warning"

    def test_the_container_of_pinned_segments_is_checked(self, url: str) -> None:
        run("setup", url, "--origin", "http://app.example.com")
        missing = diagnose(url, "--seal", "pin")[1]["containers"]
        assert (missing["verdict"], "_segments" in missing["detail"]) == ("warning", True)
        assert "containers" not in diagnose(url)[1]

    def test_a_full_quota_is_reported(self, url: str) -> None:
        run("setup", url, "--quota", "10")
        code, found = diagnose(url)
        assert (code, found["quota"]["verdict"]) == (1, "failure")

    def test_headers_that_are_not_exposed_are_reported(self, swift_server: SwiftServer, url: str) -> None:
        run("setup", url, "--origin", ORIGIN)
        staging = url.removeprefix("swift://") + "_staging"
        post(swift_server, staging, X_Container_Meta_Access_Control_Expose_Headers="x-trans-id")
        code, found = diagnose(url)
        assert (code, found["cors-headers"]["verdict"]) == (1, "failure")

    def test_a_local_storage_is_refused(self) -> None:
        result = run("doctor", "local:uploads", "--origin", ORIGIN)
        assert result.exit_code == 2
        assert "for Swift storages only" in " ".join(result.stderr.split())
