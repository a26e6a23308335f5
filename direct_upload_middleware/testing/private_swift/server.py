"""A private OpenStack Swift for tests and demos.

    with SwiftServer() as swift:
        os.environ.update(swift.environ())
        app = DirectUploadMiddleware(app, "swift://uploads", secret="…")

It runs the programs of the ``swift`` package on loopback ports, in a temporary directory. When the context or the
process ends, even by SIGKILL, the programs end and the directory is removed. It needs Linux and a file system with
user extended attributes (ext4, xfs, overlayfs, tmpfs since Linux 6.6).
"""

from __future__ import annotations

import contextlib
import http.client
import os
import secrets
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from . import config as config
from .machine import SwiftUnavailable, check_attributes, find_program, reserved_ports
from .servers import Servers

__all__ = ["SwiftServer", "SwiftUnavailable"]

#: Swift's name for each program.
PROGRAMS = {
    "account": "account-server",
    "container": "container-server",
    "object": "object-server",
    "proxy": "proxy-server",
    "expirer": "object-expirer",
    "updater": "container-updater",
}
PROGRAM_RUNNER = Path(__file__).with_name("program.py")
RING_WRITER = Path(__file__).with_name("rings.py")
POLL_INTERVAL = 0.02
REQUEST_TIMEOUT = 10
LOG_TAIL = 2000


