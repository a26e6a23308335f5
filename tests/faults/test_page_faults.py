"""Faults of the page and the browser themselves: an upload goes on, or fails with a message that says what to do."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from helpers.faults.fault_proxy import Fault, Proxy, no_fault
from selenium.webdriver.support.wait import WebDriverWait
from waitress.server import create_server
from webob import Request, Response

from direct_upload_middleware import DirectUploadMiddleware

pytestmark = pytest.mark.browser

MiB = 1 << 20
#: Bytes a second of each connection, where a test acts during the upload.
SLOW = 2 * MiB
TIMEOUT = 40
FORM = """<!doctype html><title>Page</title>
<script>
  window.errors = [];
  const { error } = console;
  console.error = (...values) => { errors.push(values.join(" ")); error(...values); };
  window.send = (size, options = {}) => {
    window.outcome = undefined;
    import("/_upload/static/direct-upload.js")
      .then(({ upload }) => upload(new File([new Uint8Array(size)], "a.bin", { lastModified: 1 }), options))
      .then(() => "done", (failure) => `${failure.name} ${failure.code} ${failure.cause}`)
      .then((outcome) => { window.outcome = outcome; });
  };
</script>
<form method="post" enctype="multipart/form-data">
<input type="file" name="file" data-direct-upload><button name="go">Send</button></form>"""
SERVICE_WORKER = """
addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => event.respondWith(fetch(event.request)));
"""


class Pages:
    """An application whose pages a test changes, behind a proxy that throttles."""

    def __init__(self, directory: Path) -> None:
        self.pages = {"/": FORM}
        self.requests: list[str] = []
        self.forms: list[list[tuple[str, str]]] = []
        self.before: dict[str, Callable[[], Any]] = {}
        self.broken_once = ""  # a path that ends so is answered with 503, once
        self._middleware = DirectUploadMiddleware(
            self._answer, f"local:{directory}", anonymous=True, segment_size=2 * MiB, parallel=1
        )
        self._server = create_server(self._observe, host="127.0.0.1", port=0, threads=12)
        Thread(target=self._serve, daemon=True).start()
        self.proxy = Proxy(self._server.effective_port)
        self.address = f"http://127.0.0.1:{self.proxy.port}/"

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # close() closes its socket in another thread
            self._server.run()

    def _observe(self, environ: Any, start_response: Any) -> Any:
        call = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
        self.requests.append(call)
        self.before.get(call, no_fault)()
        if self.broken_once and call.endswith(self.broken_once):
            self.broken_once = ""
            return Response(status=503)(environ, start_response)
        return self._middleware(environ, start_response)

    def _answer(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        if request.method == "POST":
            sent = request.POST.items()
            self.forms.append([(n, v if isinstance(v, str) else f"file {v.filename}") for n, v in sent])
            return Response("<!doctype html><title>Thank you</title>")(environ, start_response)
        if request.path == "/sw.js":
            return Response(SERVICE_WORKER, content_type="text/javascript")(environ, start_response)
        if request.path == "/download":
            return Response(b"report", content_disposition="attachment")(environ, start_response)
        page = self.pages.get(request.path)
        return Response(page or "", status=200 if page else 404)(environ, start_response)

    def throttle(self) -> None:
        self.proxy.choose = lambda: Fault("throttle", rate=SLOW)
        self.proxy.cut()

    def puts(self) -> list[str]:
        return [call for call in self.requests if call.startswith("PUT ")]

    def close(self) -> None:
        self._server.close()


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[Pages]:
    pages = Pages(tmp_path / "uploads")
    with pages.proxy:
        yield pages
    pages.close()


@pytest.fixture
def page(driver: Any, pages: Pages) -> Iterator[Any]:
    """A browser at the page."""
    driver.get(pages.address)
    yield driver
    driver.get("about:blank")
    driver.delete_all_cookies()


def wait(driver: Any, condition: Callable[[], Any]) -> Any:
    return WebDriverWait(driver, TIMEOUT, poll_frequency=0.05).until(lambda _: condition())


def outcome(driver: Any) -> str:
    return str(wait(driver, lambda: driver.execute_script("return window.outcome")))


def choose(driver: Any, path: Path, size: int = 1000) -> None:
    path.write_bytes(os.urandom(size))
    driver.find_element("css selector", "input[type=file]").send_keys(str(path))


def test_a_small_file_uploads_though_the_module_that_hashes_it_was_not_loaded(page: Any, pages: Pages) -> None:
    pages.broken_once = "/hashing/read-md5.js"
    page.execute_script("send(1000)")
    assert outcome(page) == "done"
    assert not pages.broken_once


@pytest.mark.parametrize("act", ["window.stop()", "location.href = '/download'"], ids=["stop", "download"])
def test_a_browser_that_ends_the_requests_does_not_stop_the_upload(page: Any, pages: Pages, act: str) -> None:
    pages.throttle()
    page.execute_script("send(6 * 1024 * 1024)")
    wait(page, pages.puts)
    page.execute_script(act)
    assert outcome(page) == "done"


@pytest.mark.parametrize(
    "feature",
    [
        "AbortSignal.any",
        "AbortSignal.timeout",
        "AbortSignal.prototype.throwIfAborted",
        "URL.canParse",
        "Array.prototype.toSorted",
        "HTMLFormElement.prototype.requestSubmit",
        "ElementInternals.prototype.setFormValue",
        "CSSStyleSheet.prototype.replaceSync",
    ],
)
def test_without_a_feature_the_field_stays_a_plain_file_input(
    page: Any, pages: Pages, feature: str, tmp_path: Path
) -> None:
    pages.pages["/"] = f"<script>delete {feature}</script>" + FORM
    page.get(pages.address)
    choose(page, tmp_path / "plain.bin")
    page.find_element("css selector", "[name=go]").click()
    wait(page, lambda: pages.forms)
    assert pages.forms == [[("file", "file plain.bin"), ("go", "")]]
    assert not [call for call in pages.requests if "uploads" in call]


def test_in_a_frame_of_another_site_nothing_is_sent_and_the_console_says_cookies(page: Any, pages: Pages) -> None:
    pages.pages["/outer"] = f'<!doctype html><title>Outer</title><iframe src="{pages.address}"></iframe>'
    page.get(pages.address.replace("127.0.0.1", "localhost") + "outer")
    page.switch_to.frame(0)
    page.execute_script("send(3 * 1024 * 1024)")
    assert outcome(page) == "DirectUploadFailure not-yours cookies"
    assert pages.puts() == []
    assert [text for text in page.execute_script("return errors") if "cookie" in text]
    page.switch_to.default_content()


@pytest.fixture
def two_tabs(page: Any, pages: Pages) -> Iterator[Any]:
    """Two frames, which share cookies and locks as tabs do."""
    pages.pages["/two"] = '<!doctype html><title>Two</title><iframe src="/"></iframe><iframe src="/"></iframe>'
    page.get(pages.address + "two")
    yield page
    page.switch_to.default_content()


def switch_to_tab(driver: Any, number: int) -> None:
    driver.switch_to.default_content()
    driver.switch_to.frame(number)


@pytest.mark.parametrize("size", [1000, 5 * MiB])
def test_two_tabs_that_begin_at_once_without_locks_both_upload(two_tabs: Any, pages: Pages, size: int) -> None:
    pages.pages["/"] = "<script>Object.defineProperty(navigator, 'locks', { value: undefined })</script>" + FORM
    both, calls = Barrier(2), count()  # both are on their way before one is answered
    pages.before["POST /_upload/uploads"] = lambda: next(calls) < 2 and both.wait(60)
    two_tabs.refresh()
    for number in (0, 1):
        switch_to_tab(two_tabs, number)
        two_tabs.execute_script(f"send({size})")
    for number in (0, 1):
        switch_to_tab(two_tabs, number)
        assert outcome(two_tabs) == "done"


@pytest.mark.parametrize("requests", [1, 2], ids=["that holds it", "that holds it and waits for it"])
def test_a_tab_that_never_releases_the_lock_does_not_stop_others(two_tabs: Any, requests: int) -> None:
    switch_to_tab(two_tabs, 0)
    for _ in range(requests):
        two_tabs.execute_script("navigator.locks.request('direct-upload', () => new Promise(() => {}))")
    switch_to_tab(two_tabs, 1)
    two_tabs.execute_script("send(1000)")
    assert outcome(two_tabs) == "done"


@pytest.mark.parametrize("time", ["Date.now()", "1e12 + 1e6 * Math.random()"], ids=["present", "random"])
def test_a_browser_whose_time_of_a_file_is_not_constant_uploads_it(
    page: Any, pages: Pages, tmp_path: Path, time: str
) -> None:
    getter = f"<script>Object.defineProperty(File.prototype, 'lastModified', {{ get: () => {time} }})</script>"
    pages.pages["/"] = getter + FORM
    page.get(pages.address)
    wait(page, lambda: page.execute_script("return document.readyState") == "complete")
    choose(page, tmp_path / "phone.jpg", 5 * MiB)
    page.find_element("css selector", "[name=go]").click()
    wait(page, lambda: pages.forms)
    assert dict(pages.forms[0])["file"].startswith(".")


def test_behind_a_service_worker_that_hides_the_progress_only_the_first_segment_is_cut(page: Any, pages: Pages) -> None:
    page.execute_async_script(
        """const [done] = arguments;
        navigator.serviceWorker.addEventListener("controllerchange", () => done());
        navigator.serviceWorker.register("/sw.js");"""
    )
    page.get(pages.address)
    pages.proxy.choose = lambda: Fault("throttle", rate=MiB // 2)
    pages.proxy.cut()
    page.execute_script("window.retries = []; send(6 * 1024 * 1024, { stall: 1500, onretry: () => retries.push(1) })")
    assert outcome(page) == "done"
    assert len(page.execute_script("return retries")) <= 2
    page.execute_script("navigator.serviceWorker.getRegistration().then((it) => it.unregister())")
