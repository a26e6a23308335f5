"""Processes of their own that change the state of the same uploads in S3 at the same moment."""

from __future__ import annotations

import hashlib
import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, Literal

from direct_upload_middleware.errors import DirectUploadError, StorageUnavailable
from direct_upload_middleware.storage.base import Sealed, Transfer
from direct_upload_middleware.storage.s3 import S3Storage
from direct_upload_middleware.testing.private_s3.server import REGION

Operation = Literal["complete", "confirm", "abort"]
Job = tuple[Operation, Transfer, bytes, Sealed | None]
TIMEOUT = 120
_DECIDED_WITHIN = 60.0


class Racers:
    """Processes that carry out one job each, all at the same moment."""

    def __init__(self, connections: list[Connection]) -> None:
        self._connections = connections

    def race(self, *jobs: Job) -> list[str]:
        """Return what each job ended with: an ETag, "done", or the name of an error."""
        for connection, job in zip(self._connections, jobs, strict=True):
            connection.send(job)
        return [self._receive(connection) for connection in self._connections]

    @staticmethod
    def _receive(connection: Connection) -> str:
        assert connection.poll(TIMEOUT), "a process does not answer"
        return str(connection.recv())


@contextmanager
def racers(number: int, url: str, access_key: str, secret_key: str, container: str) -> Iterator[Racers]:
    """Processes that use the storage with this container."""
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(number)
    pipes = [context.Pipe() for _ in range(number)]
    access = (url, access_key, secret_key, container)
    processes = [context.Process(target=_run, args=(far, together, *access), daemon=True) for _, far in pipes]
    for process in processes:
        process.start()
    try:
        yield Racers([near for near, _ in pipes])
    finally:
        for process in processes:
            process.terminate()
            process.join()


def _run(connection: Connection, together: Any, url: str, access_key: str, secret_key: str, container: str) -> None:
    bucket, _, prefix = container.partition("/")
    storage = S3Storage(bucket, prefix, region=REGION, endpoint=url)
    storage._client.use_credentials(access_key, secret_key)
    storage._provisioning.server()
    while True:
        operation, transfer, data, sealed = connection.recv()
        together.wait(TIMEOUT)
        connection.send(_result(lambda: _carry_out(storage, operation, transfer, data, sealed)))  # noqa: B023


def _result(call: Callable[[], str]) -> str:
    """Repeat the call while storage asks for that, as a client does."""
    deadline = time.monotonic() + _DECIDED_WITHIN
    while True:
        try:
            return call()
        except StorageUnavailable:
            if time.monotonic() > deadline:
                return "never decided"
            time.sleep(0.05)
        except DirectUploadError as error:
            return type(error).__name__


def _carry_out(storage: S3Storage, operation: Operation, transfer: Transfer, data: bytes, sealed: Sealed | None) -> str:
    if operation == "abort":
        storage.abort(transfer)
        return "done"
    if operation == "complete":
        etag = hashlib.md5(data, usedforsecurity=False).hexdigest()
        sealed = storage.seal(transfer, {0: etag}, pending=True)
    assert sealed is not None
    storage.confirm(transfer, sealed)
    return sealed.etag
