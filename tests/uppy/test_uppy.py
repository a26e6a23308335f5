"""Uppy, as npm has it, in a real browser: with our plugin, and with none but Uppy's own."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest
from helpers.fault_proxy import Fault, no_fault
from helpers.website import KiB
from uppy.conftest import HERE, NODE_MODULES, Apply, run
from uppy.site import Applicant

from direct_upload_middleware import Upload

pytestmark = pytest.mark.browser

MiB = 1024 * KiB
BOTH = pytest.mark.parametrize("way", ["plugin", "companion"])
#: Of Uppy's own plugin.
PART = 5 * MiB
#: Segments of ours that are on their way at once.
PARALLEL = 3
#: Golden Retriever keeps files up to 10 MiB.
MIDDLE = 9 * MiB
LONG = 32 * MiB


def made(directory: Path, name: str, size: int) -> Path:
    path = directory / name
    path.write_bytes(os.urandom(size))
    return path


def assert_arrived(applicant: Applicant, uploads: list[Upload], *files: Path) -> None:
    """The whole files, with their receipts; the application was told."""
    assert sorted((u.filename, u.size, u.owner) for u in uploads) == [
        (f.name, f.stat().st_size, "ann") for f in sorted(files)
    ]
    for upload, file in zip(sorted(uploads, key=lambda upload: upload.filename), sorted(files), strict=True):
        with file.open("rb") as opened:
            assert applicant.site.sha256(upload.name) == hashlib.file_digest(opened, "sha256").hexdigest()
        assert applicant.site.told[upload.id] >= 1


def get_in_between(applicant: Applicant, file: Path, share: float = 0.6) -> None:
    """So much of the file is in storage, or on its way. The whole of it takes eight seconds."""
    size = file.stat().st_size
    rate = size // 8 // (PARALLEL if applicant.way == "plugin" else 1)
    applicant.site.storage_way.choose = lambda: Fault("throttle", rate=rate)
    applicant.add(file)
    applicant.upload()
    applicant.wait(lambda: applicant.site.segments() and applicant.loaded() > share * size)


def hold(applicant: Applicant) -> None:
    """What is on its way does not get any further."""
    applicant.site.storage_way.choose = lambda: Fault("stall")
    applicant.site.storage_way.cut()


def go_on(applicant: Applicant) -> None:
    """From now on everything is quick, and what is sent is counted."""
    applicant.site.storage_way.choose = no_fault
    applicant.site.storage_way.cut()
    applicant.site.storage_way.sent = 0


def assert_only_the_rest_was_sent(applicant: Applicant, size: int, stored: list[str], *, cut: int = 0) -> None:
    """``cut``: of our segments, whose end storage may have got all the same, but the browser was not told."""
    sizes = {"plugin": (len(stored) - cut) * MiB, "companion": min(len(stored) * PART, size)}
    assert 0 < sizes[applicant.way] <= size
    assert applicant.site.storage_way.sent < size - sizes[applicant.way] + MiB / 4


@BOTH
def test_small_files_and_an_empty_one_go_up(apply: Apply, tmp_path: Path, way: str) -> None:
    """Several at once, in a browser that has no cookie yet. The empty one Uppy's own plugin cannot send."""
    sizes = [KiB, 1, 0] if way == "plugin" else [KiB, 1, 2]
    files = [made(tmp_path, f"{number}.txt", size) for number, size in enumerate(sizes)]
    applicant = apply(way)
    applicant.add(*files)
    applicant.upload()
    assert_arrived(applicant, applicant.finish(), *files)


@BOTH
def test_a_large_file_goes_up(apply: Apply, tmp_path: Path, way: str) -> None:
    file = made(tmp_path, "holiday.mp4", 200 * MiB)
    applicant = apply(way, segment_size=16 * MiB)
    applicant.add(file)
    applicant.upload()
    assert_arrived(applicant, applicant.finish(), file)


@BOTH
def test_a_pause_stops_what_is_on_its_way_and_what_was_stored_is_not_sent_again(
    apply: Apply, tmp_path: Path, way: str
) -> None:
    file = made(tmp_path, "holiday.mp4", LONG)
    applicant = apply(way, segment_size=MiB)
    get_in_between(applicant, file, 0.4)
    applicant.press(".uppy-StatusBar-actions [title=Pause]")
    applicant.wait(lambda: "Paused" in applicant.shown())
    applicant.wait(lambda: applicant.site.storage_way.is_idle)
    stored = applicant.site.segments()
    go_on(applicant)
    applicant.press(".uppy-StatusBar-actions [title=Resume]")
    assert_arrived(applicant, applicant.finish(), file)
    assert_only_the_rest_was_sent(applicant, LONG, stored, cut=PARALLEL)


def test_the_plugin_says_that_the_connection_is_lost_and_goes_on_when_it_is_back(apply: Apply, tmp_path: Path) -> None:
    file = made(tmp_path, "holiday.mp4", MIDDLE)
    applicant = apply("plugin", segment_size=MiB)
    get_in_between(applicant, file)
    applicant.site.storage_way.refuse()
    applicant.wait(lambda: "Connection lost. Retrying…" in applicant.shown())
    applicant.site.storage_way.choose = no_fault
    applicant.site.storage_way.accept()
    assert_arrived(applicant, applicant.finish(), file)


