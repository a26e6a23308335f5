"""Faults of connections that every client of a storage must survive."""

from __future__ import annotations

import pytest

from helpers.faults.fault_proxy import Fault, Proxy
from helpers.uploads import BegunUpload, Site

FAULTS = [
    pytest.param(Fault("cut", after=100), id="cut in the request"),
    pytest.param(Fault("cut", after=20, answer=True), id="cut in the answer's head"),
    pytest.param(Fault("cut"), id="cut at once"),
    pytest.param(Fault("stall", after=10), id="stalled"),
    pytest.param(Fault("stall", after=10, answer=True), id="stalled answer"),
    pytest.param(Fault("delay", seconds=0.3, answer=True), id="slow"),
    pytest.param(Fault("status", status=503), id="503"),
]


def begin_and_send(site: Site, data: bytes) -> BegunUpload:
    """Return an upload whose segments are stored."""
    begun = site.begin(data)
    begun.send()
    return begun


def assert_calls_survive(fault: Fault, proxy: Proxy, site: Site, begun: BegunUpload) -> None:
    """Assert that each call succeeds although its first connection to the storage has this fault."""
    for call in ("sign", "status", "complete"):
        proxy.cut()
        proxy.once(fault)
        answer = site.call(call, begun)
        assert answer.status_int == 200, answer.text
    assert len(proxy.faults) == 3
