"""How quick a browser sends a large file into Swift or S3, hashing included, against curl with the same segments.

    python benchmarks/throughput.py [--size 4] [--rate 40] [--storage s3]

Both send to the same temp URLs' containers, segments of 16 MiB, four at a time. They take turns, and the best of each
counts; curl does not hash. With ``--rate`` a network of so many MiB/s is between them and Swift: where the machine can
bear more than that, the page must not be what one waits for.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import md5
from http import HTTPStatus
from pathlib import Path
from typing import Any

import requests
from selenium.webdriver.support.wait import WebDriverWait
from setting import (
    Address,
    GiB,
    MiB,
    Narrow,
    Visitor,
    chromium,
    cpu_of,
    gunicorn,
    large_file,
    machine,
    narrow_website,
    size_option,
    swift,
)

from direct_upload_middleware.testing.private_s3.server import S3Server

ROUNDS = 3
AIM = 0.9
SEND = """
const begin = performance.now();
window.sent = 0;
const onprogress = ({ state }) => {
  if (state === "finishing") window.sent ||= (performance.now() - begin) / 1000;
};
start(document.querySelector("#file").files[0], { onprogress });
"""


def by_curl(url: str, size: int, *, complete: bool = False) -> float:
    """Seconds that curl takes for all segments. The upload is completed or aborted then."""
    session = requests.Session()
    session.get(f"{url}/?user=ann", timeout=60).raise_for_status()  # logs in, where that is needed
    headers = {"Origin": url}
    body = {"filename": "large.bin", "size": size, "type": ""}
    begun = session.post(f"{url}/_upload/uploads", json=body, headers=headers, timeout=60).json()
    ticket = {**headers, "Upload-Ticket": begun["ticket"]}
    address = f"{url}/_upload/uploads/{begun['id']}"
    segments: list[dict[str, Any]] = []
    for first in range(0, begun["segment_count"], 100):
        indexes = list(range(first, min(first + 100, begun["segment_count"])))
        signed = session.post(f"{address}/segments", json={"indexes": indexes}, headers=ticket, timeout=60)
        segments += signed.json()["segments"]
    seconds = _curl(segments)
    if complete:
        _complete(session, address, ticket, segments)
        return seconds
    if len(session.get(address, headers=ticket, timeout=60).json()["stored"]) != len(segments):
        sys.exit("curl has not sent everything")
    session.delete(address, headers=ticket, timeout=600).raise_for_status()
    return seconds


def _complete(session: requests.Session, address: str, headers: dict[str, str], segments: list[dict[str, Any]]) -> None:
    etags = {size: md5(bytes(size), usedforsecurity=False).hexdigest() for size in {each["size"] for each in segments}}
    declared = [{"index": each["index"], "etag": etags[each["size"]]} for each in segments]
    while True:
        answer = session.post(f"{address}/complete", json={"segments": declared}, headers=headers, timeout=600)
        answer.raise_for_status()
        if answer.status_code != HTTPStatus.ACCEPTED:
            return
        time.sleep(int(answer.headers["Retry-After"]))


def _curl(segments: list[dict[str, Any]]) -> float:
    with tempfile.TemporaryDirectory() as directory:
        lines = []
        for size in {segment["size"] for segment in segments}:
            with (Path(directory) / str(size)).open("wb") as file:
                file.truncate(size)
        for segment in segments:
            lines += [
                f'upload-file = "{directory}/{segment["size"]}"',
                f'url = "{segment["url"]}"',
                'output = "/dev/null"',
            ]
        config = Path(directory) / "config"
        config.write_text("\n".join(lines))
        command = [
            "curl",
            "--silent",
            "--no-progress-meter",
            "--fail",
            "--parallel",
            "--parallel-max",
            "4",
            "--config",
            str(config),
        ]
        begin = time.monotonic()
        subprocess.run(command, check=True)  # noqa: S603
        return time.monotonic() - begin


def by_browser(visitor: Visitor, path: Path) -> float:
    """Seconds from the start of the upload until all is stored, without the completion; the page takes the time."""
    visitor.visit()
    visitor.driver.execute_script("document.querySelector('#file').onchange = null")
    visitor.choose(path)
    visitor.driver.execute_script(SEND)
    WebDriverWait(visitor.driver, 3600, poll_frequency=0.5).until(
        lambda _: visitor.upload()["result"] or visitor.upload()["failure"]
    )
    visitor.result()
    seconds: float = visitor.driver.execute_script("return window.sent")
    return seconds


@contextmanager
def website_on_s3(rate: float | None) -> Iterator[str]:
    """The address of an application and its S3."""
    with S3Server() as server, Narrow(server.port, rate * MiB if rate else float("inf")) as narrow:
        os.environ.update(server.environ())
        server.storage_url("benchmark")
        if rate:
            os.environ["AWS_ENDPOINT_URL_S3"] = narrow.url
        with gunicorn("in_s3") as (url, _):
            yield url


@contextmanager
def website(rate: float | None) -> Iterator[str]:
    """The address of an application and its Swift."""
    with swift() as server:
        if rate is None:
            with gunicorn("direct") as (url, _):
                yield url
        else:
            with narrow_website(server, rate * MiB) as url:
                yield url


WEBSITES = {"swift": website, "s3": website_on_s3}


def main() -> None:
    parser = size_option("4", __doc__)
    parser.add_argument("--rate", type=float, help="MiB a second that the network to Swift can carry")
    parser.add_argument("--storage", choices=WEBSITES, default="swift")
    given = parser.parse_args()
    size = int(given.size * GiB)
    print(machine())
    times: dict[str, list[float]] = {"curl": [], "Chromium": []}
    cpu: list[float] = []
    with (
        WEBSITES[given.storage](given.rate) as url,
        large_file(given.size) as path,
        chromium(Address(url)) as (visitor, browser),
    ):
        for _ in range(ROUNDS):
            times["curl"].append(by_curl(url, size))
            before = cpu_of(browser)
            times["Chromium"].append(by_browser(visitor, path))
            cpu.append(cpu_of(browser) - before)
    for name, seconds in times.items():
        best, median = (size / MiB / each for each in (min(seconds), statistics.median(seconds)))
        print(f"{name:<9} best {best:6.1f} MiB/s   median {median:6.1f} MiB/s")
    print(f"CPU of Chromium: {min(cpu) / given.size:.1f} s/GiB")
    ratio = min(times["curl"]) / min(times["Chromium"])
    print(f"Chromium / curl, best of {ROUNDS}: {ratio:.2f}")
    sys.exit(ratio < AIM)


if __name__ == "__main__":
    main()
