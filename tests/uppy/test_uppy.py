"""Uppy from npm in a real browser, with our plugin and with Uppy's own."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest
from helpers.browsers.website import KiB
from helpers.faults.fault_proxy import Fault, no_fault
from uppy.conftest import HERE, NODE_MODULES, Apply, run
from uppy.site import Applicant

from direct_upload_middleware import Upload

pytestmark = pytest.mark.browser

MiB = 1024 * KiB
BOTH = pytest.mark.parametrize("way", ["plugin", "companion"])
#: The size of a part with Uppy's own plugin.
PART = 5 * MiB
#: Segments that our plugin uploads at the same time.
PARALLEL = 3
#: Golden Retriever keeps files up to 10 MiB.
MIDDLE = 9 * MiB
LONG = 32 * MiB


def make_file(directory: Path, name: str, size: int) -> Path:
    path = directory / name
    path.write_bytes(os.urandom(size))
    return path


def assert_arrived(applicant: Applicant, uploads: list[Upload], *files: Path) -> None:
    """Assert that the complete files are in storage and that ``on_complete`` was called for each."""
    assert sorted((u.filename, u.size, u.owner) for u in uploads) == [
        (f.name, f.stat().st_size, "ann") for f in sorted(files)
    ]
    for upload, file in zip(sorted(uploads, key=lambda upload: upload.filename), sorted(files), strict=True):
        with file.open("rb") as opened:
            assert applicant.site.sha256(upload.name) == hashlib.file_digest(opened, "sha256").hexdigest()
        assert applicant.site.told[upload.id] >= 1


def upload_partly(applicant: Applicant, file: Path, share: float = 0.6) -> None:
    """Upload this share of the file, at a rate of eight seconds for the file."""
    size = file.stat().st_size
    rate = size // 8 // (PARALLEL if applicant.way == "plugin" else 1)
    applicant.site.storage_way.choose = lambda: Fault("throttle", rate=rate)
    applicant.add(file)
    applicant.upload()
    applicant.wait(lambda: applicant.site.segments() and applicant.loaded() > share * size)


def stall(applicant: Applicant) -> None:
    """Stall all connections to storage."""
    applicant.site.storage_way.choose = lambda: Fault("stall")
    applicant.site.storage_way.cut()


def speed_up(applicant: Applicant) -> None:
    """Remove all limits, and count the bytes that are sent from now on."""
    applicant.site.storage_way.choose = no_fault
    applicant.site.storage_way.cut()
    applicant.site.storage_way.sent = 0


def assert_only_the_rest_was_sent(applicant: Applicant, size: int, stored: list[str], *, cut: int = 0) -> None:
    """``cut``: segments that storage may have received although the browser did not get the answer."""
    sizes = {"plugin": (len(stored) - cut) * MiB, "companion": min(len(stored) * PART, size)}
    assert 0 < sizes[applicant.way] <= size
    assert applicant.site.storage_way.sent < size - sizes[applicant.way] + MiB / 4


@BOTH
def test_small_files_and_an_empty_one_are_uploaded(apply: Apply, tmp_path: Path, way: str) -> None:
    """Several at once, in a browser without our cookie. Uppy's own plugin cannot send empty files."""
    sizes = [KiB, 1, 0] if way == "plugin" else [KiB, 1, 2]
    files = [make_file(tmp_path, f"{number}.txt", size) for number, size in enumerate(sizes)]
    applicant = apply(way)
    applicant.add(*files)
    applicant.upload()
    assert_arrived(applicant, applicant.finish(), *files)


@BOTH
def test_a_large_file_is_uploaded(apply: Apply, tmp_path: Path, way: str) -> None:
    file = make_file(tmp_path, "holiday.mp4", 200 * MiB)
    applicant = apply(way, segment_size=16 * MiB)
    applicant.add(file)
    applicant.upload()
    assert_arrived(applicant, applicant.finish(), file)


@BOTH
def test_a_paused_upload_resumes_with_the_segments_that_are_missing(apply: Apply, tmp_path: Path, way: str) -> None:
    file = make_file(tmp_path, "holiday.mp4", LONG)
    applicant = apply(way, segment_size=MiB)
    upload_partly(applicant, file, 0.4)
    applicant.press(".uppy-StatusBar-actions [title=Pause]")
    applicant.wait(lambda: "Paused" in applicant.shown())
    applicant.wait(lambda: applicant.site.storage_way.is_idle)
    stored = applicant.site.segments()
    speed_up(applicant)
    applicant.press(".uppy-StatusBar-actions [title=Resume]")
    assert_arrived(applicant, applicant.finish(), file)
    assert_only_the_rest_was_sent(applicant, LONG, stored, cut=PARALLEL)


def test_the_plugin_reports_a_lost_connection_and_resumes_when_it_is_back(apply: Apply, tmp_path: Path) -> None:
    file = make_file(tmp_path, "holiday.mp4", MIDDLE)
    applicant = apply("plugin", segment_size=MiB)
    upload_partly(applicant, file)
    applicant.site.storage_way.refuse()
    applicant.wait(lambda: "Connection lost. Retrying…" in applicant.shown())
    applicant.site.storage_way.choose = no_fault
    applicant.site.storage_way.accept()
    assert_arrived(applicant, applicant.finish(), file)


