"""Takes the screenshots of the example applications for the documentation, into docs/_static.

    python docs/screenshots/take_examples.py [NAME ...]

NAME is plain, bottle_app, flask_app, django_app or pyramid_app; by default all of them. It needs Chromium.
"""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from selenium import webdriver

DOCS = Path(__file__).parents[1]
CHECKOUT = DOCS.parent
sys.path[:0] = [str(CHECKOUT), str(CHECKOUT / "tests")]

from browser.shelf import Shelf  # noqa: E402

PICTURES = {
    "plain": "demo",
    "bottle_app": "bottle",
    "flask_app": "flask",
    "django_app": "django",
    "pyramid_app": "pyramid",
}
WIDTH, SCALE = 900, 2
#: Delays storage, so that an upload is in progress for long enough.
SLOW = """
const { send } = XMLHttpRequest.prototype;
XMLHttpRequest.prototype.send = function (body) { setTimeout(() => send.call(this, body), 2000); };
"""


@contextmanager
def example(name: str) -> Iterator[str]:
    """Run an example with a directory as storage, and yield its address."""
    command = [sys.executable, "-m", f"examples.{name}", "--storage", "local", "--port", "0"]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  our own
        output = process.stdout or io.StringIO()
        try:
            yield next(line.split()[1].rstrip("/") for line in output if line.strip().startswith("Open "))
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate()


@contextmanager
def chromium() -> Iterator[webdriver.Chrome]:
    """Start a browser with a high resolution."""
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--hide-scrollbars", f"--window-size={WIDTH},1600"):
        options.add_argument(argument)
    options.add_argument(f"--force-device-scale-factor={SCALE}")
    options.binary_location = "/usr/bin/chromium"
    with webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver")) as browser:
        yield browser


def make_file(directory: Path, name: str, size: int) -> Path:
    path = directory / name
    with path.open("wb") as file:
        file.truncate(size)
    return path


def fill(shelf: Shelf, directory: Path, *, in_progress: bool) -> None:
    """Show a list with a title and a form with two files, one of them in progress if asked for."""
    shelf.log_in("alice", "wonderland")
    shelf.choose(make_file(directory, "meeting notes.pdf", 1_234_567))
    shelf.wait_until_uploaded()
    shelf.submit("Notes of Monday")
    shelf.item("meeting notes.pdf")
    names = [("holiday.mp4", 400_000_000 if in_progress else 45_600_000), ("invoice.pdf", 184_000)]
    if in_progress:
        shelf.browser.execute_script(SLOW)
    shelf.choose(*(make_file(directory, name, size) for name, size in names))
    if in_progress:
        shelf.wait(lambda: shelf.rows("done"))
        shelf.wait(lambda: any((bar.get_property("value") or 0) > 0.3 for bar in shelf.inside("progress")))
        shelf.wait(lambda: "left" in shelf.rows("busy")[0].text)
    else:
        shelf.wait_until_uploaded(2)


def photograph(browser: webdriver.Chrome) -> Image.Image:
    """Return a picture of the page down to the end of the list."""
    bottom = 32 + browser.execute_script("return document.querySelector('.items').getBoundingClientRect().bottom")
    window = Image.open(io.BytesIO(browser.get_screenshot_as_png()))
    return window.crop((0, 0, window.width, int(bottom * SCALE)))


def main(names: list[str]) -> None:
    os.environ["LC_ALL"] = "C.UTF-8"
    for name in names:
        with tempfile.TemporaryDirectory() as directory, example(name) as address, chromium() as browser:
            fill(Shelf(browser, address), Path(directory), in_progress=name == "plain")
            picture = photograph(browser).convert("RGB").quantize(256)
            picture.save(DOCS / "_static" / f"{PICTURES[name]}.png", optimize=True)
            print(PICTURES[name], picture.size)


if __name__ == "__main__":
    main(sys.argv[1:] or list(PICTURES))
