"""S3 fails at each request of each call, and the connection to it in every way: a retry finishes what was begun."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest
from helpers.faults.connections import FAULTS, assert_calls_survive, begin_and_send
from helpers.faults.fault_proxy import Fault, Proxy, no_fault
from helpers.faults.s3_faults import Behind
from helpers.storage.s3 import s3_storage
from helpers.uploads import CALLS, BegunUpload, Site, assert_problem

from direct_upload_middleware.errors import StorageUnavailable
from direct_upload_middleware.storage.s3 import S3Storage
from direct_upload_middleware.storage.s3 import client as s3_client
from direct_upload_middleware.storage.s3.multipart import MIN_PART_SIZE
from direct_upload_middleware.testing.private_s3.server import S3Server


@contextmanager
def failing(storage: S3Storage, number: int, *, is_done: bool, is_lasting: bool) -> Iterator[list[str]]:
    """The request of this number, from 0 on, has no answer; with ``is_lasting`` none after it has.

    ``is_done``: S3 does what it was asked, and only its answer is lost.
    """
    call: Callable[..., Any] = storage._client.call
    asked: list[str] = []

    def attempt(operation: str, **parameters: Any) -> Any:
        asked.append(operation)
        fails = len(asked) == number + 1 or (is_lasting and len(asked) > number)
        if not fails:
            return call(operation, **parameters)
        if is_done:
            call(operation, **parameters)
        raise StorageUnavailable

    storage._client.call = attempt  # type: ignore[method-assign]
    try:
        yield asked
    finally:
        storage._client.call = call  # type: ignore[method-assign]


def assert_finished(site: Site, begun: BegunUpload) -> None:
    done = begun.complete()
    assert done.status_int == 200, done.text
    assert site.download(done.json["download_url"]) == begun.data
    assert begun.status()["state"] == "complete"
    assert_problem(begun.abort(), 409, "already-complete")


def assert_aborted(site: Site, begun: BegunUpload) -> None:
    assert_problem(site.call("status", begun), 404, "not-found")
    assert_problem(begun.complete(), 404, "not-found")
    assert begun.put(0, begun.pieces()[0]).status == 404


@pytest.mark.parametrize("is_lasting", [pytest.param(False, id="once"), pytest.param(True, id="lasting")])
@pytest.mark.parametrize("is_done", [pytest.param(False, id="not asked"), pytest.param(True, id="answer lost")])
@pytest.mark.parametrize("call", CALLS)
def test_a_fault_at_any_request_of_a_call(s3_server: S3Server, call: str, is_done: bool, is_lasting: bool) -> None:
    fails_at_every_request(s3_storage(s3_server), b"one file", call, is_done=is_done, is_lasting=is_lasting)


@pytest.mark.parametrize("call", ["complete", "abort"])
def test_a_fault_at_any_request_for_several_segments(s3_server: S3Server, call: str) -> None:
    data = bytes(MIN_PART_SIZE) + b"the end"
    fails_at_every_request(s3_storage(s3_server), data, call, is_done=True, is_lasting=True)


def fails_at_every_request(storage: S3Storage, data: bytes, call: str, *, is_done: bool, is_lasting: bool) -> None:
    site = Site(storage)
    for number in count():
        begun = site.begin(data)
        begun.send()
        with failing(storage, number, is_done=is_done, is_lasting=is_lasting) as asked:
            answer = site.call(call, begun)
        assert answer.status_int < 300 or answer.json["code"] == "storage-unavailable", answer.text
        again = site.call(call, begun)
        assert again.status_int < 300, (number, again.text)
        (assert_aborted if call == "abort" else assert_finished)(site, begun)
        if len(asked) <= number:
            break
    assert number > 0, "the call made no request"


# -- connections ---------------------------------------------------------------------------------------------------


@pytest.fixture
def proxy(s3_server: S3Server) -> Iterator[Proxy]:
    with Proxy(s3_server.port) as proxy:
        yield proxy


@pytest.fixture
def site(s3_server: S3Server, proxy: Proxy) -> Site:
    """An application whose requests to S3 go through the proxy."""
    return Site(s3_storage(Behind(s3_server, proxy.url)))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_connection_that_fails_is_made_anew(
    site: Site, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    monkeypatch.setattr(s3_client, "READ_TIMEOUT", 3)
    begun = begin_and_send(site, b"one file")
    assert_calls_survive(fault, proxy, site, begun)
    assert_finished(site, begun)


@pytest.mark.parametrize("call", CALLS)
def test_a_server_that_answers_nothing_but_503_is_unavailable(
    site: Site, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    monkeypatch.setattr(s3_client, "ATTEMPTS", 1)
    begun = begin_and_send(site, b"one file")
    proxy.cut()
    proxy.choose = lambda: Fault("status", status=503)
    answer = site.call(call, begun)
    assert_problem(answer, 503, "storage-unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    proxy.choose = no_fault
    if call == "abort":
        assert begun.abort().status_int == 204
        assert_aborted(site, begun)
    else:
        assert_finished(site, begun)


@pytest.mark.parametrize("fault", [Fault("cut", after=3000), Fault("corrupt", after=3000)], ids=["cut", "damaged"])
def test_a_part_that_does_not_arrive_complete_is_sent_again(s3_server: S3Server, proxy: Proxy, fault: Fault) -> None:
    """A damaged part is refused by its MD5, or the completion finds that it is missing."""
    site = Site(s3_storage(Behind(s3_server, proxy.url)))
    begun = site.begin(b"a" * 5000)
    proxy.once(fault)
    try:
        assert begun.put(0, begun.data).status == 400
    except OSError:
        assert fault.kind == "cut"
    assert_problem(begun.complete(), 409, "segments-missing", indexes=[0])
    begun.send()
    assert_finished(site, begun)
