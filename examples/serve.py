"""Runs an example application with a storage and a server.

By default, the storage is a private OpenStack Swift on this machine. If that cannot run, files go into a directory.
Everything is in a temporary directory, which is deleted at the end unless ``--keep`` names another one.
"""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING
from urllib.parse import quote

from waitress.server import create_server

from direct_upload_middleware.errors import ConfigurationError
from direct_upload_middleware.testing import S3Server, S3Unavailable, SwiftServer, SwiftUnavailable

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    MakeApp = Callable[[Path, str, str], WSGIApplication]
    CleanUp = Callable[[Path, str, str], int]

HOST = "127.0.0.1"
PORT = 8080
THREADS = 8


def main(make_app: MakeApp, arguments: list[str] | None = None, *, clean_up: CleanUp | None = None) -> None:
    """Serve until Ctrl-C or SIGTERM, or clean up.

    :param make_app: takes a directory for data, a storage URL and a secret.
    :param clean_up: takes the same, deletes what nobody wants any more, and returns how many files that were.
    """
    options = parser().parse_args(arguments)
    _on_signals(_stop)
    try:
        with ExitStack() as stack:
            stack.callback(_on_signals, signal.SIG_IGN)  # nothing may interrupt the cleanup
            if options.clean_up and clean_up:
                data = data_directory(options.keep, stack)
                number = clean_up(data, start_storage(options, data, stack), secret_in(data))
                print(f"Deleted files: {number}")
                return
            serve(make_app, options, stack)
    except KeyboardInterrupt:
        pass  # waitress handles it itself; this one came before waitress ran
    print("\nStopped.")


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Try direct uploads on this machine.")
    parser.add_argument("--storage", choices=("swift", "s3", "local"), help="default: swift, if it can run")
    parser.add_argument("--port", type=int, help=f"default: {PORT}, or the next free port; 0 for any free port")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep files and database here")
    parser.add_argument("--clean-up", action="store_true", help="delete what was never sent, or deleted, a day ago")
    return parser


def serve(make_app: MakeApp, options: argparse.Namespace, stack: ExitStack) -> None:
    listener = stack.enter_context(listen(options.port))
    data = data_directory(options.keep, stack)
    storage = start_storage(options, data, stack)
    server = create_server(make_app(data, storage, secret_in(data)), sockets=[listener], threads=THREADS)
    stack.callback(server.close)
    print(f"\n  Open http://{HOST}:{listener.getsockname()[1]}/\n\n  Ctrl-C stops it.", flush=True)
    server.run()


def listen(port: int | None) -> socket.socket:
    """Return a socket at the given port; without one, at the first free port from the default on."""
    for candidate in range(PORT, PORT + 100) if port is None else [port]:
        try:
            return socket.create_server((HOST, candidate))
        except OSError as error:
            refusal = error
    sys.exit(f"Cannot listen on port {candidate}: {refusal.strerror}. Choose another with --port.")


def data_directory(kept: Path | None, stack: ExitStack) -> Path:
    if kept is None:
        return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="direct-upload-example-")))
    kept.mkdir(parents=True, exist_ok=True)
    return kept.resolve()


def start_storage(options: argparse.Namespace, data: Path, stack: ExitStack) -> str:
    """Start the storage, and return its URL."""
    if options.storage == "s3":
        return start_s3(data / "s3" if options.keep else None, stack)
    if options.storage != "local":
        try:
            return start_swift(data / "swift" if options.keep else None, stack)
        except SwiftUnavailable as error:
            if options.storage == "swift":
                sys.exit(f"No private Swift: {error}")
            print(f"No private Swift ({str(error).splitlines()[0]}).\nFiles go into a directory instead.")
    print(f"Storage: the directory {data / 'files'}")
    return f"local:{quote(str(data / 'files'))}"


def start_swift(directory: Path | None, stack: ExitStack) -> str:
    print("Starting a private Swift …", flush=True)
    swift = stack.enter_context(SwiftServer(directory))
    os.environ["OS_CLIENT_CONFIG_FILE"] = str(swift.clouds_yaml)
    print(f"Storage: Swift at {swift.storage_url}")
    return "swift://shelf?cloud=swift"


def start_s3(directory: Path | None, stack: ExitStack) -> str:
    print("Starting a private S3 server …", flush=True)
    try:
        s3 = stack.enter_context(S3Server(directory))
        storage = s3.storage_url("shelf")
    except (S3Unavailable, ConfigurationError) as error:
        sys.exit(f"No private S3 server: {error}")
    os.environ.update(s3.environ())
    print(f"Storage: S3 at {s3.url}")
    return storage


def secret_in(data: Path) -> str:
    """Return a secret that is stored, so that sessions and receipts remain valid after a restart."""
    path = data / "secret"
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32))
    except FileExistsError:
        pass
    return path.read_text()


def _stop(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _on_signals(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)