@BOTH
def test_golden_retriever_resumes_after_a_reload(apply: Apply, tmp_path: Path, way: str) -> None:
    file = make_file(tmp_path, "holiday.mp4", MIDDLE)
    applicant = apply(way, segment_size=MiB)
    upload_partly(applicant, file)
    stall(applicant)
    applicant.wait(lambda: _is_saved(applicant))
    applicant.visit()
    stored = applicant.site.segments()
    assert stored
    applicant.wait(lambda: applicant.js("return !!uppy.getState().recoveredState"))
    speed_up(applicant)
    applicant.upload()
    assert_arrived(applicant, applicant.finish(), file)
    assert_only_the_rest_was_sent(applicant, MIDDLE, stored)


@BOTH
def test_a_file_that_golden_retriever_did_not_save_is_chosen_again(apply: Apply, tmp_path: Path, way: str) -> None:
    file = make_file(tmp_path, "holiday.mp4", LONG)
    applicant = apply(way, segment_size=MiB)
    upload_partly(applicant, file, 0.4)
    stall(applicant)
    applicant.wait(lambda: _is_saved(applicant))
    applicant.visit()
    stored = applicant.site.segments()
    applicant.wait(lambda: applicant.js("return !!uppy.getState().recoveredState"))
    speed_up(applicant)
    applicant.press(".uppy-Dashboard-Item-reSelect")
    applicant.add(file)
    applicant.wait(lambda: not applicant.js("return uppy.getFiles()[0].isGhost"))
    applicant.upload()
    assert_arrived(applicant, applicant.finish(), file)
    assert_only_the_rest_was_sent(applicant, LONG, stored)


def _is_saved(applicant: Applicant) -> bool:
    """Return whether Golden Retriever has saved the upload, and the file if it is small enough."""
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
def test_a_removed_file_leaves_nothing(apply: Apply, tmp_path: Path, way: str) -> None:
    file = make_file(tmp_path, "holiday.mp4", MIDDLE)
    applicant = apply(way, segment_size=MiB)
    upload_partly(applicant, file)
    applicant.press(".uppy-Dashboard-Item-action--remove")
    applicant.wait(lambda: applicant.site.segments() == [])
    speed_up(applicant)
    applicant.add(file)
    applicant.upload()
    assert_arrived(applicant, applicant.finish(), file)
    assert len(applicant.site.told) == 1


@pytest.mark.parametrize(
    ("way", "told"),
    [
        ("plugin", "This file is too large."),
        ("companion", "Companion request failed: The file is larger than the limit of 100 bytes."),
    ],
)
def test_a_refused_file_shows_the_reason_and_can_be_retried(apply: Apply, tmp_path: Path, way: str, told: str) -> None:
    file = make_file(tmp_path, "large.txt", KiB)
    applicant = apply(way, max_size=100)
    applicant.add(file)
    applicant.upload()
    applicant.wait(lambda: applicant.files()[0].get("error"))
    assert applicant.files()[0]["error"] == told
    applicant.site.renew(max_size=None)
    applicant.press(".uppy-StatusBar-actionBtn--retry")
    assert_arrived(applicant, applicant.finish(), file)


def test_the_plugin_returns_what_the_api_returns(apply: Apply, tmp_path: Path) -> None:
    applicant = apply("plugin")
    applicant.add(make_file(tmp_path, "a.txt", KiB))
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


def test_a_finished_file_that_is_removed_before_the_form_is_sent_is_removed_from_storage(
    apply: Apply, tmp_path: Path
) -> None:
    removed: list[str] = []
    applicant = apply("plugin", on_remove=lambda environ, upload: removed.append(upload.filename))
    files = [make_file(tmp_path, "a.txt", KiB), make_file(tmp_path, "b.txt", KiB)]
    applicant.add(*files)
    applicant.upload()
    applicant.wait(lambda: all(file["progress"].get("uploadComplete") for file in applicant.files()))
    [first, _] = applicant.files()
    applicant.js(f"uppy.removeFile({json.dumps(first['id'])})")
    applicant.wait(lambda: removed == ["a.txt"])
    assert [upload.filename for upload in applicant.finish()] == ["b.txt"]


@pytest.mark.parametrize(
    "forget",
    [
        pytest.param(
            "const done = document.querySelector('.uppy-StatusBar-actionBtn--done'); done?.click(); return !!done",
            id="Done",
        ),
        pytest.param("uppy.clear(); return true", id="clear"),
        pytest.param("uppy.cancelAll(); return true", id="cancelAll"),
        pytest.param("uppy.setState({ files: {} }); return true", id="setState"),
    ],
)
def test_receipts_outlast_the_files_of_the_first_batch(apply: Apply, tmp_path: Path, forget: str) -> None:
    files = [make_file(tmp_path, "a.txt", KiB), make_file(tmp_path, "b.txt", KiB)]
    applicant = apply("plugin")
    for file in files:
        applicant.add(file)
        applicant.upload()
        applicant.wait(lambda: applicant.files()[0]["progress"].get("uploadComplete"))
        if file is files[0]:
            applicant.wait(lambda: applicant.js(forget))
    assert_arrived(applicant, applicant.finish(), *files)


def test_its_types_match_uppys(tmp_path: Path) -> None:
    """Compile a project that has Uppy installed and uses our module."""
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    (tmp_path / "direct-upload").symlink_to(HERE.parents[1] / "static")
    shutil.copy(HERE / "types.ts", tmp_path)
    modules = {"module": "esnext", "moduleResolution": "bundler", "target": "esnext", "types": []}
    project = {"compilerOptions": {"strict": True, "noEmit": True, "skipLibCheck": True, **modules}}
    (tmp_path / "tsconfig.json").write_text(json.dumps(project | {"files": ["types.ts"]}))
    run("tsc", "--project", str(tmp_path))
