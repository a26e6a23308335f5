"""A real Keystone, and a Swift of three replicas that authenticates with it through two proxies with a cache each.

All run in the environment that ``make test-keystone`` makes.
"""

from __future__ import annotations

import configparser
import getpass
import grp
import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from direct_upload_middleware.testing.private_swift.machine import find_program, reserved_ports
from direct_upload_middleware.testing.private_swift.server import PROGRAM_RUNNER
from direct_upload_middleware.testing.private_swift.servers import Servers
from helpers.clouds.replicated_swift import ReplicatedSwift

PASSWORD = "of-the-tests"
CACHE_SECONDS = 5
"""How long a proxy remembers a container or the account, instead of Swift's minute."""
PATIENCE = 120
_SERVE = """\
import sys
port = sys.argv[1]
sys.argv = ["keystone"]
from keystone.wsgi.api import application
import waitress
waitress.serve(application, host="127.0.0.1", port=int(port), threads=8)
"""
_CONFIGURATION = """\
[database]
connection = sqlite:///{directory}/keystone.db
[token]
provider = fernet
[fernet_tokens]
key_repository = {directory}/fernet
[credential]
key_repository = {directory}/credential
[cache]
enabled = false
[identity]
password_hash_rounds = 4
"""


@dataclass
class Identity:
    """Keystone's API, for its administrator."""

    url: str
    token: str = field(default="", repr=False)
    ids: dict[str, str] = field(default_factory=dict)

    def log_in(self) -> None:
        user = {"name": "admin", "domain": {"id": "default"}, "password": PASSWORD}
        scope = {"project": {"name": "admin", "domain": {"id": "default"}}}
        self.token = self._tokens(user, scope)

    def _tokens(self, user: dict[str, Any], scope: dict[str, Any]) -> str:
        identity = {"methods": ["password"], "password": {"user": user}}
        body = {"auth": {"identity": identity, "scope": scope}}
        response = requests.post(f"{self.url}/auth/tokens", json=body, timeout=PATIENCE)
        assert response.status_code == 201, response.text
        return response.headers["X-Subject-Token"]

    def call(self, method: str, path: str, body: Any = None, token: str = "") -> Any:
        headers = {"X-Auth-Token": token or self.token}
        response = requests.request(method, f"{self.url}/{path}", json=body, headers=headers, timeout=PATIENCE)
        assert response.ok, (path, response.text)
        return response.json() if response.content else None

    def make(self, kind: str, name: str, **more: Any) -> str:
        """Make a project, user, role or service; return its id."""
        body = {kind: {"name": name, **({"domain_id": "default"} if kind in ("project", "user") else {}), **more}}
        self.ids[name] = self.call("POST", f"{kind}s", body)[kind]["id"]
        return self.ids[name]

    def grant(self, project: str, user: str, role: str) -> None:
        self.call("PUT", f"projects/{self.ids[project]}/users/{self.ids[user]}/roles/{self.ids[role]}")

    def endpoint(self, region: str, interface: str, url: str) -> None:
        body = {"service_id": self.ids["swift"], "interface": interface, "region": region, "url": url}
        self.call("POST", "endpoints", {"endpoint": body})

    def application_credential(self, user: str, role: str) -> dict[str, str]:
        """Return the ``auth`` of a cloud in clouds.yaml."""
        scope = {"project": {"id": self.ids["app"]}}
        token = self._tokens({"id": self.ids[user], "password": PASSWORD}, scope)
        body = {"application_credential": {"name": f"of-{role}", "roles": [{"id": self.ids[role]}]}}
        made = self.call("POST", f"users/{self.ids[user]}/application_credentials", body, token)[
            "application_credential"
        ]
        return {
            "auth_url": self.url,
            "application_credential_id": made["id"],
            "application_credential_secret": made["secret"],
        }


@dataclass(frozen=True)
class Cloud:
    """Keystone and the proxies: ``a`` and ``b`` are right, ``early`` has ``delay_auth_decision = false``."""

    identity: Identity
    swift: ReplicatedSwift
    proxies: dict[str, str]
    credentials: dict[str, dict[str, str]] = field(repr=False)

    def password(self, user: str, project: str | None = "app") -> dict[str, str]:
        """Return the ``auth`` of a cloud in clouds.yaml."""
        auth = {"auth_url": self.identity.url, "username": user, "password": PASSWORD, "user_domain_id": "default"}
        return {**auth, **({"project_name": project, "project_domain_id": "default"} if project else {})}

    def write_clouds(self, path: Path, **clouds: dict[str, Any]) -> None:
        """Write a clouds.yaml, as JSON, which is valid YAML."""
        path.write_text(json.dumps({"clouds": clouds}), encoding="utf-8")


@contextmanager
def keystone_cloud(python: Path) -> Iterator[Cloud]:
    """Run it all, by the interpreter of the environment that has Keystone and Swift."""
    with ExitStack() as stack:
        swift = stack.enter_context(ReplicatedSwift(python=python, start_timeout=PATIENCE))
        wanted = dict.fromkeys(("keystone", "a", "b", "early"))
        ports = stack.enter_context(reserved_ports(wanted))
        ports["keystone"] = _free_port()
        servers = stack.enter_context(Servers(timeout=PATIENCE))
        identity = _start_keystone(servers, python, ports["keystone"])
        proxies = {name: f"http://127.0.0.1:{ports[name]}" for name in ("a", "b", "early")}
        credentials = _make_identities(identity, proxies)
        for name in proxies:
            configuration = _write_proxy(swift, name, ports[name], identity.url, delay=name != "early")
            program = find_program("swift-proxy-server", python)
            arguments = [str(PROGRAM_RUNNER), str(swift.directory), str(program), str(configuration), "--verbose"]
            servers.start(name, [str(python), "-P", *arguments])
        for name, url in proxies.items():
            _await(f"{url}/healthcheck", servers, name)
        yield Cloud(identity, swift, proxies, credentials)