@BOTH
def test_after_a_reload_golden_retriever_goes_on_where_it_was(apply: Apply, tmp_path: Path, way: str) -> None:
    file = made(tmp_path, "holiday.mp4", MIDDLE)
    applicant = apply(way, segment_size=MiB)
    get_in_between(applicant, file)
    hold(applicant)
    applicant.wait(lambda: _remembered(applicant))
    applicant.visit()
    stored = applicant.site.segments()
    assert stored
    applicant.wait(lambda: applicant.js("return !!uppy.getState().recoveredState"))
    go_on(applicant)
    applicant.upload()
    assert_arrived(applicant, applicant.finish(), file)
    assert_only_the_rest_was_sent(applicant, MIDDLE, stored)


@BOTH
def test_a_file_that_golden_retriever_does_not_keep_is_chosen_again(apply: Apply, tmp_path: Path, way: str) -> None:
    file = made(tmp_path, "holiday.mp4", LONG)
    applicant = apply(way, segment_size=MiB)
    get_in_between(applicant, file, 0.4)
    hold(applicant)
    applicant.wait(lambda: _remembered(applicant))
    applicant.visit()
    stored = applicant.site.segments()
    applicant.wait(lambda: applicant.js("return !!uppy.getState().recoveredState"))
    go_on(applicant)
    applicant.press(".uppy-Dashboard-Item-reSelect")
    applicant.add(file)
    applicant.wait(lambda: not applicant.js("return uppy.getFiles()[0].isGhost"))
    applicant.upload()
    assert_arrived(applicant, applicant.finish(), file)
    assert_only_the_rest_was_sent(applicant, LONG, stored)


def _remembered(applicant: Applicant) -> bool:
    """Whether Golden Retriever, which takes its time, has written down the upload, and the file if it keeps it."""
    found: bool = applicant.driver.execute_async_script(
        """const done = arguments[0];
        const opening = indexedDB.open("uppy-blobs");
        opening.onsuccess = () => {
          const transaction = opening.result.transaction(["files", "metadata"]);
          const [blobs, metadata] = ["files", "metadata"].map((name) => transaction.objectStore(name).getAll());
          transaction.oncomplete = () => {
            opening.result.close();
            const text = JSON.stringify(metadata.result);
            const wanted = uppy.getPlugin("AwsS3") ? "uploadId" : "uploadStarted";
            const isKept = blobs.result.length > 0 || uppy.getFiles()[0].size > 10 * 1024 ** 2;
            done(isKept && text.includes(wanted));
          };
        };"""
    )
    return found


@BOTH
def test_a_file_that_is_taken_away_leaves_nothing(apply: Apply, tmp_path: Path, way: str) -> None:
    file = made(tmp_path, "holiday.mp4", MIDDLE)
    applicant = apply(way, segment_size=MiB)
    get_in_between(applicant, file)
    applicant.press(".uppy-Dashboard-Item-action--remove")
    applicant.wait(lambda: applicant.site.segments() == [])
    go_on(applicant)
    applicant.add(file)
    applicant.upload()
    assert_arrived(applicant, applicant.finish(), file)
    assert len(applicant.site.told) == 1


@pytest.mark.parametrize(
    ("way", "told"),
    [
        ("plugin", "This file is too large."),
        ("companion", "Companion request failed: The file is larger than the 100 bytes that are allowed."),
    ],
)
def test_what_is_refused_is_said_and_can_be_tried_again(apply: Apply, tmp_path: Path, way: str, told: str) -> None:
    file = made(tmp_path, "large.txt", KiB)
    applicant = apply(way, max_size=100)
    applicant.add(file)
    applicant.upload()
    applicant.wait(lambda: applicant.files()[0].get("error"))
    assert applicant.files()[0]["error"] == told
    applicant.site.renew(max_size=None)
    applicant.press(".uppy-StatusBar-actionBtn--retry")
    assert_arrived(applicant, applicant.finish(), file)


def test_the_plugin_gives_what_the_api_gives(apply: Apply, tmp_path: Path) -> None:
    applicant = apply("plugin")
    applicant.add(made(tmp_path, "a.txt", KiB))
    applicant.upload()
    applicant.wait(lambda: applicant.files()[0].get("uploadURL"))
    [file] = applicant.files()
    body = file["response"]["body"]
    assert set(body) == {"receipt", "upload", "download_url", "data"}
    assert file["meta"]["receipt"] == body["receipt"]
    assert file["uploadURL"] == applicant.site.url(f"/_upload/files/{body['receipt']}")
    assert applicant.js("return document.querySelector('[name=document]').value") == body["receipt"]
    applicant.js(f"uppy.removeFile({json.dumps(file['id'])})")
    assert applicant.js("return document.querySelectorAll('[name=document]').length") == 0


def test_its_types_are_what_uppy_wants(tmp_path: Path) -> None:
    """An application's project, which has Uppy installed and our module from the server."""
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    (tmp_path / "direct-upload").symlink_to(HERE.parents[1] / "static")
    shutil.copy(HERE / "types.ts", tmp_path)
    modules = {"module": "esnext", "moduleResolution": "bundler", "target": "esnext", "types": []}
    project = {"compilerOptions": {"strict": True, "noEmit": True, "skipLibCheck": True, **modules}}
    (tmp_path / "tsconfig.json").write_text(json.dumps(project | {"files": ["types.ts"]}))
    run("tsc", "--project", str(tmp_path))
