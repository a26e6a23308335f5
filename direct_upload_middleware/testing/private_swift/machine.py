"""Requirements of a private Swift: its programs, a file system with extended attributes, ports."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path


class SwiftUnavailable(RuntimeError):
    """A private Swift cannot run here; the message says why, and how to fix it."""


def program_directories() -> list[Path]:
    """Return the directories with the programs of the running interpreter's environment."""
    return [Path(sys.executable).parent, Path(sysconfig.get_path("scripts"))]


def find_program(name: str, python: Path | None = None) -> Path:
    """Return the path of one of Swift's programs, in another interpreter's environment where ``python`` is given.

    :raises SwiftUnavailable: when the ``swift`` package is not installed.
    """
    for directory in [python.parent] if python is not None else program_directories():
        if (directory / name).exists():
            return directory / name
    raise SwiftUnavailable(f"{name} is not installed beside {python or sys.executable}: pip install 'swift>=2.33'")


def check_attributes(directory: Path) -> None:
    """Check that the directory's file system has extended attributes, where Swift keeps the metadata of objects.

    :raises SwiftUnavailable: when it has none.
    """
    probe = directory / f"attributes-{secrets.token_hex(8)}"
    probe.touch()
    try:
        os.setxattr(probe, "user.swift.metadata", b"probe")
    except (AttributeError, OSError) as error:
        raise SwiftUnavailable(
            f"{directory} is on a file system without user extended attributes, which Swift needs: choose a directory"
            " on another one (ext4, xfs, overlayfs, or tmpfs since Linux 6.6) with directory= or the environment"
            " variable TMPDIR"
        ) from error
    finally:
        probe.unlink()


@contextlib.contextmanager
def reserved_ports(wanted: dict[str, int | None]) -> Iterator[dict[str, int]]:
    """Reserve a loopback port for each name, the wanted one or a free one, as long as this context lasts.

    A bound socket with ``SO_REUSEPORT`` that does not listen holds each port: a server of the same user that sets
    this option, like Swift's servers, can still listen there, even after a restart.

    :raises SwiftUnavailable: when a wanted port is in use.
    """
    with contextlib.ExitStack() as stack:
        yield {name: _reserve(stack.enter_context(_tcp_socket()), port) for name, port in wanted.items()}


def _tcp_socket() -> socket.socket:
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM)


def _reserve(holder: socket.socket, port: int | None) -> int:
    if port:
        _check_free(port)
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    holder.bind(("127.0.0.1", port or 0))
    bound: int = holder.getsockname()[1]
    return bound


def _check_free(port: int) -> None:
    """Raise SwiftUnavailable if the port is in use; ``SO_REUSEPORT`` would share it with another private Swift."""
    with _tcp_socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # ignore connections in TIME_WAIT
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise SwiftUnavailable(f"port {port} is not available ({error.strerror}): choose another one") from error