def _free_port() -> int:
    """Return a port for Keystone, whose server does not share ports."""
    with reserved_ports({"keystone": None}) as ports:
        return ports["keystone"]


def _start_keystone(servers: Servers, python: Path, port: int) -> Identity:
    directory = servers.directory
    configuration = directory / "keystone.conf"
    configuration.write_text(_CONFIGURATION.format(directory=directory), encoding="utf-8")
    url = f"http://127.0.0.1:{port}/v3"
    bootstrap = ["bootstrap", "--bootstrap-password", PASSWORD]
    bootstrap += ["--bootstrap-public-url", url, "--bootstrap-internal-url", url]
    for name in ("fernet", "credential"):
        (directory / name).mkdir(mode=0o700)
    owner = ["--keystone-user", getpass.getuser(), "--keystone-group", grp.getgrgid(os.getgid()).gr_name]
    for arguments in (["db_sync"], ["fernet_setup", *owner], ["credential_setup", *owner], bootstrap):
        command = [str(python.parent / "keystone-manage"), "--config-file", str(configuration), *arguments]
        subprocess.run(command, check=True, capture_output=True)
    environ = f"OS_KEYSTONE_CONFIG_FILES={configuration}"
    servers.start("keystone", ["env", environ, str(python), "-c", _SERVE, str(port)])
    _await(url, servers, "keystone")
    identity = Identity(url)
    identity.log_in()
    return identity


def _make_identities(identity: Identity, proxies: dict[str, str]) -> dict[str, dict[str, str]]:
    for role in identity.call("GET", "roles")["roles"]:
        identity.ids[role["name"]] = role["id"]
    for project in ("service", "app", "empty"):
        identity.make("project", project)
    for user in ("swift-service", "operator", "member-only", "stranger"):
        identity.make("user", user, password=PASSWORD)
    identity.make("role", "swiftoperator")
    identity.grant("service", "swift-service", "admin")
    for role in ("swiftoperator", "member"):
        identity.grant("app", "operator", role)
    identity.grant("app", "member-only", "member")
    identity.grant("empty", "stranger", "member")
    identity.make("service", "swift", type="object-store")
    for name, url in proxies.items():
        identity.call("POST", "regions", {"region": {"id": name}})
        identity.endpoint(name, "public", f"{url}/v1/AUTH_%(project_id)s")
    identity.endpoint("b", "internal", f"{proxies['a']}/v1/AUTH_%(project_id)s")
    return {role: identity.application_credential("operator", role) for role in ("swiftoperator", "member")}


def _write_proxy(swift: ReplicatedSwift, name: str, port: int, keystone: str, *, delay: bool) -> Path:
    """Write the configuration of a proxy that authenticates with Keystone, after that of the private Swift."""
    parser = configparser.RawConfigParser()
    parser.read(swift.directory / "proxy-server.conf", encoding="utf-8")
    pipeline = parser["pipeline:main"]["pipeline"]
    auth = "authtoken keystoneauth"
    # Where the decision is not delayed, it is made before temp URLs are looked at.
    pipeline = (
        pipeline.replace("tempauth", auth)
        if delay
        else pipeline.replace("tempauth ", "").replace("bulk tempurl", f"bulk {auth} tempurl")
    )
    parser["pipeline:main"]["pipeline"] = pipeline
    parser["DEFAULT"]["bind_port"] = str(port)
    for option in ("recheck_container_existence", "recheck_account_existence"):
        parser["app:proxy-server"][option] = str(CACHE_SECONDS)
    parser["filter:authtoken"] = {
        "paste.filter_factory": "keystonemiddleware.auth_token:filter_factory",
        "www_authenticate_uri": keystone,
        "auth_url": keystone,
        "auth_plugin": "password",
        "project_domain_id": "default",
        "user_domain_id": "default",
        "project_name": "service",
        "username": "swift-service",
        "password": PASSWORD,
        "delay_auth_decision": str(delay).lower(),
        "include_service_catalog": "False",
        "service_type": "object-store",
        "cache": "swift.cache",
    }
    parser["filter:keystoneauth"] = {
        "use": "egg:swift#keystoneauth",
        "reseller_prefix": "AUTH",
        "operator_roles": "admin, swiftoperator",
    }
    path = swift.directory / f"proxy-{name}.conf"
    with path.open("w", encoding="utf-8") as file:
        parser.write(file)
    return path


def _await(url: str, servers: Servers, name: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            if requests.get(url, timeout=PATIENCE).ok:
                return
        except requests.ConnectionError:
            log = servers.log_directory / f"{name}.log"
            text = log.read_text(errors="replace")[-3000:] if log.exists() else ""
            assert servers.exit_status(name) is None, text
            assert time.monotonic() < deadline, text
            time.sleep(0.1)
