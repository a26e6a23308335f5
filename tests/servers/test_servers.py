"""The servers that people run WSGI applications with: a whole upload over HTTP through each."""

from __future__ import annotations

import os
import random
import string
from collections.abc import Iterator
from urllib.parse import urljoin

import pytest
import requests
from helpers.servers.served import FORM, SEGMENT
from helpers.servers.serving import APP, GUNICORN, TIMEOUT, UWSGI, WAITRESS, serving, upload

SERVERS = {
    "wsgiref": ["helpers/servers/served.py"],
    "waitress": [*WAITRESS, APP],
    "gunicorn sync": [*GUNICORN, "--workers", "2", APP],
    "gunicorn threads": [*GUNICORN, "--threads", "4", APP],
    "gunicorn gevent": [*GUNICORN, "--worker-class", "gevent", APP],
    "uwsgi": [*UWSGI, "--http-socket=127.0.0.1:0", "--add-header=Connection: close", f"--module={APP}"],
}
DATA = os.urandom(3 * SEGMENT + 17)
#: As long as a name may be, and such that it cannot be compressed in the ticket.
LONG_NAME = "".join(random.Random(1).choices(string.ascii_letters, k=1024))
SESSION = {"session": "x" * 3500}


@pytest.fixture(scope="module", params=SERVERS)
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the server answers."""
    with serving(SERVERS[request.param], tmp_path_factory.mktemp("served")) as address:
        yield address


@pytest.fixture
def browser() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


@pytest.mark.parametrize("data", [pytest.param(b"", id="no bytes"), pytest.param(DATA, id="several segments")])
def test_a_file_is_uploaded_read_and_downloaded(browser: requests.Session, address: str, data: bytes) -> None:
    done = upload(browser, address, data)
    submitted = browser.get(f"{address}/submit", params={"document": done["receipt"]}, timeout=TIMEOUT)
    assert submitted.text == str(len(data))
    download = browser.get(urljoin(address, done["download_url"]), timeout=TIMEOUT)
    assert download.content == data
    assert download.headers["Content-Disposition"].endswith("filename*=UTF-8''%C3%BC.bin")


def test_a_long_filename_and_session_fit_into_the_headers(browser: requests.Session, address: str) -> None:
    browser.cookies.update(SESSION)
    assert upload(browser, address, b"data", LONG_NAME)["upload"]["filename"] == LONG_NAME


@pytest.mark.parametrize("path", ["/", "/stream"])
def test_a_page_gets_the_script_and_is_otherwise_unchanged(browser: requests.Session, address: str, path: str) -> None:
    page = browser.get(address + path, timeout=TIMEOUT)
    script, tag = b'<script type="module" src="/_upload/static/direct-upload.js"></script>', page.content
    assert tag.count(script) == 1
    assert tag.replace(script, b"").endswith(FORM)
    assert tag.count(b"<p>") == (100 if path == "/stream" else 0)


def test_head_and_304_have_no_body(browser: requests.Session, address: str) -> None:
    assert browser.head(address, timeout=TIMEOUT).content == b""
    script = browser.get(f"{address}/_upload/static/direct-upload.js", timeout=TIMEOUT)
    again = browser.get(script.url, headers={"If-None-Match": script.headers["ETag"]}, timeout=TIMEOUT)
    assert (script.status_code, again.status_code, again.content) == (200, 304, b"")


def test_the_server_answers_after_a_refused_request(browser: requests.Session, address: str) -> None:
    refused = browser.post(f"{address}/_upload/uploads", data=b"x" * 1000, timeout=TIMEOUT)
    assert refused.status_code == 415
    assert requests.get(address, timeout=TIMEOUT).status_code == 200  # some close the connection without a word
