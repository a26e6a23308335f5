"""The servers that people run WSGI applications with: a whole upload over HTTP through each."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests
from served import FORM, SEGMENT

TESTS = Path(__file__).parent
TIMEOUT = 30
GUNICORN = ["-m", "gunicorn", "--bind", "127.0.0.1:0", "--no-control-socket", "served:app"]
SERVERS = {
    "wsgiref": ["served.py"],
    "waitress": ["-m", "waitress", "--listen=127.0.0.1:0", "served:app"],
    "gunicorn sync": [*GUNICORN, "--workers", "2"],
    "gunicorn threads": [*GUNICORN, "--threads", "4"],
    "gunicorn gevent": [*GUNICORN, "--worker-class", "gevent"],
}
DATA = os.urandom(3 * SEGMENT + 17)


@pytest.fixture(scope="module", params=SERVERS)
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the server answers."""
    environ = {**os.environ, "SERVED_FROM": str(tmp_path_factory.mktemp("served")), "PYTHONPATH": str(TESTS.parent)}
    command = [sys.executable, *SERVERS[request.param]]
    with subprocess.Popen(
        command, cwd=TESTS, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        assert server.stdout is not None
        printed = []
        for line in server.stdout:
            printed.append(line)
            if found := re.search(r"127\.0\.0\.1:([1-9]\d*)", line):
                break
        else:
            pytest.fail(f"{request.param} did not start:\n{''.join(printed)}")
        yield f"http://127.0.0.1:{found[1]}"
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=TIMEOUT)


@pytest.fixture
def browser() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


def upload(browser: requests.Session, address: str, data: bytes) -> dict[str, object]:
    calls = f"{address}/_upload/uploads"
    begun = browser.post(calls, json={"filename": "ü.bin", "size": len(data), "type": ""}, timeout=TIMEOUT)
    assert begun.status_code == 201, begun.text
    declared = []
    for segment in begun.json()["segments"]:
        piece = data[segment["offset"] : segment["offset"] + segment["size"]]
        etag = hashlib.md5(piece, usedforsecurity=False).hexdigest()
        url = urljoin(address, segment["url"])
        assert browser.put(url, data=piece, headers={"ETag": etag}, timeout=TIMEOUT).status_code == 201
        declared.append({"index": segment["index"], "etag": etag})
    headers = {"Upload-Ticket": begun.json()["ticket"]}
    done = browser.post(
        f"{calls}/{begun.json()['id']}/complete", json={"segments": declared}, headers=headers, timeout=TIMEOUT
    )
    assert done.status_code == 200, done.text
    completed: dict[str, object] = done.json()
    return completed


@pytest.mark.parametrize("data", [pytest.param(b"", id="no bytes"), pytest.param(DATA, id="several segments")])
def test_a_file_goes_up_is_read_by_the_application_and_comes_back(
    browser: requests.Session, address: str, data: bytes
) -> None:
    done = upload(browser, address, data)
    submitted = browser.get(f"{address}/submit", params={"document": str(done["receipt"])}, timeout=TIMEOUT)
    assert submitted.text == str(len(data))
    download = browser.get(urljoin(address, str(done["download_url"])), timeout=TIMEOUT)
    assert download.content == data
    assert download.headers["Content-Disposition"].endswith("filename*=UTF-8''%C3%BC.bin")


@pytest.mark.parametrize("path", ["/", "/stream"])
def test_a_page_gets_the_script_and_stays_whole(browser: requests.Session, address: str, path: str) -> None:
    page = browser.get(address + path, timeout=TIMEOUT)
    script, tag = b'<script type="module" src="/_upload/static/direct-upload.js"></script>', page.content
    assert tag.count(script) == 1
    assert tag.replace(script, b"").endswith(FORM)
    assert tag.count(b"<p>") == (100 if path == "/stream" else 0)


def test_a_head_has_no_body_and_an_unchanged_script_neither(browser: requests.Session, address: str) -> None:
    assert browser.head(address, timeout=TIMEOUT).content == b""
    script = browser.get(f"{address}/_upload/static/direct-upload.js", timeout=TIMEOUT)
    again = browser.get(script.url, headers={"If-None-Match": script.headers["ETag"]}, timeout=TIMEOUT)
    assert (script.status_code, again.status_code, again.content) == (200, 304, b"")


def test_a_refused_request_leaves_the_server_answering(browser: requests.Session, address: str) -> None:
    refused = browser.post(f"{address}/_upload/uploads", data=b"x" * 1000, timeout=TIMEOUT)
    assert refused.status_code == 415
    assert browser.get(address, timeout=TIMEOUT).status_code == 200
