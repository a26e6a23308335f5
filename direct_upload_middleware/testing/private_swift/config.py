"""The configuration files of a private Swift. Pure, but for :func:`write`."""

from __future__ import annotations

import json
import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

USERNAME, KEY = "test:tester", "testing"
OTHER_USERNAME, OTHER_KEY = "other:other", "testing2"

#: Those that hold data; the proxy talks to them.
BACKENDS = ("account", "container", "object")

PIPELINE = (
    "catch_errors gatekeeper healthcheck proxy-logging cache bulk tempurl formpost tempauth copy container-quotas"
    " slo dlo versioned_writes symlink proxy-logging proxy-server"
)

#: One replica on a busy machine: what Swift would give up on after half a second may only be slow here, and there
#: is no other replica to turn to.
PATIENCE = {"conn_timeout": "5", "node_timeout": "60"}


@dataclass(frozen=True)
class Settings:
    """What differs from one private Swift to the next. ``None`` leaves Swift's own default."""

    allowed_digests: str
    max_manifest_segments: int | None
    max_file_size: int | None
    token_life: int


def files(directory: Path, ports: Mapping[str, int], settings: Settings) -> dict[str, str]:
    """The text of each file by its name."""
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
    (directory / "devices" / "d1").mkdir(parents=True, exist_ok=True)
    for name, text in files(directory, ports, settings).items():
        (directory / name).write_text(text, encoding="utf-8")


Sections = Mapping[str, Mapping[str, object]]


def _ini(sections: Sections) -> str:
    """The sections as an ini file; what is ``None`` is left out."""
    return "\n".join(
        f"[{title}]\n" + "".join(f"{key} = {value}\n" for key, value in options.items() if value is not None)
        for title, options in sections.items()
    )


def _swift_conf(settings: Settings) -> Sections:
    return {
        # Not a secret here, and the same each time, so that a directory that was kept is understood again.
        "swift-hash": {"swift_hash_path_prefix": "private", "swift_hash_path_suffix": "swift"},
        "storage-policy:0": {"name": "default", "default": "yes"},
        "swift-constraints": {"max_file_size": settings.max_file_size},
    }


def _common(directory: Path) -> dict[str, object]:
    """What every program needs. The log that is read is standard error's; syslog's copy goes to the discard port."""
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
    # A listing shows an object only once its container was told, so nothing but failure ends the wait for that.
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
        # Swift gives out small segments at one a second, against abuse; tests have no others.
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
        # With one replica, a server that is shunned for its errors is a Swift that answers 503.
        "error_suppression_limit": 1_000_000_000,
    }


def _daemon(directory: Path) -> dict[str, object]:
    return {**_common(directory), "user": pwd.getpwuid(os.getuid()).pw_name, "log_level": "WARNING"}


def _expirer(directory: Path) -> Sections:
    expirer = {"interval": 1, "internal_client_conf_path": directory / "internal-client.conf"}
    return {"DEFAULT": _daemon(directory), "object-expirer": expirer}


def _updater(directory: Path) -> Sections:
    """Without it the expirer's account does not come to know of the containers with the work to do."""
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
    """JSON is YAML, too."""
    auth = {"auth_url": auth_url, "username": USERNAME, "password": KEY}
    return json.dumps({"clouds": {"swift": {"auth_type": "v1password", "auth": auth}}}, indent=2) + "\n"
