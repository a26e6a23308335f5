"""The embedded storage, whose downloads have the application's own origin."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from helpers.uploads import ONE, SEVERAL, Site, assert_problem


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(f"local:{tmp_path}")


CODE = [
    *("text/javascript", "application/javascript", "TEXT/JavaScript; charset=utf-8", "application/x-javascript"),
    *("text/ecmascript", "text/jscript", "text/livescript", "text/javascript1.5", "application/ecmascript"),
    *("text/css", "application/wasm", "text/xsl", "multipart/x-mixed-replace; boundary=a", "text/vbscript"),
]


@pytest.mark.parametrize("media_type", CODE)
def test_an_uploaded_script_has_no_type_that_a_page_executes(site: Site, media_type: str) -> None:
    """Notices when the type is sent as it was claimed."""
    url = site.upload(b"alert(1)", type=media_type).json["download_url"]
    answer = site.fetch("GET", url + "&inline")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/octet-stream")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "destination",
    [
        *("script", "style", "worker", "sharedworker", "serviceworker", "audioworklet", "paintworklet", "xslt"),
        *("manifest", "json", "webbundle", "speculationrules", "report", "something-new", "Script"),
    ],
)
@pytest.mark.parametrize("media_type", ["text/javascript", "text/plain", "text/html", "application/octet-stream"])
def test_an_uploaded_file_is_not_loaded_as_code(site: Site, destination: str, media_type: str) -> None:
    """Notices when ``Sec-Fetch-Dest`` is not checked."""
    url = site.upload(b"alert(1)", type=media_type).json["download_url"]
    assert site.fetch("GET", url, headers={"Sec-Fetch-Dest": destination}).status == 403
    assert site.fetch("GET", url, headers={"Service-Worker": "script"}).status == 403
    for harmless in ("document", "iframe", "image", "video", "empty"):
        assert site.fetch("GET", url, headers={"Sec-Fetch-Dest": harmless}).status == 200
    svg = site.upload(b"<svg/>", type="image/svg+xml").json["download_url"]
    use = {"Sec-Fetch-Dest": "image", "Sec-Fetch-Mode": "same-origin"}
    assert site.fetch("GET", svg, headers=use).status == 403


@pytest.mark.parametrize("media_type", ["text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "image/png"])
def test_an_uploaded_page_is_sandboxed(site: Site, media_type: str) -> None:
    """Notices when the sandbox is left out; PDFs alone have none, since WebKit does not display them in it."""
    url = site.upload(b"<p>", type=media_type).json["download_url"]
    assert site.fetch("GET", url + "&inline").headers["Content-Security-Policy"] == "sandbox"
    pdf = site.upload(b"%PDF", type="application/pdf").json["download_url"]
    headers = site.fetch("GET", pdf + "&inline").headers
    assert (headers["Content-Type"], headers["X-Content-Type-Options"]) == ("application/pdf", "nosniff")
    assert "Content-Security-Policy" not in headers


@pytest.mark.parametrize("data", [ONE, SEVERAL, b""], ids=["one segment", "several segments", "empty"])
def test_no_more_bytes_are_taken_than_the_ticket_says(site: Site, tmp_path: Path, data: bytes) -> None:
    """Notices when the size is not signed, or not enforced."""
    begun = site.begin(data)
    for index, piece in enumerate(begun.pieces()):
        url = begun.urls[index]
        assert site.fetch("PUT", url, piece + b"!").status == 413
        assert site.fetch("PUT", url, bytes(1024**2)).status == 413
        larger = url.replace(f"size={len(piece)}&", f"size={len(piece) + 1}&")
        assert larger != url
        assert site.fetch("PUT", larger, piece + b"!").status == 401
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file() and path.name != "secret") == 0
    begun.send()
    assert begun.complete().status_int == 200


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        *((name, mode) for name in ("storage", "storage/secret") for mode in (0o722, 0o770, 0o777)),
        *((".", mode) for mode in (0o722, 0o777)),  # the group may share the directory above
    ],
)
def test_a_path_that_other_users_can_write_to_is_not_trusted(tmp_path: Path, name: str, mode: int) -> None:
    """Notices when the secret or its directory is taken as it is."""
    parent = tmp_path / "parent"
    parent.mkdir()
    Site(f"local:{parent}/storage", secret=None).begin(ONE)
    path = parent / name
    os.chmod(path, mode)
    answer = Site(f"local:{parent}/storage", secret=None).request(
        "POST", "/uploads", json={"filename": "a", "size": 1, "type": ""}
    )
    assert_problem(answer, 502, "storage-error")
    assert "write" in answer.json["detail"] or "replace" in answer.json["detail"]
    os.chmod(path, 0o700)
    Site(f"local:{parent}/storage", secret=None).begin(ONE)


def test_a_secret_of_another_user_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Notices when the owner is not compared."""
    Site(f"local:{tmp_path}", secret=None).begin(ONE)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    real = os.lstat

    def owned_by_somebody(path: str) -> os.stat_result:
        values = list(real(path))
        values[4] = 54321
        return os.stat_result(values)

    monkeypatch.setattr(os, "lstat", owned_by_somebody)
    answer = Site(f"local:{tmp_path}", secret=None).request(
        "POST", "/uploads", json={"filename": "a", "size": 1, "type": ""}
    )
    assert_problem(answer, 502, "storage-error")
