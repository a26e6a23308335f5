"""``direct-upload``: setup, sweep, rotate-key, and how they fail."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import requests
from click.testing import CliRunner, Result
from helpers.faults.changed_answers import meddling
from helpers.faults.no_container_keys import drop_keys
from helpers.uploads import ONE, SEVERAL, Site, swift_storage

from direct_upload_middleware.cli import main
from direct_upload_middleware.cli.common import age_text, bytes_text
from direct_upload_middleware.storage.swift.admin import SwiftAdmin
from direct_upload_middleware.storage.swift.headers import ACCOUNT_KEYS, CONTAINER_KEYS
from direct_upload_middleware.testing.private_swift.server import SwiftServer

ORIGIN = "https://app.example.com"
SECRET = "a-secret,of-the-tests"


def run(*arguments: str, **environ: str) -> Result:
    return CliRunner().invoke(main, arguments, env={"DIRECT_UPLOAD_SECRET": SECRET, **environ})


@pytest.fixture
def container() -> str:
    return f"cli-{secrets.token_hex(4)}"


@pytest.fixture
def own_server() -> Iterator[SwiftServer]:
    """A Swift whose account nobody else uses."""
    with SwiftServer() as server:
        yield server


def headers_of(server: SwiftServer, *container: str) -> requests.structures.CaseInsensitiveDict[str]:
    url = "/".join((server.storage_url, *container))
    return requests.head(url, headers={"X-Auth-Token": server.token()}, timeout=30).headers


def keys_of(server: SwiftServer, *container: str) -> list[str]:
    headers = headers_of(server, *container)
    return [headers.get(name, "") for name in (CONTAINER_KEYS if container else ACCOUNT_KEYS)]


@pytest.mark.usefixtures("swift_environ")
class TestSetup:
    def test_setup_creates_what_is_missing_and_nothing_when_repeated(
        self, swift_server: SwiftServer, container: str
    ) -> None:
        url = f"swift://{container}"
        first = run("setup", url, "--origin", ORIGIN, "--quota", "1000000")
        assert first.exit_code == 0, first.output
        assert f"done: create container {container}" in first.output
        assert f"done: let pages of {ORIGIN} use {container}_staging" in first.output
        headers = headers_of(swift_server, container)
        assert headers["X-Container-Meta-Quota-Bytes"] == "1000000"
        assert headers["X-Container-Meta-Access-Control-Allow-Origin"] == ORIGIN
        again = run("setup", url, "--origin", ORIGIN, "--quota", "1000000")
        assert "done" not in again.output
        assert f"✓ container {container} exists" in again.output

    def test_a_dry_run_changes_nothing(self, swift_server: SwiftServer, container: str) -> None:
        result = run("setup", f"swift://{container}", "--origin", ORIGIN, "--dry-run")
        assert f"to do: create container {container}_staging" in result.output
        assert headers_of(swift_server, container).get("X-Container-Object-Count") is None

    def test_the_first_upload_sets_up_the_same(self, swift_server: SwiftServer, container: str) -> None:
        site = Site(swift_storage(swift_server, container), secret=SECRET)
        assert site.upload(ONE).status_int == 200
        assert "done" not in run("setup", f"swift://{container}", "--origin", "http://localhost").output

    def test_setup_with_pin_creates_the_segment_container(self, swift_server: SwiftServer, container: str) -> None:
        run("setup", f"swift://{container}", "--seal", "pin", "--origin", ORIGIN)
        assert any(keys_of(swift_server, f"{container}_segments"))

    @pytest.mark.parametrize(("seal", "code"), [("revoke", 1), ("pin", 0)])
    def test_missing_container_keys_are_reported(
        self, swift_server: SwiftServer, container: str, monkeypatch: pytest.MonkeyPatch, seal: str, code: int
    ) -> None:
        with meddling(swift_server.url, drop_keys) as proxy:
            monkeypatch.setenv("OS_AUTH_URL", f"{proxy}/auth/v1.0")
            result = run("setup", f"swift://{container}", "--seal", seal)
        assert (result.exit_code, "container-keys" in " ".join(result.output.split())) == (code, True)


@pytest.mark.usefixtures("swift_environ")
class TestSweep:
    def test_abandoned_uploads_are_removed_and_finished_ones_stay(
        self, swift_server: SwiftServer, container: str
    ) -> None:
        site = Site(swift_storage(swift_server, container))
        done = site.upload(SEVERAL).json
        for data in (ONE, SEVERAL):
            site.begin(data).send()
        planned = run("sweep", f"swift://{container}", "--older-than", "0", "--dry-run", DIRECT_UPLOAD_SECRET="")
        assert "Would remove 1 segments, 1 staged (31 bytes)." in planned.output
        swept = run("sweep", f"swift://{container}", "--older-than", "0s")
        assert swept.exit_code == 0
        assert "Removed 1 segments, 1 staged (31 bytes)." in swept.output
        assert site.download(done["download_url"]) == SEVERAL
        assert "Removed nothing" in run("sweep", f"swift://{container}", "--older-than", "0").output

    def test_recent_uploads_stay(self, swift_server: SwiftServer, container: str) -> None:
        Site(swift_storage(swift_server, container)).begin(ONE).send()
        result = run("sweep", f"swift://{container}", "--older-than", "2d")
        assert result.stdout.strip() == "Removed nothing (0 bytes)."

    def test_a_duration_below_a_day_prints_a_note(self, container: str) -> None:
        assert "tickets are valid for 1 day" in run("sweep", f"swift://{container}", "--older-than", "12h").stderr

    def test_quiet_prints_nothing_without_errors(self, swift_server: SwiftServer, container: str) -> None:
        Site(swift_storage(swift_server, container)).begin(ONE).send()
        assert run("sweep", f"swift://{container}", "--older-than", "0", "--quiet").output == ""

    def test_errors_are_printed_and_set_the_exit_status(
        self, swift_server: SwiftServer, container: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Site(swift_storage(swift_server, container)).begin(SEVERAL).send()

        def refuse(self: object, id: str) -> None:
            from direct_upload_middleware import StorageError

            raise StorageError("Swift answered 403 to DELETE of a container.")

        monkeypatch.setattr(
            "direct_upload_middleware.storage.swift.segment_containers.SegmentContainers.remove", refuse
        )
        result = run("sweep", f"swift://{container}", "--older-than", "0", "--quiet")
        assert result.exit_code == 1
        assert "Swift answered 403 to DELETE of a container." in result.output

    def test_a_local_storage_is_swept(self, tmp_path: Path) -> None:
        url = f"local:{tmp_path}"
        Site(url, secret=None).begin(SEVERAL).send()
        assert "Removed 1 segments" in run("sweep", url, "--older-than", "0", DIRECT_UPLOAD_SECRET="").output


OLD, NEW = "the-old-secret-of-the-tests", "the-new-secret-of-the-tests"


class TestRotation:
    @pytest.fixture
    def environ(self, own_server: SwiftServer, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in own_server.environ().items():
            monkeypatch.setenv(name, value)

    @pytest.mark.usefixtures("environ")
    def test_uploads_and_downloads_work_during_a_rotation(self, own_server: SwiftServer, container: str) -> None:
        """By processes with the old secret, and by ones that were restarted with both."""
        old = Site(swift_storage(own_server, container), secret=OLD)
        url = old.upload(SEVERAL).json["download_url"]
        begun = [old.begin(data) for data in (ONE, SEVERAL) for _ in range(2)]
        before = keys_of(own_server), keys_of(own_server, f"{container}_staging")
        rotated = Event()

        def keep_on(secret: list[str]) -> int:
            site, done = Site(swift_storage(own_server, container), secret=secret), 0
            while not rotated.is_set() or done < 2:
                for data in (ONE, SEVERAL):
                    answer = site.upload(data)
                    assert answer.status_int == 200, answer.text
                    assert site.download(answer.json["download_url"]) == data
                assert site.download(url) == SEVERAL
                done += 1
            return done

        with ThreadPoolExecutor(2) as pool:
            try:
                running = [pool.submit(keep_on, secret) for secret in ([OLD], [OLD, NEW])]
                result = run("rotate-key", f"swift://{container}", "--settle", "0", DIRECT_UPLOAD_SECRET=f"{OLD} {NEW}")
            finally:
                rotated.set()
            assert result.exit_code == 0, result.output
            assert all(future.result() >= 2 for future in running)
        for upload in begun:
            upload.send()
            assert upload.complete().status_int == 200
        assert keys_of(own_server)[1] == "".join(before[0])
        assert keys_of(own_server)[0] not in before[0]
        assert set(before[1]) - {""} < set(keys_of(own_server, f"{container}_staging"))

        finish = ("rotate-key", f"swift://{container}", "--finish")
        early = run(*finish, DIRECT_UPLOAD_SECRET=f"{OLD} {NEW}")
        assert early.exit_code == 1
        told = " ".join(early.stderr.split())
        assert "too early: URLs that the old keys signed may still be valid for 1 day." in told
        assert run(*finish, "--after", "0", DIRECT_UPLOAD_SECRET=f"{OLD} {NEW}").exit_code == 0
        assert keys_of(own_server)[1] == ""
        assert not set(before[1]) - {""} & set(keys_of(own_server, f"{container}_staging"))
        new = Site(swift_storage(own_server, container), secret=[OLD, NEW])
        assert new.upload(SEVERAL).status_int == 200
        assert requests.get(url, timeout=30).status_code == 401

    @pytest.mark.usefixtures("environ")
    def test_a_second_rotation_is_refused_until_the_first_is_finished(
        self, own_server: SwiftServer, container: str
    ) -> None:
        run("setup", f"swift://{container}")
        rotate = ("rotate-key", f"swift://{container}", "--settle", "0")
        assert run(*rotate).exit_code == 0
        keys = keys_of(own_server)
        again = run(*rotate)
        assert (again.exit_code, keys_of(own_server)) == (1, keys)
        assert "is not finished" in again.stderr
        assert run(rotate[0], rotate[1], "--finish", "--after", "0").exit_code == 0
        assert run(*rotate).exit_code == 0

    @pytest.mark.usefixtures("environ")
    def test_an_interrupted_rotation_can_be_resumed(
        self, own_server: SwiftServer, container: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run("setup", f"swift://{container}", DIRECT_UPLOAD_SECRET=OLD)
        before = ["".join(keys_of(own_server))]
        rotate = ("rotate-key", f"swift://{container}")

        def interrupted(*arguments: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr("direct_upload_middleware.storage.swift.admin.time.sleep", interrupted)
            assert run(*rotate, DIRECT_UPLOAD_SECRET=f"{OLD} {NEW}").exit_code == 1
        assert keys_of(own_server)[0] == before[0]
        waiting = keys_of(own_server)[1]
        assert run(*rotate, "--settle", "0", DIRECT_UPLOAD_SECRET=f"{OLD} {NEW}").exit_code == 0
        assert keys_of(own_server) == [waiting, before[0]]

        post = SwiftAdmin._post

        def interrupted_afterwards(admin: SwiftAdmin, *place: str, **options: Any) -> None:
            post(admin, *place, **options)
            raise KeyboardInterrupt

        finish = (*rotate, "--finish", "--after", "0")
        with monkeypatch.context() as patch:
            patch.setattr(SwiftAdmin, "_post", interrupted_afterwards)
            assert run(*finish, DIRECT_UPLOAD_SECRET=f"{OLD} {NEW}").exit_code == 1
        assert run(*finish, DIRECT_UPLOAD_SECRET=f"{OLD} {NEW}").exit_code == 0
        assert keys_of(own_server) == [waiting, ""]
        assert len(list(filter(None, keys_of(own_server, f"{container}_staging")))) == 1

    @pytest.mark.usefixtures("environ")
    def test_finish_without_a_rotation_is_an_error(self, container: str) -> None:
        result = run("rotate-key", f"swift://{container}", "--finish")
        assert (result.exit_code, "no rotation to finish" in result.stderr) == (1, True)


class TestMistakes:
    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            pytest.param(["sweep", "gs://a", "--older-than", "1d"], "unknown scheme", id="scheme"),
            pytest.param(["sweep", "swift://a", "--older-than", "soon"], "'soon' is not a duration", id="time"),
            pytest.param(["sweep", "swift://a"], "--older-than", id="no time"),
            pytest.param(["setup", "swift://a", "--origin", "app"], "is not an origin", id="origin"),
            pytest.param(["rotate-key", "local:a"], "directory", id="local"),
        ],
    )
    def test_a_usage_error_is_one_sentence(self, arguments: list[str], told: str) -> None:
        result = run(*arguments)
        assert result.exit_code in (1, 2)
        assert told in " ".join(result.stderr.split())
        assert "Traceback" not in result.output

    def test_a_missing_secret_names_the_environment_variable(self) -> None:
        result = run("setup", "swift://a", DIRECT_UPLOAD_SECRET="")
        assert (result.exit_code, "variable DIRECT_UPLOAD_SECRET" in " ".join(result.stderr.split())) == (2, True)

    def test_an_unreachable_storage_is_one_sentence_and_a_traceback_with_debug(
        self, swift_environ: dict[str, str]
    ) -> None:
        environ = {"OS_AUTH_URL": "http://127.0.0.1:9/auth/v1.0"}
        result = run("setup", "swift://a", **environ)
        assert (result.exit_code, result.stderr) == (
            1,
            "Error: The identity service cannot be reached at the moment.\n",
        )
        assert type(run("--debug", "setup", "swift://a", **environ).exception).__name__ == "StorageUnavailable"

    def test_help_lists_every_command(self) -> None:
        text = run("--help").output
        assert all(
            command in text for command in ("demo", "setup", "doctor", "sweep", "rotate-key", "DIRECT_UPLOAD_SECRET")
        )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(5, "5 seconds"), (120, "2 minutes"), (7200, "2 hours"), (200_000, "2 days")],
)
def test_age_text(seconds: int, text: str) -> None:
    assert age_text(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 bytes"), (1536, "1.5 KiB"), (3 * 1024**3, "3.0 GiB"), (2 * 1024**4, "2.0 TiB")]
)
def test_bytes_text(size: int, text: str) -> None:
    assert bytes_text(size) == text

    @pytest.mark.usefixtures("environ")
    def test_secrets_that_are_not_in_use_change_nothing(self, own_server: SwiftServer, container: str) -> None:
        """A comma in place of the space makes one secret of two."""
        site = Site(swift_storage(own_server, container), secret=OLD)
        begun = site.begin(ONE)
        keys = keys_of(own_server), keys_of(own_server, f"{container}_staging")
        for wrong in (NEW, f"{OLD},{NEW}", f"{NEW} {NEW}2"):
            result = run("rotate-key", f"swift://{container}", "--settle", "0", DIRECT_UPLOAD_SECRET=wrong)
            assert (result.exit_code, "None of the given secrets" in result.stderr) == (1, True)
            assert (keys_of(own_server), keys_of(own_server, f"{container}_staging")) == keys
        begun.send()
        assert begun.complete().status_int == 200
