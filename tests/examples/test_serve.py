"""What runs the examples starts at an address that it prints, and ends without a trace."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from click.testing import CliRunner

from direct_upload_middleware.cli import main as cli
from direct_upload_middleware.testing import SwiftServer, SwiftUnavailable
from examples import serve

CHECKOUT = Path(__file__).parents[2]
EXAMPLE = (sys.executable, "-m", "examples.plain")
COMMAND = (sys.executable, "-c", "from direct_upload_middleware.cli import main; main()", "demo")


@contextlib.contextmanager
def running(
    temporary: Path, *arguments: str, program: tuple[str, ...] = EXAMPLE, **environ: str
) -> Iterator[subprocess.Popen[str]]:
    """The example, in a process of its own, whose temporary files are in ``temporary``."""
    process = subprocess.Popen(
        [*program, *arguments],
        cwd=CHECKOUT,
        env={**os.environ, "TMPDIR": str(temporary), **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def address(process: subprocess.Popen[str]) -> str:
    """What it prints when it serves."""
    assert process.stdout is not None
    printed = []
    for line in process.stdout:
        printed.append(line)
        if line.strip().startswith("Open "):
            return line.split()[1]
    pytest.fail(f"it did not start: {''.join(printed)}")


def stop(process: subprocess.Popen[str], number: signal.Signals) -> str:
    """What it prints after the signal."""
    process.send_signal(number)
    output, _ = process.communicate(timeout=30)
    return output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
@pytest.mark.parametrize("storage", ["local", "swift"])
def test_it_serves_until_a_signal_stops_it(tmp_path: Path, storage: str, number: signal.Signals) -> None:
    with running(tmp_path, "--storage", storage, "--port", "0") as process:
        with urlopen(address(process), timeout=30) as page:
            assert b"Log in" in page.read()
        output = stop(process, number)
    assert output.splitlines()[-1] == "Stopped."
    assert "Traceback" not in output
    assert process.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_the_demo_command_runs_from_the_installed_package(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    arguments = ("--storage", "local", "--port", "0", "--keep", str(kept))
    with running(tmp_path, *arguments, program=COMMAND) as process:
        shelf = address(process)
        for path in ("", "style.css", "_upload/static/direct-upload.js"):
            with urlopen(shelf + path, timeout=30) as answer:
                assert answer.status == 200
        output = stop(process, signal.SIGINT)
    assert output.splitlines()[-1] == "Stopped."
    assert (process.returncode, "Traceback" in output) == (0, False)
    assert (kept / "shelf.sqlite3").exists()


def test_the_demo_command_names_the_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "waitress.server", None)
    monkeypatch.delitem(sys.modules, "direct_upload_middleware.demo.serve", raising=False)
    result = CliRunner().invoke(cli, ["demo"])
    assert (result.exit_code, "direct-upload-middleware[demo]" in result.stderr) == (1, True)
    assert "waitress" in result.stderr


def test_it_can_be_stopped_while_swift_starts(tmp_path: Path) -> None:
    with running(tmp_path, "--storage", "swift", "--port", "0") as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Starting a private Swift")
        output = stop(process, signal.SIGINT)
    assert "Traceback" not in output
    assert process.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_a_used_default_port_is_replaced_by_the_next_free_one(tmp_path: Path) -> None:
    with (
        running(tmp_path, "--storage", "local") as first,
        running(tmp_path, "--storage", "local") as second,
    ):
        addresses = {address(first), address(second)}
        assert len(addresses) == 2
        for each in addresses:
            with urlopen(each, timeout=30) as page:
                assert page.status == 200


def test_a_given_port_in_use_is_an_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with running(tmp_path, "--storage", "local", "--port", port) as process:
            output, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert f"port {port}" in output
    assert "Traceback" not in output


def test_keep_preserves_files_and_database(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    secrets = []
    for _ in range(2):
        with running(tmp_path, "--storage", "local", "--port", "0", "--keep", str(kept)) as process:
            address(process)
            stop(process, signal.SIGTERM)
        secrets.append((kept / "secret").read_text())
    assert secrets[0] == secrets[1]
    assert (kept / "shelf.sqlite3").exists()


@pytest.mark.parametrize("name", ["plain", "flask_app", "bottle_app", "pyramid_app", "django_app"])
def test_clean_up_deletes_unused_uploads_and_ends(tmp_path: Path, name: str) -> None:
    arguments = ("--storage", "local", "--keep", str(tmp_path / "kept"), "--clean-up")
    with running(tmp_path, *arguments, program=(sys.executable, "-m", f"examples.{name}")) as process:
        output, _ = process.communicate(timeout=60)
    assert (process.returncode, "Deleted files: 0" in output) == (0, True), output


def no_swift(directory: Path | None) -> SwiftServer:
    raise SwiftUnavailable("no extended attributes here\nand a log")


def test_without_swift_files_go_into_a_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(serve, "SwiftServer", no_swift)
    with contextlib.ExitStack() as stack:
        url = serve.start_storage(serve.parser().parse_args([]), tmp_path, stack)
    assert url == f"local:{tmp_path}/files"
    assert "No private Swift (no extended attributes here)" in capsys.readouterr().out


def test_storage_swift_is_an_error_if_swift_cannot_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "SwiftServer", no_swift)
    with contextlib.ExitStack() as stack, pytest.raises(SystemExit, match="no extended attributes here"):
        serve.start_storage(serve.parser().parse_args(["--storage", "swift"]), tmp_path, stack)
