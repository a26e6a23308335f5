"""Behind nginx, configured as docs/servers.rst says: https, a prefix, a cache, and the addresses of browsers."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
import requests
from helpers.servers.nginx import documented, nginx
from helpers.servers.served import SEGMENT
from helpers.servers.serving import APP, GUNICORN, TIMEOUT, UWSGI, WAITRESS, serving, upload
from requests.adapters import HTTPAdapter

DATA = os.urandom(3 * SEGMENT + 17)
BODY = {"filename": "report.pdf", "size": 4, "type": "application/pdf"}
TRUSTING = ["--trusted-proxy=127.0.0.1", "--trusted-proxy-headers=x-forwarded-for x-forwarded-proto"]


@dataclass(frozen=True)
class Way:
    """A server behind nginx."""

    server: list[str]
    word: str
    """That of the example in the documentation."""
    prefix: str = ""
    knows_addresses: bool = True


PLAIN, BELOW, STRIPPED, PROTOCOL = "location / {\n    proxy_pass", "SCRIPT_NAME", "X-Forwarded-Prefix", "uwsgi_pass"
WAYS = {
    "gunicorn": Way([*GUNICORN, APP], PLAIN, knows_addresses=False),
    "gunicorn below a prefix": Way([*GUNICORN, APP], BELOW, "/app", knows_addresses=False),
    "gunicorn with ProxyFix": Way([*GUNICORN, "helpers.servers.served_behind:app"], STRIPPED, "/app"),
    "waitress": Way([*WAITRESS, *TRUSTING, APP], PLAIN),
    "waitress below a prefix": Way([*WAITRESS, *TRUSTING, "--url-prefix=/app", APP], BELOW, "/app"),
    "uwsgi": Way([*UWSGI, "--socket=127.0.0.1:0", f"--module={APP}"], PROTOCOL),
    "uwsgi below a prefix": Way(
        [*UWSGI, "--socket=127.0.0.1:0", f"--mount=/app={APP}", "--manage-script-name"], PROTOCOL, "/app"
    ),
}


class From(HTTPAdapter):
    """Connections from one of this machine's own addresses."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *args: object, **options: object) -> None:
        super().init_poolmanager(*args, source_address=(self._address, 0), **options)


@dataclass(frozen=True)
class Front:
    """What browsers see."""

    way: Way
    address: str
    authority: Path

    def browser(self, address: str = "127.0.0.1") -> requests.Session:
        session = requests.Session()
        session.trust_env = False  # which may name authorities of its own
        session.verify = str(self.authority)
        session.mount("https://", From(address))
        return session

    @property
    def origin(self) -> str:
        return self.address.removesuffix(self.way.prefix)

    @property
    def calls(self) -> str:
        return f"{self.address}/_upload/uploads"


