"""Ceph RGW's Swift API: it lacks what the guarantees need, and is refused. ``make test-rgw`` runs these tests."""

from __future__ import annotations

import os

import pytest
from helpers.clouds.rgw import Rgw
from helpers.doctor_runs import diagnose, run
from helpers.uploads import EMPTY, ONE, SEVERAL, Site, assert_problem, new_container

from direct_upload_middleware.storage.swift import SwiftStorage

if "TEST_RGW" not in os.environ:
    pytest.skip("make test-rgw runs these tests", allow_module_level=True)

LACKS = {"if-none-match", "slo-etags", "container-keys"}


@pytest.fixture
def swift_environ(rgw: Rgw, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in rgw.swift_environ().items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("swift_environ")
@pytest.mark.parametrize("seal", ["revoke", "pin"])
@pytest.mark.parametrize("data", [EMPTY, ONE, SEVERAL], ids=["empty", "one segment", "several segments"])
def test_no_upload_begins(data: bytes, seal: str) -> None:
    site = Site(SwiftStorage(new_container()), seal=seal)
    answer = site.request("POST", "/uploads", json={"filename": "a", "size": len(data), "type": ""})
    assert_problem(answer, 502, "storage-error")
    assert "capability if-none-match" in answer.json["detail"]
    assert "S3 API" in answer.json["detail"]


@pytest.mark.usefixtures("swift_environ")
@pytest.mark.parametrize("seal", ["revoke", "pin"])
def test_setup_and_doctor_name_what_it_lacks(seal: str) -> None:
    url = f"swift://{new_container()}"
    result = run("setup", url, "--seal", seal)
    assert result.exit_code == 1
    assert all(name in result.output for name in LACKS)
    status, worst = diagnose(url, "--seal", seal)
    assert status == 1
    assert all(worst[name]["verdict"] != "ok" for name in LACKS)
