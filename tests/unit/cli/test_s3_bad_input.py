"""What an operator may have got wrong with ``s3://``: setup, doctor, the problem and the log name it and its remedy."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import botocore.auth
import botocore.exceptions
import pytest
from click.testing import CliRunner
from helpers.faults.changed_answers import Exchange, meddling
from helpers.storage.s3 import BUCKET
from helpers.uploads import Site, assert_problem

from direct_upload_middleware.cli import main
from direct_upload_middleware.errors import StorageError
from direct_upload_middleware.storage.s3 import S3Storage
from direct_upload_middleware.storage.s3.faults import fault_of_library
from direct_upload_middleware.testing.private_s3.server import S3Server

ORIGIN = "http://app.example"


@pytest.fixture
def url(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in s3_server.environ().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    s3_server.storage_url(BUCKET)
    return f"s3://{BUCKET}/bad-input-{secrets.token_hex(4)}"


def outputs(url: str) -> list[str]:
    """What setup and doctor say about the storage."""
    setup = CliRunner().invoke(main, ["setup", url])
    doctor = CliRunner().invoke(main, ["doctor", url, "--origin", ORIGIN, "--json"])
    assert (setup.exit_code, doctor.exit_code) == (1, 1), setup.output + doctor.output
    failures = [
        f"{found['detail']} {found['remedy']}" for found in json.loads(doctor.output) if found["verdict"] == "failure"
    ]
    return [" ".join(setup.output.split()), " ".join(failures)]


def problem(url: str) -> str:
    """What a page is told when it begins an upload."""
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    begun = {"filename": "report.pdf", "size": 4, "type": "application/pdf"}
    answer = Site(S3Storage(bucket, prefix)).request("POST", "/uploads", json=begun)
    assert_problem(answer, 502, "storage-error")
    return str(answer.json["detail"])


def assert_named_everywhere(url: str, says: list[str], caplog: pytest.LogCaptureFixture) -> None:
    for text in (*outputs(url), problem(url), caplog.text):
        for words in says:
            assert words in text


def refusing(code: str, status: int, more: str = "", **headers: str) -> Callable[[Exchange], None]:
    """A server that refuses every request."""

    def refuse(exchange: Exchange) -> None:
        if not exchange.status:
            exchange.status, exchange.headers = status, {"Content-Type": "application/xml", **headers}
            exchange.body = f"<Error><Code>{code}</Code>{more}</Error>".encode()

    return refuse


REGION = ["?region=REGION", "eu-central-1"]


@pytest.mark.parametrize(
    ("refuse", "says"),
    [
        pytest.param(
            refusing("ExpiredToken", 400), ["credentials have expired", "Renew them"], id="expired credentials"
        ),
        pytest.param(refusing("TokenRefreshRequired", 400), ["credentials have expired"], id="credentials to renew"),
        pytest.param(refusing("InvalidToken", 400), ["session token"], id="a wrong session token"),
        pytest.param(refusing("AccessDenied", 403), ["must be yours", "permissions"], id="another customer's bucket"),
        pytest.param(
            refusing("AuthorizationHeaderMalformed", 400, "<Region>eu-central-1</Region>"),
            REGION,
            id="signed for another region",
        ),
        pytest.param(
            refusing("PermanentRedirect", 301, **{"x-amz-bucket-region": "eu-central-1"}),
            REGION,
            id="sent to another region",
        ),
        pytest.param(refusing("InvalidBucketName", 400), ["no bucket of the name uploads"], id="an impossible name"),
    ],
)
def test_a_refusal_of_the_server_is_named_with_its_remedy(
    s3_server: S3Server,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    refuse: Callable[[Exchange], None],
    says: list[str],
) -> None:
    with meddling(s3_server.url, refuse) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", proxy)
        assert_named_everywhere(url, says, caplog)


@pytest.mark.parametrize("minutes", [30, -30])
def test_a_wrong_clock_is_named_with_its_remedy(
    url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, minutes: int
) -> None:
    now = botocore.auth.get_current_datetime
    monkeypatch.setattr(
        botocore.auth, "get_current_datetime", lambda *some, **more: now(*some, **more) + timedelta(minutes=minutes)
    )
    assert_named_everywhere(url, ["clock", "NTP"], caplog)


def test_a_bucket_that_is_not_there_is_named_when_an_upload_begins(url: str, s3_server: S3Server) -> None:
    """The stranger may not make buckets, which SeaweedFS does by itself for an administrator."""
    with meddling(s3_server.url, refusing("NoSuchBucket", 404)) as proxy:
        storage = S3Storage("not-there", endpoint=proxy)
        with pytest.raises(StorageError, match=r"no bucket not-there.*direct-upload setup"):
            storage.admin().provisioning.server()


def test_a_host_that_cannot_be_reached_is_named(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A region that does not exist has no host."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://s3.nowhere-1.invalid")
    for text in outputs(url):
        assert "s3.nowhere-1.invalid" in text
        assert "region" in text


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (botocore.exceptions.SSOTokenLoadError(error_msg="…"), "expired"),
        (botocore.exceptions.UnauthorizedSSOTokenError(), "expired"),
        (botocore.exceptions.TokenRetrievalError(provider="sso", error_msg="…"), "expired"),
        (botocore.exceptions.NoRegionError(), "?region="),
        (botocore.exceptions.InvalidRegionError(region_name="no region"), "AWS configuration"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_an_input_that_botocore_refuses_is_named(error: Any, says: str) -> None:
    assert says in str(fault_of_library(error))
