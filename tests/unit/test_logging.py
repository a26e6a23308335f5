"""What is logged: events with extras for operators, and nothing that lets anybody in."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner
from helpers.faults.no_container_keys import drop_keys, storage_behind
from helpers.uploads import ONE, SECRET, SEVERAL, BegunUpload, Site, new_container, swift_storage

from direct_upload_middleware import StorageError
from direct_upload_middleware.cli import main
from direct_upload_middleware.keys import Keys
from direct_upload_middleware.storage import storage_from_url
from direct_upload_middleware.storage.sweeping import Finding
from direct_upload_middleware.storage.swift.client import Login
from direct_upload_middleware.storage.swift.cluster.provisioning import PINNED, STAGING
from direct_upload_middleware.testing.private_swift.server import SwiftServer

OURS = "direct_upload_middleware"
DOCS = Path(__file__).parents[2] / "docs" / "operations.rst"


@pytest.fixture(autouse=True)
def everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)


def events(caplog: pytest.LogCaptureFixture, message: str) -> list[dict[str, object]]:
    """The extras of each record with this message."""
    prefixes = ("upload_", "swift_", "sweep_")
    return [
        {name: value for name, value in vars(record).items() if name.startswith(prefixes)}
        for record in caplog.records
        if record.name.startswith(OURS) and record.getMessage() == message
    ]


def secrets_of(begun: BegunUpload) -> set[str]:
    """What the answers to one browser had that is nobody else's business."""
    cookies = begun.site.browser.cookies.values()
    return {begun.ticket, *cookies, *(signature_of(url) for url in begun.urls.values())}


def signature_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["temp_url_sig"][0]


