"""Takes screenshots of <direct-upload> in every state, for reviews and for the documentation.

    python docs/screenshots/take.py [DIRECTORY]

It uses every installed browser, light, dark and from right to left, at the width of a phone and of a desktop.
index.html in the directory shows all screenshots. Those for the documentation are copied to docs/_static.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path
from typing import Any

from PIL import Image

DOCS = Path(__file__).parents[1]
sys.path[:0] = [str(DOCS.parent), str(DOCS.parent / "tests")]

from script.conftest import engines  # noqa: E402
from script.site import POLICY, Site, Visitor, dictionary  # noqa: E402

WIDTHS = {"phone": 390, "desktop": 640}
STYLE = """
:root { font: 16px/1.5 system-ui, sans-serif; background: Canvas; color: CanvasText; }
body { margin: 0; } main { box-sizing: border-box; padding: 1.25rem; inline-size: var(--width); background: Canvas; }
h1 { margin: 0 0 1rem; font-size: 1.4rem; line-height: 1.2; }
label { display: block; margin-block-end: .375rem; font-weight: 500; }
"""
#: Delays storage, so that uploads take some time, and breaks connections on demand.
SLOW = """
const { send } = XMLHttpRequest.prototype;
XMLHttpRequest.prototype.send = function (body) {
  setTimeout(() => (window.isBroken ? this.dispatchEvent(new ProgressEvent("error")) : send.call(this, body)), 350);
};
"""
#: True when an upload is in progress and its speed is known.
MOVING = """[...root.querySelectorAll("[data-state=busy]")].some((row) =>
  row.querySelector("progress").value > .3 && row.querySelector(".direct-upload-state").textContent.includes("· "))"""
ENGLISH = {
    "title": "Your travel expenses",
    "label": "Receipts and photographs",
    "files": ["Sunset.jpg", "Train ticket.pdf", "The whole trip.mov", "Notes.docx"],
}
ARABIC = {
    "title": "مصاريف سفرك",
    "label": "الإيصالات والصور",
    "files": ["غروب.jpg", "تذكرة القطار.pdf", "الرحلة كلها.mov", "ملاحظات.docx"],
}
ARABIC_TEXTS = {
    "promptSeveral": "اختر ملفات أو أفلتها هنا",
    "dropping": "أفلت الملفات لرفعها",
    "upTo": "حتى {max}",
    "image": "صور",
    "comma": "، ",
    "starting": "جارٍ البدء…",
    "sending": "{loaded} من {total}",
    "timeLeft": "بقي {time}",
    "waiting": "انقطع الاتصال. جارٍ المحاولة مجددًا…",
    "paused": "متوقف مؤقتًا",
    "finishing": "جارٍ الإنهاء…",
    "done": "تم الرفع، {total}",
    "retry": "حاول مجددًا",
    "details": "التفاصيل",
    "refused": "لا يجوز لك رفع هذا الملف.",
    "notAccepted": "يُقبل فقط: {accept}.",
    "unfinished": "تم رفع {loaded} من {total}. اختر الملف مجددًا للمتابعة.",
    "again": "اختر مجددًا",
}
VARIANTS: dict[str, dict[str, Any]] = {
    "light": {"scheme": "light", "lang": "en", "dir": "ltr", "texts": {}, **ENGLISH},
    "dark": {"scheme": "dark", "lang": "en", "dir": "ltr", "texts": {}, **ENGLISH},
    "rtl": {"scheme": "light", "lang": "ar", "dir": "rtl", "texts": ARABIC_TEXTS, **ARABIC},
}


class Studio:
    """A browser with a page that shows the element."""

    def __init__(self, visitor: Visitor, files: Path) -> None:
        self.visitor = visitor
        self.files = files
        self.time = 1_700_000_000

    def prepare(self, variant: dict[str, Any], width: int, path: str) -> None:
        self.variant, self.width, self.path = variant, width, path
        body = (
            dictionary(variant["texts"]) + f"<label for=e>{variant['label']}</label>"
            '<direct-upload id=e name=papers multiple accept="image/*,.pdf,.mov" max-size="5 GB"></direct-upload>'
        )
        self.visitor.open(body, lang=variant["lang"], dir=variant["dir"], path=path)
        self.visitor.inside("button")
        self.visitor.js(
            """const [style, scheme, width, title] = arguments;
            const sheet = new CSSStyleSheet();
            sheet.replaceSync(style);
            document.adoptedStyleSheets.push(sheet);
            document.documentElement.style.colorScheme = scheme;
            document.documentElement.style.setProperty("--width", `${width}px`);
            document.querySelector("h1").textContent = title;""",
            STYLE,
            variant["scheme"],
            width,
            variant["title"],
        )
        self.visitor.js(SLOW)

    def renew(self) -> None:
        """Change the files, so that no upload of the last state resumes."""
        self.time += 1
        for file in self.files.iterdir():
            os.utime(file, (self.time, self.time))

    def give(self, *which: int) -> None:
        self.visitor.give(*(self.files / self.variant["files"][each] for each in which))

    def wait(self, expression: str) -> None:
        script = f"const root = document.querySelector('direct-upload').shadowRoot; return {expression}"
        self.visitor.wait(lambda: self.visitor.js(script))

    def photograph(self) -> bytes:
        self.wait("!root.getAnimations().some(({ playState }) => playState === 'running')")
        rect = self.visitor.js("return document.querySelector('main').getBoundingClientRect().toJSON()")
        # Crop the screenshot of the window: WebKit's screenshot of an element is black without graphics hardware.
        window = Image.open(io.BytesIO(self.visitor.browser.get_screenshot_as_png()))
        picture = io.BytesIO()
        window.crop((rect["left"], rect["top"], rect["right"], rect["bottom"])).save(picture, "png", optimize=True)
        return picture.getvalue()

    # -- the states ----------------------------------------------------------------------------------------

    def empty(self) -> None:
        self.wait("root.querySelector('button')")

    def dragging(self) -> None:
        self.visitor.js(
            """const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File(["a"], "a.jpg"));
            const event = new DragEvent("dragenter", { bubbles: true, dataTransfer });
            document.querySelector("direct-upload").dispatchEvent(event);"""
        )

    def uploading(self) -> None:
        self.give(0, 2)
        self.wait(MOVING)

    def paused(self) -> None:
        self.uploading()
        self.visitor.inside("[data-state=busy]:last-child .direct-upload-pause").click()
        self.wait("root.querySelector('[data-paused]')")

    def retrying(self) -> None:
        self.uploading()
        self.visitor.js("window.isBroken = true")
        waiting = self.variant["texts"].get("waiting", "Retrying…")
        self.wait(f"root.textContent.includes({waiting!r})")

    def failed(self) -> None:
        self.visitor.js(
            """const refusal = { code: "refused" };
            window.fetch = () => Promise.resolve(Response.json(refusal, { status: 403 }));"""
        )
        self.give(1, 3)
        self.wait("root.querySelectorAll('[data-state=failed]').length === 2")

    def finished(self) -> None:
        self.give(0, 1)
        self.wait("root.querySelectorAll('[data-state=done]').length === 2")

    def together(self) -> None:
        self.give(0, 1)
        self.wait("root.querySelectorAll('[data-state=done]').length === 2")
        self.give(2, 3)
        self.wait("(root.querySelector('[data-state=busy] progress')?.value ?? 0) > .4")

    def unfinished(self) -> None:
        self.give(0)
        self.wait("root.querySelector('[data-state=done]')")
        self.give(2)
        self.wait(MOVING)
        self.visitor.leave()
        self.prepare(self.variant, self.width, self.path)
        self.wait("root.querySelector('.direct-upload-unfinished > li')")


STATES: dict[str, Callable[[Studio], None]] = {
    name: getattr(Studio, name)
    for name in ("empty", "dragging", "uploading", "paused", "retrying", "failed", "finished", "unfinished", "together")
}


def make_files(directory: Path) -> None:
    for variant in (ENGLISH, ARABIC):
        for name, size in zip(variant["files"], (0, 184_000, 18_400_000, 23_000), strict=True):
            (directory / name).write_bytes(os.urandom(size) if size else picture())


def picture() -> bytes:
    """Return a sunset: a bitmap of 4 × 4 pixels, whatever its filename says, which browsers smooth."""
    rows = [(60, 40, 20)] * 4 + [(70, 90, 240)] * 4 + [(90, 160, 255)] * 4 + [(150, 90, 70)] * 4
    pixels = b"".join(bytes(pixel) for pixel in rows)
    header = b"BM" + (54 + len(pixels)).to_bytes(4, "little") + bytes(4) + (54).to_bytes(4, "little")
    fields = [(40, 4), (4, 4), (4, 4), (1, 2), (24, 2), (0, 4), (len(pixels), 4), (2835, 4), (2835, 4), (0, 4), (0, 4)]
    return header + b"".join(value.to_bytes(length, "little") for value, length in fields) + pixels + bytes(640_000)


def photographs(studio: Studio) -> Iterator[tuple[str, bytes]]:
    for variant, about in VARIANTS.items():
        for device, width in WIDTHS.items():
            for state, reach in STATES.items():
                studio.renew()
                studio.prepare(about, width, f"/{variant}-{device}-{state}")
                reach(studio)
                yield f"{variant}-{device}-{state}", studio.photograph()


def index(names: list[str]) -> str:
    figures = "".join(
        f'<figure><img src="{escape(n)}.png"><figcaption>{escape(n)}</figcaption></figure>' for n in names
    )
    return (
        "<!doctype html><title>Screenshots</title><style>body{display:flex;flex-wrap:wrap;gap:1rem;background:#888}"
        f"figure{{margin:0}}img{{display:block;max-width:100%}}</style>{figures}"
    )


def main(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    names = []
    with tempfile.TemporaryDirectory() as scratch:
        make_files(Path(scratch))
        site = Site(Path(scratch, "uploads"), segment_size=1 << 18)
        site.policy = POLICY
        for engine, start in engines().items():
            with start() as browser:
                for name, image in photographs(Studio(Visitor(browser, site), Path(scratch))):
                    names.append(f"{engine}-{name}")
                    (directory / f"{names[-1]}.png").write_bytes(image)
        site.close()
    (directory / "index.html").write_text(index(names), "utf-8")
    for variant in VARIANTS:
        shutil.copy(directory / f"chromium-{variant}-desktop-together.png", DOCS / "_static" / f"element-{variant}.png")
    print(f"{len(names)} screenshots: {directory / 'index.html'}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "taken")
