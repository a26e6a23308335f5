"""Defences one by one: each test notices when one of them is taken out."""

from __future__ import annotations

import io
import time
import zlib
from base64 import urlsafe_b64decode
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests
from helpers.companion import FILE, Multipart
from helpers.uploads import ONE, SECRET, SEVERAL, Site, assert_problem, md5
from security.conftest import Account, MakeSite
from webob import Request

from direct_upload_middleware import Refused
from direct_upload_middleware.api.unread_body import STRANGERS_LIMIT
from direct_upload_middleware.keys import Keys
from direct_upload_middleware.requester import Requester

DAY = 86400
BOTH = [pytest.param(ONE, id="one segment"), pytest.param(SEVERAL, id="several segments")]


def test_bytes_that_are_written_at_the_moment_of_the_copy_are_not_copied(
    new_site: MakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Notices when the copy has no ``If-Match``."""
    site = new_site()
    begun = site.begin(b"GOOD")
    begun.send()
    send = site.storage._client.request  # type: ignore[union-attr]
    copies = []

    def replace_before_the_copy(method: str, *path: str, **request: Any) -> Any:
        if method == "PUT" and "X-Copy-From" in (request.get("headers") or {}) and not copies:
            copies.append(path)
            assert requests.put(begun.urls[0], data=b"EVIL", timeout=30).status_code == 201
        return send(method, *path, **request)

    monkeypatch.setattr(site.storage._client, "request", replace_before_the_copy)  # type: ignore[union-attr]
    assert_problem(begun.complete(), 409, "segments-differ", indexes=[0])
    assert copies
    begun.send()
    done = begun.complete()
    assert site.download(done.json["download_url"]) == b"GOOD"


def tombstones(account: Account, site: Site, id: str) -> list[int]:
    container = f"{site.storage.container}_staging"  # type: ignore[union-attr]
    names = [name for name in account.names(container) if name.startswith(id)]
    return [int(account.metadata(f"{container}/{name}")["x-delete-at"]) for name in names]


def test_a_tombstone_outlives_the_ticket(new_site: MakeSite, account: Account) -> None:
    """Notices when what marks an abort goes while the ticket is valid."""
    site = new_site(ticket_ttl=3 * DAY)
    begun = site.begin(ONE)
    begun.abort()
    until = min(tombstones(account, site, begun.id))
    assert until >= begun.answer.json["expires"]


def test_a_tombstone_outlives_a_renewed_ticket(
    new_site: MakeSite, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Notices when an abort with the first ticket forgets that there may be a second one."""
    site = new_site(ticket_ttl=4 * DAY)
    begun = site.begin(ONE)
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 2.5 * DAY)
    renewed = begun.status()["expires"]
    assert renewed > begun.answer.json["expires"] + 2 * DAY
    begun.abort()
    until = min(tombstones(account, site, begun.id))
    assert until >= renewed


@pytest.mark.parametrize("data", BOTH)
def test_permission_that_was_taken_back_ends_a_long_upload(
    new_site: MakeSite, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    """Notices when a ticket is renewed without asking ``authorize``."""
    allowed = [True]

    def authorize(environ: Any, request: Any) -> None:
        if not allowed[0]:
            raise Refused("Not any more.")

    site = new_site(ticket_ttl=1000, authorize=authorize)
    begun = site.begin(data)
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 600)
    assert "ticket" in begun.status()
    allowed[0] = False
    assert "ticket" not in begun.status()
    assert "ticket" not in site.call("sign", begun).json
    begun.send()
    assert begun.complete().status_int == 200