@pytest.fixture(scope="module", params=WAYS)
def front(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    way, directory = WAYS[request.param], tmp_path_factory.mktemp("front")
    bind_ip = "yes" if way.knows_addresses else ""
    with serving(way.server, tmp_path_factory.mktemp("served"), SERVED_BIND_IP=bind_ip) as address:
        locations = documented(way.word).replace("127.0.0.1:8000", urlsplit(address).netloc)
        locations = locations.replace("$host;", "$host:$server_port;")  # as it says of other ports
        with nginx(locations, directory) as port:
            yield Front(way, f"https://127.0.0.1:{port}{way.prefix}", directory / "authority.pem")


def test_a_file_is_uploaded_read_and_downloaded(front: Front) -> None:
    with front.browser() as browser:
        done = upload(browser, front.address, DATA)
        submitted = browser.get(f"{front.address}/submit", params={"document": done["receipt"]}, timeout=TIMEOUT)
        assert submitted.text == str(len(DATA))
        download = browser.get(urljoin(front.address, done["download_url"]), timeout=TIMEOUT)
        assert download.content == DATA


def test_the_cookie_is_secure_and_goes_to_this_application_only(front: Front) -> None:
    with front.browser() as browser:
        begun = browser.post(front.calls, json=BODY, timeout=TIMEOUT)
        [cookie] = browser.cookies
    assert (cookie.name, cookie.secure, cookie.path) == ("direct_upload", True, front.way.prefix or "/")
    assert begun.headers["Location"].startswith(f"{front.way.prefix}/_upload/uploads/")


def test_a_page_finds_its_script(front: Front) -> None:
    with front.browser() as browser:
        page = browser.get(f"{front.address}/", timeout=TIMEOUT)
        source = f"{front.way.prefix}/_upload/static/direct-upload.js"
        assert f'<script type="module" src="{source}"></script>' in page.text
        assert browser.get(urljoin(front.address, source), timeout=TIMEOUT).status_code == 200


@pytest.mark.parametrize(("origin", "status"), [(None, 201), ("https://127.0.0.1", 403), ("https://evil.example", 403)])
def test_only_pages_of_this_origin_may_upload(front: Front, origin: str | None, status: int) -> None:
    """As told by a browser that sends no Sec-Fetch-Site. The port belongs to the origin."""
    with front.browser() as browser:
        headers = {"Origin": origin or front.origin}
        assert browser.post(front.calls, json=BODY, headers=headers, timeout=TIMEOUT).status_code == status


def test_the_largest_api_body_passes_nginx_with_its_default_limit(front: Front) -> None:
    body = json.dumps(BODY | {"more": ""})
    body = json.dumps(BODY | {"more": " " * (1024**2 - len(body))})
    assert len(body) == 1024**2
    with front.browser() as browser:
        headers = {"Content-Type": "application/json"}
        assert browser.post(front.calls, data=body, headers=headers, timeout=TIMEOUT).status_code == 201


def test_an_error_answer_arrives_although_the_body_was_not_read(front: Front) -> None:
    """A server that has not read a body resets the connection, which for nginx is a 502."""
    with front.browser() as browser:
        headers = {"Content-Type": "text/plain"}
        answers = [browser.post(front.calls, data=bytes(900_000), headers=headers, timeout=TIMEOUT) for _ in range(5)]
        assert {answer.status_code for answer in answers} == {415}
        local = f"{front.address}/_upload/local/uploads_segments/0/0?temp_url_sig=0&temp_url_expires=1"
        answers = [browser.put(local, data=bytes(900_000), timeout=TIMEOUT) for _ in range(5)]
        assert {answer.status_code for answer in answers} == {401}


def test_only_the_scripts_modules_are_cached(front: Front) -> None:
    with front.browser() as browser:
        done = upload(browser, front.address, b"data")
        script = f"{front.address}/_upload/static/direct-upload.js"
        [module] = set(re.findall(r'"(./[0-9a-f]{16}/engine/upload.js)"', browser.get(script, timeout=TIMEOUT).text))
        addresses = {
            "script": script,
            "module": urljoin(script, module),
            "status": f"{front.calls}/{done['upload']['id']}",
            "redirection": f"{front.address}/_upload/files/{done['receipt']}",
            "download": urljoin(front.address, done["download_url"]),
        }
        get = partial(browser.get, timeout=TIMEOUT, allow_redirects=False)
        answers = {name: [get(url) for _ in range(2)] for name, url in addresses.items()}
        plain = [get(addresses["module"], headers={"Accept-Encoding": coding}) for coding in ("identity", "gzip")]
    assert {name for name, (_, second) in answers.items() if second.headers["X-Cache"] == "HIT"} == {"module"}
    assert [second.status_code for _, second in answers.values()] == [200, 200, 403, 302, 200]
    assert [answer.headers.get("Content-Encoding") for answer in plain] == [None, "gzip"]
    assert {answer.text for answer in plain} == {answers["module"][0].text}


def test_a_temp_url_is_bound_to_the_browsers_address(front: Front) -> None:
    if not front.way.knows_addresses:
        return
    with front.browser("127.0.0.2") as browser, front.browser("127.0.0.3") as thief:
        forged = {"X-Forwarded-For": "127.0.0.3"}
        [segment] = browser.post(front.calls, json=BODY, headers=forged, timeout=TIMEOUT).json()["segments"]
        url = urljoin(front.address, segment["url"])
        assert "temp_url_ip_range=127.0.0.2" in url
        stolen = [
            thief.put(url, data=b"data", headers=h, timeout=TIMEOUT) for h in ({}, {"X-Forwarded-For": "127.0.0.2"})
        ]
        assert [answer.status_code for answer in stolen] == [401, 401]
        assert browser.put(url, data=b"data", timeout=TIMEOUT).status_code == 201
