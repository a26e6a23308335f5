"""The operator's commands with ``s3://``, against a real server."""

from __future__ import annotations

import json
import secrets
from typing import Any

import pytest
from click.testing import CliRunner, Result
from helpers.storage.s3 import BUCKET, s3_storage
from helpers.uploads import Site

from direct_upload_middleware.cli import main
from direct_upload_middleware.testing.private_s3.server import S3Server

ORIGIN = "http://app.example"


@pytest.fixture
def environ(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    environ = s3_server.environ()
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    return environ


@pytest.fixture
def url(s3_server: S3Server, environ: dict[str, str]) -> str:
    return f"{s3_server.storage_url(BUCKET)}/commands-{secrets.token_hex(4)}"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def verdicts(*arguments: str) -> dict[str, Any]:
    result = run("doctor", *arguments, "--origin", ORIGIN, "--json")
    return {found["check"]: found for found in json.loads(result.output)}


def test_setup_makes_the_bucket_once_and_prints_the_least_policy(environ: dict[str, str]) -> None:
    url = f"s3://made-{secrets.token_hex(4)}/app"
    dry = run("setup", url, "--origin", ORIGIN, "--dry-run")
    assert dry.output.count("to do: ") == 3
    first, second = run("setup", url, "--origin", ORIGIN), run("setup", url, "--origin", ORIGIN)
    assert (first.exit_code, second.exit_code) == (0, 0), first.output + second.output
    assert first.output.count("+ done: ") == 3
    assert second.output.count("✓") == 3
    policy = json.loads(second.output[second.output.index("{") :])
    assert policy["Statement"][0]["Resource"].endswith("/app/*")
    found = verdicts(url)
    assert {name for name, result in found.items() if result["verdict"] == "failure"} == set()
    assert found["lifecycle"]["verdict"] == "ok"


def test_the_doctor_leaves_nothing_behind(s3_server: S3Server, url: str) -> None:
    run("setup", url, "--origin", ORIGIN)
    found = verdicts(url)
    assert found["part-copy"]["verdict"] == found["urls-end"]["verdict"] == found["delete"]["verdict"] == "ok"
    client = s3_server.client(BUCKET)
    prefix = url.removeprefix(f"s3://{BUCKET}/")
    assert client.call("list_objects_v2", Prefix=prefix).get("Contents") is None
    assert client.call("list_multipart_uploads", Prefix=prefix).get("Uploads") is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param({"AWS_ACCESS_KEY_ID": "unknown"}, "does not know the access key", id="an unknown key"),
        pytest.param({"AWS_SECRET_ACCESS_KEY": "wrong"}, "refuses the signature", id="a wrong secret key"),
        pytest.param({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "no credentials", id="no credentials"),
        pytest.param({"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9"}, "cannot be reached", id="no server"),
        pytest.param(
            {
                "AWS_ACCESS_KEY_ID": S3Server.other_access_key,
                "AWS_SECRET_ACCESS_KEY": S3Server.other_secret_key,
            },
            "must be yours",
            id="a bucket of somebody else's",
        ),
    ],
)
def test_setup_and_doctor_name_each_fault(
    url: str, monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], says: str
) -> None:
    for name, value in changes.items():
        monkeypatch.setenv(name, value)
    result = run("setup", url)
    assert result.exit_code == 1
    assert says in result.output
    assert says in verdicts(url)["storage"]["detail"]


def test_a_profile_that_is_not_there_is_named(url: str) -> None:
    result = run("setup", f"{url}?profile=nobody")
    assert result.exit_code == 1
    assert "?profile=" in result.output


def test_a_bucket_that_is_not_there_is_named(environ: dict[str, str]) -> None:
    assert verdicts("s3://not-there")["bucket"]["verdict"] == "failure"


def test_there_is_nothing_to_rotate(url: str) -> None:
    result = run("rotate-key", url)
    assert result.exit_code == 0
    assert "nothing to rotate" in result.output


def test_a_sweep_removes_what_was_abandoned_and_nothing_that_is_complete(
    s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = s3_storage(s3_server)
    site = Site(storage)
    complete = site.upload(b"complete").json
    opened, sealed, aborted = site.begin(b"open"), site.begin(b"sealed"), site.begin(b"aborted")
    for begun in (opened, sealed):
        begun.put(0, begun.data)
    with monkeypatch.context() as patch:
        patch.setattr(storage, "confirm", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        patch.setattr(site.middleware.options.storage._sealing, "confirm", lambda *_: None)
        with pytest.raises(KeyboardInterrupt):
            sealed.complete()
    aborted.abort()
    assert list(storage.sweep(older_than=3600)) == []
    dry = list(storage.sweep(older_than=0, dry_run=True))
    found = list(storage.sweep(older_than=0))
    assert sorted(f.kind for f in found) == sorted(f.kind for f in dry) == ["segments", "unfinished"]
    assert all(f.removed for f in found)
    assert list(storage.sweep(older_than=0)) == []
    assert site.download(complete["download_url"]) == b"complete"
    assert site.call("status", opened).status_int == site.call("status", sealed).status_int == 404