def test_no_ticket_is_renewed_for_ever(new_site: MakeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Notices when the number of renewals has no limit."""
    site = new_site(ticket_ttl=1000)
    begun = site.begin(SEVERAL)
    for cookie in site.browser.cookiejar:
        cookie.expires = None
    start = time.time()
    passed = 0
    monkeypatch.setattr(time, "time", lambda: start + passed)
    while (answer := site.call("status", begun)).status_int == 200:
        begun.ticket = answer.json.get("ticket", begun.ticket)
        for cookie in site.browser.cookiejar:
            cookie.expires = None
        passed += 400
        assert passed < 100 * 1000
    assert_problem(answer, 410, "ticket-expired")
    assert passed > 10 * 1000


@pytest.mark.parametrize("user", ["ann", None])
def test_a_strangers_body_keeps_no_worker_busy(tmp_path: Path, user: str | None) -> None:
    """Notices when a long body is drained for somebody who is not logged in."""
    site = Site(f"local:{tmp_path}", user=user)
    size = 64 * 1024**2

    class Endless(io.RawIOBase):
        read_so_far = 0

        def read(self, size: int = -1) -> bytes:
            self.read_so_far += size
            return bytes(size)

    for path, method in (("/uploads", "POST"), ("/nothing", "PUT"), ("/local/uploads_segments/1/0", "PUT")):
        body = Endless()
        request = Request.blank("/_upload" + path, method=method)
        request.environ |= {"wsgi.input": body, "CONTENT_LENGTH": str(size), "REMOTE_ADDR": "127.0.0.1"}
        if user:
            request.environ["REMOTE_USER"] = user
        assert request.get_response(site.middleware).status_int >= 400
        assert body.read_so_far == (size if user else 0)
    assert size > STRANGERS_LIMIT


def test_addresses_of_uppys_uploads_tell_a_log_nothing(new_site: MakeSite) -> None:
    """Notices when identity or filename is in them, also in base64."""
    site = new_site(user=None)
    site.log_in("ann@example.com")
    upload = Multipart(site, SEVERAL)
    upload.send()
    payload = upload.key.lstrip(".").partition(".")[0]
    raw = urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    with suppress(zlib.error):
        raw += zlib.decompress(raw)  # what a token may be without encryption
    assert not any(word in raw for word in (b"ann@", b"holiday"))


def test_the_next_user_cannot_compute_the_key_of_the_last_ones_records(new_site: MakeSite) -> None:
    """Even with cookie and user id. Notices when the secret is not part of it."""
    sites = [new_site(secret=secret) for secret in (SECRET, "another secret of the tests")]
    cookie = "0" * 32
    owners = set()
    for site in sites:
        site.browser.extra_environ["HTTP_COOKIE"] = f"direct_upload={cookie}"
        owners.add(site.request("GET", "/owner").json["owner"])
    guesses = Requester({"HTTP_COOKIE": f"direct_upload={cookie}"}, lambda _: "ann", False)
    assert len(owners) == 2
    assert guesses.digest("record owner", cookie) not in owners


def test_no_repr_tells_a_secret(new_site: MakeSite) -> None:
    """Notices when a token, key, secret or signature is part of a ``repr``."""
    site = new_site(anonymous=True, user=None)
    begun = site.begin(SEVERAL)
    uploads: Any = site.middleware._uploads
    storage: Any = site.storage
    ticket = uploads.tickets.read(begun.ticket, upload_id=begun.id)
    [signed] = storage.sign(ticket.transfer, [0], ttl=60, fresh=True)
    environ = {"HTTP_COOKIE": f"direct_upload={'0' * 32}"}
    requester = uploads.requester(environ)
    begun.send()
    completed = uploads.complete({}, ticket, {i: md5(piece) for i, piece in enumerate(begun.pieces())})
    receipt = uploads.receipts.read(completed.receipt)
    values = [ticket, signed, requester, requester.bind(), completed, receipt, storage, uploads]
    shown = repr(values) + repr(Keys([SECRET])) + repr(site.middleware.options) + repr(vars(storage))
    hidden = [SECRET, begun.ticket, completed.receipt, ticket.binding, ticket.anonymous_owner, "temp_url_sig", "0" * 32]
    assert [secret for secret in hidden if secret in shown] == []


LONG = "a" * 300


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": LONG},
        {"Host": "h" * 100_000},
        {"Host": "evil.example", "Origin": "http://evil.example"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
        {"Origin": f"https://{LONG}.example", "Sec-Fetch-Site": "same-origin"},
    ],
    ids=lambda headers: " ".join(headers)[:40],
)
@pytest.mark.parametrize("origins", [(), ("http://localhost",)], ids=["", "origins"])
def test_a_forged_host_or_origin_opens_no_container(
    new_site: MakeSite, account: Account, headers: dict[str, str], origins: tuple[str, ...]
) -> None:
    """Notices when an origin has no limit, or when ``origins`` does not keep others out."""
    site = new_site(origins=origins)
    for size in (5, 50):
        body = {"filename": "a", "size": size, "type": ""}
        assert site.request("POST", "/uploads", json=body, headers=headers).status_int == 201
    assert site.request("POST", "/s3/multipart", json=FILE, headers=headers).status_int == 200
    for container in (site.storage.container, f"{site.storage.container}_staging"):  # type: ignore[union-attr]
        listed = account.metadata(container).get("x-container-meta-access-control-allow-origin", "")
        assert "*" not in listed
        assert LONG not in listed
        assert not (origins and "evil" in listed)


def test_many_hosts_never_open_a_container_to_every_origin(new_site: MakeSite, account: Account) -> None:
    """Notices when a full list of origins becomes ``*``."""
    site = new_site()
    for number in range(20):
        body = {"filename": "a", "size": 5, "type": ""}
        headers = {"Host": f"{number}-{'x' * 30}.example"}
        assert site.request("POST", "/uploads", json=body, headers=headers).status_int == 201
    listed = account.metadata(site.storage.container)["x-container-meta-access-control-allow-origin"]  # type: ignore[union-attr]
    assert "*" not in listed.split()
    assert len(listed) <= 256


@pytest.mark.parametrize(
    ("accept", "filename", "media_type", "passes"),
    [
        (".pdf", "invoice.pdf", "text/html", False),
        (".pdf", "invoice.pdf", "TEXT/HTML; charset=utf-8", False),
        (".pdf", "invoice.pdf", "text/javascript", False),
        (".pdf", "invoice.pdf", "image/svg+xml", False),
        (".pdf", "invoice.pdf", "application/xhtml+xml", False),
        (".pdf", "invoice.pdf", "application/x-anything+xml", False),
        (".png", "a.png", "text/css", False),
        (".txt", "a.txt", "text/html", False),
        (".dat", "a.dat", "text/html", False),
        (".svg", "a.svg", "text/html", False),
        (".pdf", "invoice.pdf", "application/pdf", True),
        (".pdf", "invoice.pdf", "", True),
        (".svg", "a.svg", "image/svg+xml", True),
        (".html", "a.html", "text/html", True),
        (".js", "a.js", "application/javascript", True),
        (".js", "a.js", "text/javascript", True),
        (".css", "a.css", "text/css", True),
        (".xml", "a.xml", "application/xml", True),
        (".gpx", "a.gpx", "application/gpx+xml", True),
        (".gpx", "a.gpx", "text/xml", True),
        (".mine", "a.mine", "application/vnd.mine+xml", True),
        ("text/html", "a.pdf", "text/html", True),
    ],
)
def test_an_extension_does_not_disguise_a_page_or_a_script(
    tmp_path: Path, accept: str, filename: str, media_type: str, passes: bool
) -> None:
    """Notices when ``accept`` looks at the extension alone."""
    site = Site(f"local:{tmp_path}", accept=[accept])
    answer = site.request("POST", "/uploads", json={"filename": filename, "size": 1, "type": media_type})
    assert answer.status_int == (201 if passes else 415)


def test_a_limit_on_begins_returns_retry_after(tmp_path: Path) -> None:
    """Notices when ``Refused`` loses its ``retry_after``."""
    begins: list[str] = []

    def authorize(environ: Any, request: Any) -> None:
        begins.append(request.identity)
        if begins.count(request.identity) > 2:
            raise Refused("Too many uploads. Try again in a minute.", status=429, retry_after=60)

    site = Site(f"local:{tmp_path}", authorize=authorize)
    site.begin(ONE)
    site.begin(ONE)
    answer = site.request("POST", "/uploads", json={"filename": "a", "size": 1, "type": ""})
    assert_problem(answer, 429, "refused")
    assert answer.headers["Retry-After"] == "60"