class SwiftServer:
    """A private Swift, used as a context manager.

    :param directory: a directory that keeps the data; by default a temporary one, which is removed.
    :param port: the proxy's port; by default a free one.
    :param expirer: run the object expirer, which removes expired objects every second.
    :param allowed_digests: the digests of temp URLs.
    :param max_manifest_segments: the greatest number of segments in an SLO; by default Swift's own.
    :param max_file_size: the greatest size of an object in bytes; by default Swift's own.
    :param token_life: the life of a token in seconds.
    :param python: the interpreter of another environment, which has the packages ``swift`` and ``itsdangerous``; by
        default this one. So several versions of Swift can be tried.
    :param start_timeout: how many seconds to wait for the servers.
    :raises SwiftUnavailable: on entry, when Swift is not installed, cannot run here or does not start.
    """

    username, key = config.USERNAME, config.KEY
    #: A user with a separate account, for tests of attacks by other customers.
    other_username, other_key = config.OTHER_USERNAME, config.OTHER_KEY
    _backends: Sequence[str] = config.BACKENDS

    def __init__(
        self,
        directory: str | os.PathLike[str] | None = None,
        *,
        port: int | None = None,
        expirer: bool = False,
        allowed_digests: str = "sha1 sha256 sha512",
        max_manifest_segments: int | None = None,
        max_file_size: int | None = None,
        token_life: int = 86400,
        python: str | os.PathLike[str] | None = None,
        start_timeout: float = 60,
    ) -> None:
        self._kept_directory = Path(directory).resolve() if directory is not None else None
        self._wanted_port = port
        self._expirer = expirer
        self._settings = config.Settings(allowed_digests, max_manifest_segments, max_file_size, token_life)
        self._python = Path(python).absolute() if python is not None else None
        self._start_timeout = start_timeout

    def __enter__(self) -> SwiftServer:
        with contextlib.ExitStack() as stack:
            self._start(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def port(self) -> int:
        """The proxy's port."""
        return self._ports["proxy"]

    @property
    def url(self) -> str:
        """The proxy's URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def auth_url(self) -> str:
        """The URL of Swift's v1 authentication."""
        return f"{self.url}/auth/v1.0"

    @property
    def storage_url(self) -> str:
        """The URL of the account of :attr:`username`."""
        return f"{self.url}/v1/AUTH_test"

    @property
    def other_storage_url(self) -> str:
        """The URL of the account of :attr:`other_username`."""
        return f"{self.url}/v1/AUTH_other"

    @property
    def directory(self) -> Path:
        """The directory of the data, the configuration and the logs."""
        return self._servers.directory

    @property
    def clouds_yaml(self) -> Path:
        """A configuration file for openstacksdk that names this Swift as the cloud ``swift``."""
        return self.directory / "clouds.yaml"

    @property
    def log(self) -> Path:
        """The directory of the servers' logs; ``proxy.log`` has one line per request."""
        return self._servers.log_directory

    @property
    def pids(self) -> dict[str, int]:
        """The process ids by name: ``supervisor``, ``proxy``, ``account``, ``container``, ``object``."""
        return self._servers.pids()

    def environ(self) -> dict[str, str]:
        """Return environment variables for openstacksdk to find this Swift (python-swiftclient must be installed)."""
        return {
            "OS_CLIENT_CONFIG_FILE": str(self.clouds_yaml),
            "OS_CLOUD": "envvars",
            "OS_AUTH_TYPE": "v1password",
            "OS_AUTH_URL": self.auth_url,
            "OS_USERNAME": self.username,
            "OS_PASSWORD": self.key,
        }

    def token(self, username: str = config.USERNAME, key: str = config.KEY) -> str:
        """Log in and return a token. A restarted proxy has forgotten all tokens."""
        status, headers = self._request("GET", "/auth/v1.0", {"X-Auth-User": username, "X-Auth-Key": key})
        if status != http.client.OK:
            raise PermissionError(f"Swift answered {status} to the log-in of {username}")
        return headers["X-Auth-Token"]

    def stop_proxy(self) -> None:
        """Kill the proxy: connections break, and new ones are refused."""
        self._servers.stop("proxy")

    def start_proxy(self) -> None:
        """Start the proxy again on the same port; return when it answers."""
        self._start_program("proxy")
        self._await(lambda: self._is_up("proxy"))

    def restart_proxy(self) -> None:
        """Kill the proxy and start it again."""
        self.stop_proxy()
        self.start_proxy()

    def _start(self, stack: contextlib.ExitStack) -> None:
        find_program("swift-proxy-server", self._python)
        wanted_ports = {**dict.fromkeys(self._backends), "proxy": self._wanted_port}
        self._ports = stack.enter_context(reserved_ports(wanted_ports))
        self._servers = self._enter_servers(stack)
        check_attributes(self.directory)
        config.write(self.directory, self._ports, self._settings)
        self._start_programs()
        self._await(self._stores)

    def _enter_servers(self, stack: contextlib.ExitStack) -> Servers:
        try:
            return stack.enter_context(Servers(self._kept_directory, timeout=self._start_timeout))
        except TimeoutError as error:
            raise SwiftUnavailable(
                f"{self._kept_directory} is in use by another private Swift: end that one or choose another directory"
            ) from error

    def _start_programs(self) -> None:
        """Start all programs at once; only the proxy waits for the rings, and the expirer for the servers."""
        self._servers.start("rings", self._run(RING_WRITER, self.directory, *self._rings()))
        for name in self._backends:
            self._start_program(name)
        self._await(lambda: self._servers.exit_status("rings") == 0)
        self._start_program("proxy")
        self._await(lambda: all(self._is_up(name) for name in self._ports))
        if self._expirer:
            self._start_program("updater")
            self._start_program("expirer")

    def _rings(self) -> list[str]:
        return [f"{name}:{self._ports[name]}" for name in self._backends]

    def _start_program(self, name: str) -> None:
        program = find_program(f"swift-{PROGRAMS[name]}", self._python)
        configuration = self.directory / f"{PROGRAMS[name]}.conf"
        self._servers.start(name, self._run(PROGRAM_RUNNER, self.directory, program, configuration, "--verbose"))

    def _run(self, script: Path, *arguments: str | Path) -> list[str]:
        """Return the command that runs a script without its directory on the module path."""
        return [str(self._python or sys.executable), "-P", str(script), *map(str, arguments)]

    def _await(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + self._start_timeout
        while not _holds(condition):
            failed = self._servers.failed()
            if failed or time.monotonic() > deadline:
                raise SwiftUnavailable(self._explain(failed))
            time.sleep(POLL_INTERVAL)

    def _explain(self, failed: list[str]) -> str:
        what = f"{', '.join(failed)} exited" if failed else f"it did not answer within {self._start_timeout} s"
        logs = (f"--- {path.name}\n{path.read_text(errors='replace')[-LOG_TAIL:]}" for path in self.log.iterdir())
        return "\n".join([f"the private Swift did not start: {what}", *sorted(logs)])

    def _is_up(self, name: str) -> bool:
        status, _ = self._request("GET", "/healthcheck", server=name)
        return status == http.client.OK

    def _stores(self) -> bool:
        """Tell whether a container and an object can be created and deleted, which involves all servers."""
        headers = {"X-Auth-Token": self.token()}
        container = f"/v1/AUTH_test/probe-{secrets.token_hex(8)}"
        steps = [
            ("PUT", container),
            ("PUT", f"{container}/o"),
            ("DELETE", f"{container}/o"),
            ("DELETE", container),
        ]
        return all(self._request(method, path, headers)[0] < http.client.BAD_REQUEST for method, path in steps)

    def _request(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, *, server: str = "proxy"
    ) -> tuple[int, http.client.HTTPMessage]:
        connection = http.client.HTTPConnection("127.0.0.1", self._ports[server], timeout=REQUEST_TIMEOUT)
        with contextlib.closing(connection):
            connection.request(method, path, headers=dict(headers or {}))
            response = connection.getresponse()
            response.read()
            return response.status, response.headers


def _holds(condition: Callable[[], bool]) -> bool:
    """Tell whether the condition is true; a server that does not answer makes it false."""
    try:
        return condition()
    except (OSError, http.client.HTTPException):
        return False
