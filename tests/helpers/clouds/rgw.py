"""A Ceph RGW of one's own, with its S3 and its Swift API: one monitor, one OSD and one gateway on loopback ports.

It runs the programs of Debian's packages ``radosgw ceph-mon ceph-osd ceph-common``; ``make test-rgw`` installs them.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from direct_upload_middleware.storage.s3.client import S3Client
from direct_upload_middleware.testing.private_s3.server import REGION, aws_environ
from direct_upload_middleware.testing.private_swift.servers import Servers

PROGRAMS = ("radosgw", "radosgw-admin", "ceph-mon", "ceph-osd", "ceph", "monmaptool")
HOST = "127.0.0.1"
TIMEOUT = 180.0
USER = "tester"

CONFIGURATION = """\
[global]
fsid = {fsid}
mon initial members = a
mon host = [v2:{host}:{mon_port}]
public network = 127.0.0.0/8
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
ms client mode = crc
ms cluster mode = crc
ms service mode = crc
run dir = {directory}
admin socket =
pid file =
log file = {directory}/log/$name.ceph.log
setuser =
setgroup =
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
mon data avail warn = 1
mon data avail crit = 1
[mon.a]
host = localhost
mon data = {directory}/mon
[osd]
osd data = {directory}/osd
osd objectstore = bluestore
bluestore block size = 6442450944
bluestore block create = true
bluestore block db create = false
bluestore block wal create = false
osd memory target = 1073741824
[client.rgw.a]
rgw data = {directory}/rgw
rgw frontends = beast endpoint={host}:{port}
rgw dns name = localhost
rgw enable apis = s3, swift, swift_auth
rgw swift account in url = true
rgw thread pool size = 64
"""


class RgwUnavailable(RuntimeError):
    """A Ceph RGW cannot run here; the message says why."""


@dataclass(frozen=True)
class Rgw:
    """A running gateway and its user."""

    directory: Path
    port: int
    access_key: str = "rgw-tests"
    secret_key: str = "the secret key of the tests"
    swift_user: str = f"{USER}:swift"
    swift_key: str = "testing"

    @property
    def url(self) -> str:
        """The S3 endpoint."""
        return f"http://{HOST}:{self.port}"

    @property
    def swift_auth_url(self) -> str:
        """The URL of Swift's v1 authentication, for :attr:`swift_user` and :attr:`swift_key`."""
        return f"{self.url}/auth/v1.0"

    def environ(self) -> dict[str, str]:
        """Environment variables by which botocore finds this server and its credentials."""
        return aws_environ(self.url, self.access_key, self.secret_key)

    def swift_environ(self) -> dict[str, str]:
        """Environment variables by which openstacksdk logs in to the Swift API."""
        return {
            "OS_AUTH_TYPE": "v1password",
            "OS_AUTH_URL": self.swift_auth_url,
            "OS_USERNAME": self.swift_user,
            "OS_PASSWORD": self.swift_key,
        }

    def storage_url(self, bucket: str) -> str:
        """Make the bucket, if it is missing, and return its storage URL."""
        self.client(bucket).call("create_bucket")
        return f"s3://{bucket}"

    def client(self, bucket: str) -> S3Client:
        """Return a client for this bucket, whatever the environment says."""
        client = S3Client(bucket, region=REGION, endpoint=self.url)
        client.use_credentials(self.access_key, self.secret_key)
        return client


@contextmanager
def rgw_server() -> Iterator[Rgw]:
    """Run a gateway as long as the context, or the process, lasts. Raise RgwUnavailable if it cannot run."""
    missing = [program for program in PROGRAMS if _find(program) is None]
    if missing:
        raise RgwUnavailable(f"{', '.join(missing)} not found: make test-rgw installs Ceph's packages")
    with Servers(timeout=60) as servers:
        rgw = Rgw(servers.directory, _free_port())
        cluster = _Cluster(servers, rgw)
        cluster.start()
        yield rgw


class _Cluster:
    """The processes behind a gateway."""

    def __init__(self, servers: Servers, rgw: Rgw) -> None:
        self._servers = servers
        self._rgw = rgw
        self._directory = rgw.directory
        self._configuration = rgw.directory / "ceph.conf"

    def start(self) -> None:
        self._write_configuration()
        self._start_monitor()
        self._start_osd()
        self._start("rgw", "radosgw", "-n", "client.rgw.a")
        self._await_gateway()
        self._create_user()

    def _write_configuration(self) -> None:
        for name in ("log", "mon", "osd", "rgw"):
            (self._directory / name).mkdir(exist_ok=True)
        self._fsid, self._mon_port = str(uuid.uuid4()), _free_port()
        self._configuration.write_text(
            CONFIGURATION.format(
                fsid=self._fsid, host=HOST, mon_port=self._mon_port, port=self._rgw.port, directory=self._directory
            )
        )

    def _start_monitor(self) -> None:
        monmap = str(self._directory / "monmap")
        address = f"[v2:{HOST}:{self._mon_port}]"
        self._run("monmaptool", "--create", "--addv", "a", address, "--fsid", self._fsid, monmap)
        self._run("ceph-mon", "--mkfs", "-i", "a", "--monmap", monmap)
        self._start("mon", "ceph-mon", "-i", "a")

    def _start_osd(self) -> None:
        identifier = str(uuid.uuid4())
        self._run("ceph", "osd", "new", identifier)  # waits for the monitor
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", identifier)
        self._start("osd", "ceph-osd", "-i", "0")

    def _await_gateway(self) -> None:
        deadline = time.monotonic() + TIMEOUT
        while not self._answers():
            if self._servers.failed() or time.monotonic() > deadline:
                log = self._servers.log_directory / "rgw.log"
                raise RgwUnavailable(f"the gateway did not come up\n{log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self._rgw.url}/swift/info", timeout=10).status_code == 200
        except requests.RequestException:
            return False

    def _create_user(self) -> None:
        rgw = self._rgw
        keys = ("--access-key", rgw.access_key, "--secret-key", rgw.secret_key)
        self._administer("user", "create", "--uid", USER, "--display-name", "Tester", *keys)
        self._administer("subuser", "create", "--uid", USER, "--subuser", rgw.swift_user, "--access", "full")
        swift = ("--subuser", rgw.swift_user, "--key-type", "swift", "--secret", rgw.swift_key)
        self._administer("key", "create", *swift)

    def _administer(self, *arguments: str) -> None:
        self._run("radosgw-admin", "-n", "client.rgw.a", *arguments)

    def _start(self, name: str, program: str, *arguments: str) -> None:
        self._servers.start(name, [self._path(program), *arguments, "-c", str(self._configuration), "-f"])

    def _run(self, program: str, *arguments: str) -> None:
        """Run a program to its end. Raise RgwUnavailable, with what it printed, if it fails."""
        command = [self._path(program), *arguments]
        if program != "monmaptool":
            command += ["-c", str(self._configuration)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
        if ended.returncode:
            raise RgwUnavailable(f"{program} failed ({ended.returncode}): {ended.stderr[-3000:]}")

    def _path(self, program: str) -> str:
        found = _find(program)
        assert found is not None
        return found


def _find(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
