"""A private Swift that keeps three replicas of everything, on three nodes that can be stopped."""

from __future__ import annotations

import configparser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from direct_upload_middleware.testing.private_swift.config import BACKENDS
from direct_upload_middleware.testing.private_swift.machine import find_program
from direct_upload_middleware.testing.private_swift.server import PROGRAM_RUNNER, PROGRAMS, SwiftServer

NODES = (1, 2, 3)


def _servers_of(node: int) -> list[str]:
    """Return the names of a node's servers. Those of the first node are named as a private Swift's."""
    return [program if node == 1 else f"{program}-{node}" for program in BACKENDS]


class ReplicatedSwift(SwiftServer):
    """Each node has an account, a container and an object server.

    No replicator runs: a node that was down does not get what it missed.
    """

    _backends = tuple(name for node in NODES for name in _servers_of(node))

    def _rings(self) -> list[str]:
        ports = [[str(self._ports[name]) for name in _servers_of(node)] for node in NODES]
        return [f"{program}:{','.join(of_nodes)}" for program, *of_nodes in zip(BACKENDS, *ports, strict=True)]

    def _start_program(self, name: str) -> None:
        program, _, node = name.partition("-")
        if not node:
            super()._start_program(name)
            return
        (self.directory / "devices" / f"d{node}").mkdir(exist_ok=True)
        command = find_program(f"swift-{PROGRAMS[program]}", self._python)
        arguments = (PROGRAM_RUNNER, self.directory, command, self._configuration(name, program), "--verbose")
        self._servers.start(name, self._run(*arguments))

    def _configuration(self, name: str, program: str) -> Path:
        """Write the configuration of another node's server, after that of the first node."""
        parser = configparser.RawConfigParser()
        parser.read(self.directory / f"{PROGRAMS[program]}.conf", encoding="utf-8")
        parser["DEFAULT"]["bind_port"] = str(self._ports[name])
        path = self.directory / f"{name}.conf"
        with path.open("w", encoding="utf-8") as file:
            parser.write(file)
        return path

    @contextmanager
    def node_down(self, node: int) -> Iterator[None]:
        """Stop the servers of a node; start them again at the end."""
        for name in _servers_of(node):
            self._servers.stop(name)
        try:
            yield
        finally:
            for name in _servers_of(node):
                self._start_program(name)
            self._await(lambda: all(self._is_up(name) for name in _servers_of(node)))