@pytest.fixture
def deaf_to_browsers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the browser of these tests logs is no affair of ours."""
    fetch = Site.fetch

    def unheard(*arguments: Any) -> Any:
        logging.disable()
        try:
            return fetch(*arguments)
        finally:
            logging.disable(logging.NOTSET)

    monkeypatch.setattr(Site, "fetch", unheard)


@pytest.mark.usefixtures("swift_environ", "deaf_to_browsers")
def test_no_credential_is_logged(swift_server: SwiftServer, caplog: pytest.LogCaptureFixture) -> None:
    """Not by us, nor by the libraries that log in and make requests, with everything logged."""
    container = new_container()
    hidden: set[str] = {SECRET, "another secret"}
    for seal in ("revoke", "pin"):
        site = Site(storage_from_url(f"swift://{container}"), seal=seal)
        for data in (ONE, SEVERAL):
            done, given_up = site.begin(data), site.begin(data)
            for begun in (done, given_up):
                begun.send()
                hidden |= secrets_of(begun)
                hidden |= {signature_of(s["url"]) for s in site.call("sign", begun).json["segments"]}
                site.call("status", begun)
            site.call("abort", given_up)
            answer = done.complete().json
            site.call("sign", done)
            site.call("status", done, ticket=done.ticket[:-4] + "AAAA")
            location = site.request("GET", f"/files/{answer['receipt']}").headers["Location"]
            site.uploads(lambda uploads, receipt=answer["receipt"]: uploads.open(uploads.verify(receipt)).read())
            hidden |= {answer["receipt"], signature_of(answer["download_url"]), signature_of(location)}
            hidden.add(Keys([SECRET]).derive("segments", done.id))
    for command, *more in (("setup",), ("sweep", "--older-than", "0")):
        ran = CliRunner().invoke(main, [command, f"swift://{container}", *more], env={"DIRECT_UPLOAD_SECRET": SECRET})
        assert ran.exit_code == 0, ran.output
    hidden |= {Keys([SECRET]).derive(*purpose) for purpose in (STAGING, PINNED, ("downloads",))}
    hidden.add(swift_server.token())

    logged = "\n".join(f"{caplog.handler.format(record)} {record.__dict__!r}" for record in caplog.records)
    assert {record.name.partition(".")[0] for record in caplog.records} >= {OURS, "urllib3"}
    assert len(hidden) > 40
    assert [secret for secret in hidden if secret in logged] == []
    assert "temp_url_sig=" not in logged.replace("temp_url_sig=…", "")
    assert not re.search(r"X-Auth-(Key|Token): (?!\{SHA256\})", logged)


@pytest.mark.parametrize(("data", "segments"), [(ONE, 1), (SEVERAL, 3)])
def test_an_upload_is_announced_from_start_to_end(
    swift_server: SwiftServer, caplog: pytest.LogCaptureFixture, data: bytes, segments: int
) -> None:
    site = Site(swift_storage(swift_server))
    begun = site.begin(data)
    begun.send()
    receipt = begun.complete().json["receipt"]
    story = {"upload_id": begun.id, "upload_size": len(data), "upload_segments": segments, "upload_seal": "revoke"}
    assert events(caplog, "upload begun") == [story]
    [complete] = events(caplog, "upload complete")
    seconds = complete.pop("upload_seconds")
    assert (complete, isinstance(seconds, int)) == (story, True)
    assert events(caplog, "presigned URLs issued") == [{"upload_id": begun.id, "upload_signed": segments}]
    site.uploads(lambda uploads: uploads.delete(uploads.verify(receipt)))
    assert events(caplog, "upload deleted") == [{"upload_id": begun.id}]
    other = site.begin(data)
    site.call("abort", other)
    assert events(caplog, "upload aborted") == [{"upload_id": other.id}]


def test_refusals_have_their_code(swift_server: SwiftServer, caplog: pytest.LogCaptureFixture) -> None:
    site = Site(swift_storage(swift_server))
    begun = site.begin(ONE)
    site.call("status", begun, browser=site.new_browser("bob"))
    site.request("POST", "/uploads", json={}, headers={"Origin": "https://evil.example"})
    assert events(caplog, "refused: not-yours") == [
        {"upload_code": "not-yours", "upload_status": 403, "upload_id": begun.id}
    ]
    assert events(caplog, "refused: cross-site") == [
        {"upload_code": "cross-site", "upload_status": 403, "upload_id": None}
    ]


def test_a_storage_fault_is_an_error_with_its_code(swift_server: SwiftServer, caplog: pytest.LogCaptureFixture) -> None:
    with storage_behind(swift_server, drop_keys, new_container()) as storage:
        Site(storage).request("POST", "/uploads", json={"filename": "a", "size": 1, "type": ""})
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert (record.__dict__["upload_code"], record.__dict__["upload_status"]) == ("storage-error", 502)


def test_setup_reports_each_step(swift_server: SwiftServer, caplog: pytest.LogCaptureFixture) -> None:
    storage = swift_storage(swift_server)
    Site(storage).begin(ONE)
    final, staging = storage.container, f"{storage.container}_staging"
    assert events(caplog, "container created") == [{"swift_container": final}, {"swift_container": staging}]
    assert events(caplog, "temp URL key stored") == [{"swift_container": staging}]
    assert {"swift_container": final, "swift_origin": "http://localhost"} in events(caplog, "origin allowed")
    assert events(caplog, "logged in to Swift") == [{"swift_host": f"127.0.0.1:{swift_server.port}"}]


def test_a_refused_token_is_reported(swift_server: SwiftServer, caplog: pytest.LogCaptureFixture) -> None:
    storage = swift_storage(swift_server)
    Site(storage).begin(ONE)
    storage._client._login = Login("expired", swift_server.storage_url)
    Site(storage).begin(SEVERAL)
    assert len(events(caplog, "Swift refuses the token")) == 1
    assert len(events(caplog, "logged in to Swift")) == 2


def test_sweep_reports_what_it_removes(swift_server: SwiftServer, caplog: pytest.LogCaptureFixture) -> None:
    storage = swift_storage(swift_server)
    begun = Site(storage).begin(ONE)
    begun.send()
    list(storage.sweep(older_than=0))
    [swept] = events(caplog, "swept")
    assert swept["sweep_age"] in range(60)
    assert swept | {"sweep_age": 0} == {
        "sweep_kind": "staged",
        "sweep_name": f"{storage.container}_staging/{begun.id}",
        "sweep_size": len(ONE),
        "sweep_age": 0,
    }

    def fails() -> bool:
        raise StorageError("Swift answered 403.")

    Finding("staged", "a/b", 1, 2).removed_by(fails)
    assert len(events(caplog, "not swept: Swift answered 403.")) == 1


def test_the_documentation_has_every_event_and_every_extra() -> None:
    """Read from the code, so that none is added without its line."""
    table = " ".join(DOCS.read_text(encoding="utf-8").partition("Logging\n-------")[2].split())
    package = Path(__file__).parents[2] / OURS
    code = "".join(path.read_text(encoding="utf-8") for path in package.rglob("*.py") if "testing" not in path.parts)
    messages = re.findall(r'log\.(?:debug|info|warning|error|exception)\(\s*"(?:%s )?([^"%;:]+)', code)
    extras = set(re.findall(r'"((?:upload|swift|sweep)_[a-z]+)":', code))
    assert len(messages) > 20
    assert len(extras) > 15
    assert [message for message in messages if message not in table] == []
    assert [extra for extra in sorted(extras) if f"``{extra}``" not in table] == []
