"""The configuration files of a private Swift. Everything here is pure except :func:`write`."""

from __future__ import annotations

import json
import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

USERNAME, KEY = "test:tester", "testing"
OTHER_USERNAME, OTHER_KEY = "other:other", "testing2"

#: The servers that store data, behind the proxy.
BACKENDS = ("account", "container", "object")

PIPELINE = (
    "catch_errors gatekeeper healthcheck proxy-logging cache bulk tempurl formpost tempauth copy container-quotas"
    " slo dlo versioned_writes symlink proxy-server"
)

#: Longer timeouts than Swift's default of half a second: on a busy machine a server may be slow, and with one replica
#: there is no other server to try.
PATIENCE = {"conn_timeout": "5", "node_timeout": "60"}


@dataclass(frozen=True)
class Settings:
    """The settings that differ between private Swifts. ``None`` keeps Swift's default."""

    allowed_digests: str
    max_manifest_segments: int | None
    max_file_size: int | None
    token_life: int


def files(directory: Path, ports: Mapping[str, int], settings: Settings) -> dict[str, str]:
    """Return the text of each file by its name."""
    return {
        "swift.conf": _ini(_swift_conf(settings)),
        "proxy-server.conf": _ini(_proxy(directory, ports["proxy"], settings)),
        **{f"{name}-server.conf": _ini(_backend(directory, name, ports[name])) for name in BACKENDS},
        "object-expirer.conf": _ini(_expirer(directory)),
        "container-updater.conf": _ini(_updater(directory)),
        "internal-client.conf": _ini(_internal_client(directory)),
        "clouds.yaml": _clouds(f"http://127.0.0.1:{ports['proxy']}/auth/v1.0"),
    }


def write(directory: Path, ports: Mapping[str, int], settings: Settings) -> None:
    """Write all files, and create the directory for data."""
    (directory / "devices" / "d1").mkdir(parents=True, exist_ok=True)
    for name, text in files(directory, ports, settings).items():
        (directory / name).write_text(text, encoding="utf-8")


Sections = Mapping[str, Mapping[str, object]]


def _ini(sections: Sections) -> str:
    """Return the sections as an ini file; leave out options that are ``None``."""
    return "\n".join(
        f"[{title}]\n" + "".join(f"{key} = {value}\n" for key, value in options.items() if value is not None)
        for title, options in sections.items()
    )


def _swift_conf(settings: Settings) -> Sections:
    return {
        # Not a secret here. It must not change, so that a kept directory can be used again.
        "swift-hash": {"swift_hash_path_prefix": "private", "swift_hash_path_suffix": "swift"},
        "storage-policy:0": {"name": "default", "default": "yes"},
        "swift-constraints": {"max_file_size": settings.max_file_size},
    }


def _common(directory: Path) -> dict[str, object]:
    """Return the options of every program. The log is on standard error; syslog's copy goes to the discard port."""
    return {
        "swift_dir": directory,
        "devices": directory / "devices",
        "recon_cache_path": directory,
        "mount_check": "false",
        "log_udp_host": "127.0.0.1",
        "log_udp_port": 9,
    }


def _server(directory: Path, port: int) -> dict[str, object]:
    return {**_common(directory), "bind_ip": "127.0.0.1", "bind_port": port, "workers": 0}


def _backend(directory: Path, name: str, port: int) -> Sections:
    default = {
        **_server(directory, port),
        "disable_fallocate": "true",
        "fallocate_reserve": 0,
        "log_level": "WARNING",
    }
    # A listing shows an object only after its container was updated: wait for that update.
    app = {**PATIENCE, "container_update_timeout": "60"}
    return {
        "DEFAULT": default,
        "pipeline:main": {"pipeline": f"healthcheck {name}-server"},
        "filter:healthcheck": {"use": "egg:swift#healthcheck"},
        f"app:{name}-server": {"use": f"egg:swift#{name}", **app},
    }


def _proxy(directory: Path, port: int, settings: Settings) -> Sections:
    return {
        "DEFAULT": _server(directory, port),
        "pipeline:main": {"pipeline": PIPELINE},
        **_filters("catch_errors gatekeeper healthcheck bulk formpost copy dlo versioned_writes symlink"),
        "filter:proxy-logging": {"use": "egg:swift#proxy_logging"},
        "filter:cache": {"paste.filter_factory": f"{__package__}.cache:filter_factory"},
        "filter:container-quotas": {"use": "egg:swift#container_quotas"},
        "filter:tempurl": {"use": "egg:swift#tempurl", "allowed_digests": settings.allowed_digests},
        # By default Swift limits small segments to one per second; tests use small segments only.
        "filter:slo": {
            "use": "egg:swift#slo",
            "max_manifest_segments": settings.max_manifest_segments,
            "rate_limit_under_size": 0,
        },
        "filter:tempauth": _tempauth(settings),
        "app:proxy-server": _proxy_app(),
    }


def _filters(names: str) -> Sections:
    return {f"filter:{name}": {"use": f"egg:swift#{name}"} for name in names.split()}


def _tempauth(settings: Settings) -> dict[str, object]:
    return {
        "use": "egg:swift#tempauth",
        "token_life": settings.token_life,
        **{
            f"user_{username.replace(':', '_')}": f"{key} .admin"
            for username, key in ((USERNAME, KEY), (OTHER_USERNAME, OTHER_KEY))
        },
    }


def _proxy_app() -> dict[str, object]:
    return {
        "use": "egg:swift#proxy",
        "account_autocreate": "true",
        **PATIENCE,
        # Never exclude a server because of its errors: with one replica, Swift would answer 503.
        "error_suppression_limit": 1_000_000_000,
    }


def _daemon(directory: Path) -> dict[str, object]:
    return {**_common(directory), "user": pwd.getpwuid(os.getuid()).pw_name, "log_level": "WARNING"}


def _expirer(directory: Path) -> Sections:
    expirer = {"interval": 1, "internal_client_conf_path": directory / "internal-client.conf"}
    return {"DEFAULT": _daemon(directory), "object-expirer": expirer}


def _updater(directory: Path) -> Sections:
    """Return the updater's configuration. The expirer finds its work only through the updater."""
    return {"DEFAULT": _daemon(directory), "container-updater": {"interval": 1, **PATIENCE}}


def _internal_client(directory: Path) -> Sections:
    return {
        "DEFAULT": _common(directory),
        "pipeline:main": {"pipeline": "catch_errors cache proxy-server"},
        **_filters("catch_errors"),
        "filter:cache": {"paste.filter_factory": f"{__package__}.cache:filter_factory"},
        "app:proxy-server": _proxy_app(),
    }


def _clouds(auth_url: str) -> str:
    """Return ``clouds.yaml``, written as JSON, which is valid YAML."""
    auth = {"auth_url": auth_url, "username": USERNAME, "password": KEY}
    return json.dumps({"clouds": {"swift": {"auth_type": "v1password", "auth": auth}}}, indent=2) + "\n"
