"""Ways to choose files: folders, limits, a camera, the whole page, and images that are reduced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from script.site import POLICY, ROOT, Visitor

pytestmark = pytest.mark.browser

Files = Callable[..., Path]
ELEMENT = "<label for=e>Papers</label><direct-upload id=e name=f {}></direct-upload>"
INPUT = "<label for=e>Papers</label><input type=file id=e name=f data-direct-upload {}>"
FIELDS = pytest.mark.parametrize("field", [ELEMENT, INPUT], ids=["element", "input"])
NOTICES = f"return [...{ROOT}.querySelectorAll('.direct-upload-notice')].map((each) => each.textContent)"
#: Drop the folder ``trip`` with ``b.txt``, ``day 2/a.txt`` and a system's file, beside the file ``c.txt``.
DROP_FOLDER = """const file = (fullPath) => {
  const name = fullPath.split("/").at(-1);
  return { name, fullPath, isFile: true, isDirectory: false, file: (done) => done(new File([fullPath], name)) };
};
const folder = (fullPath, ...entries) => ({
  name: fullPath.split("/").at(-1), fullPath, isFile: false, isDirectory: true,
  createReader: () => ({ readEntries: (done) => done(entries.splice(0, 1)) }),
});
const day = folder("/trip/day 2", file("/trip/day 2/a.txt"));
const trip = folder("/trip", day, file("/trip/.DS_Store"), file("/trip/b.txt"));
const data = new DataTransfer();
for (const name of ["trip", "c.txt"]) data.items.add(new File(["content"], name));
const items = [...data.items].map((item, index) => ({
  kind: "file", getAsFile: () => item.getAsFile(), webkitGetAsEntry: () => (index ? file("/c.txt") : trip),
}));
const event = new DragEvent("drop", { bubbles: true, cancelable: true, composed: true });
Object.defineProperty(event, "dataTransfer", { value: { types: ["Files"], items, files: data.files } });
document.querySelector("direct-upload").dispatchEvent(event);"""
#: Make a JPEG of 400 by 200 pixels, red on the left, whose EXIF says to turn it to the right by a quarter.
MAKE_PHOTO = """const [type, turned, done] = arguments;
const canvas = Object.assign(document.createElement("canvas"), { width: 400, height: 200 });
const context = canvas.getContext("2d");
for (const [colour, x] of [["#c00000", 0], ["#0000c0", 200]]) {
  context.fillStyle = colour;
  context.fillRect(x, 0, 200, 200);
}
canvas.toBlob(async (blob) => {
  const plain = new Uint8Array(await blob.arrayBuffer());
  const header = [0xff, 0xe1, 0, 34, 69, 120, 105, 102, 0, 0, 77, 77, 0, 42, 0, 0, 0, 8];
  const exif = [...header, 0, 1, 1, 18, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0];
  const parts = turned ? [plain.slice(0, 2), new Uint8Array(exif), plain.slice(2)] : [plain];
  const name = `photo.${blob.type.slice(6)}`;
  document.querySelector("direct-upload").add([new File(parts, name, { type: blob.type })]);
  done(blob.size);
}, type, 1);"""
#: Download the first upload; return its size, type, sides, and the colours of its first and last pixel.
READ_IMAGE = """const [done] = arguments;
const { receipt } = document.querySelector("direct-upload").uploads[0];
fetch(`/_upload/files/${receipt}?inline`).then((answer) => answer.blob()).then(async (blob) => {
  const bitmap = await createImageBitmap(blob);
  const { width, height } = bitmap;
  const context = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d");
  context.drawImage(bitmap, 0, 0);
  const round = (value) => Math.round(value / 64) * 64;
  const at = (x, y) => [...context.getImageData(x, y, 1, 1).data].slice(0, 3).map(round);
  done({ size: blob.size, type: blob.type, width, height, first: at(2, 2), last: at(width - 3, height - 3) });
});"""
#: Record a video of a red canvas, and add it to the element.
ADD_VIDEO = """const [done] = arguments;
const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 64 });
const context = canvas.getContext("2d");
const paint = setInterval(() => {
  context.fillStyle = "#c00000";
  context.fillRect(0, 0, 64, 64);
}, 20);
const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType: "video/webm" });
const parts = [];
recorder.ondataavailable = ({ data }) => {
  parts.push(data);
  if (recorder.state === "recording" && parts.length > 5) recorder.stop();
};
recorder.onstop = () => {
  clearInterval(paint);
  document.querySelector("direct-upload").add([new File(parts, "clip.webm", { type: "video/webm" })]);
  done();
};
recorder.start(100);"""


def notices(visitor: Visitor) -> list[str]:
    return list(visitor.js(NOTICES))


def test_a_dropped_folder_is_uploaded_with_the_path_of_each_file(visitor: Visitor) -> None:
    visitor.open_form(ELEMENT.format("multiple data-path-name=paths"))
    visitor.inside("button")
    visitor.js(DROP_FOLDER)
    visitor.wait_for("done", "done", "done")
    names = [visitor.read(name) for name in visitor.all_inside(".direct-upload-name")]
    assert names == ["c.txt", "trip/b.txt", "trip/day 2/a.txt"]
    assert visitor.send() == [
        ("f", "a receipt of c.txt"),
        ("f", "a receipt of b.txt"),
        ("f", "a receipt of a.txt"),
        ("paths", ""),
        ("paths", "trip/b.txt"),
        ("paths", "trip/day 2/a.txt"),
        ("go", "yes"),
    ]


def test_a_folder_beside_a_file_is_told_where_one_file_is_wanted(visitor: Visitor) -> None:
    visitor.open_form(ELEMENT.format(""))
    visitor.inside("button")
    visitor.js(DROP_FOLDER)
    visitor.wait_for("done")
    assert notices(visitor) == ["Folders can't be uploaded. Open the folder and choose its files."]
    assert visitor.send() == [("f", "a receipt of c.txt"), ("go", "yes")]


@FIELDS
def test_a_folder_is_chosen_with_the_path_of_each_file(visitor: Visitor, tmp_path: Path, field: str) -> None:
    if visitor.browser.capabilities["browserName"] != "chrome":
        pytest.skip("the driver gives no folder to an input")
    for name in ("trip/b.txt", "trip/day 2/a.txt"):
        tmp_path.joinpath(name).parent.mkdir(exist_ok=True)
        tmp_path.joinpath(name).write_text(name)
    visitor.open_form(field.format("multiple webkitdirectory data-path-name=paths"))
    if field == ELEMENT:
        assert visitor.read(visitor.inside("button")) == "Choose a folder or drop it here"
    visitor.give(tmp_path / "trip")
    visitor.wait_for("done", "done")
    sent = visitor.send()
    assert sorted(value for name, value in sent if name == "f") == ["a receipt of a.txt", "a receipt of b.txt"]
    assert sorted(value for name, value in sent if name == "paths") == ["trip/b.txt", "trip/day 2/a.txt"]


@FIELDS
def test_files_beyond_the_total_size_are_told_and_not_added(visitor: Visitor, files: Files, field: str) -> None:
    prefix = "data-" if field == INPUT else ""
    visitor.open_form(field.format(f"multiple {prefix}max-total-size='2 kB'"))
    visitor.give(files("a.txt", 1500), files("b.txt", 900), files("c.txt", 400))
    visitor.wait_for("done", "done")
    notice = ["The files can have up to 2 kB in total. Not added: b.txt"]
    visitor.wait(lambda: [text.replace("\N{NO-BREAK SPACE}", " ") for text in notices(visitor)] == notice)
    assert visitor.send() == [("f", "a receipt of a.txt"), ("f", "a receipt of c.txt"), ("go", "yes")]


@FIELDS
def test_too_few_files_are_not_submitted(visitor: Visitor, files: Files, field: str) -> None:
    prefix = "data-" if field == INPUT else ""
    visitor.open_form(field.format(f"multiple {prefix}min-files=2"))
    visitor.give(files("a.txt"))
    visitor.wait_for("done")
    visitor.one("[name=go]").click()
    assert visitor.js("return document.querySelector('[name=f]').validationMessage") == "Choose at least 2 files."
    assert visitor.site.forms == []
    visitor.give(files("b.txt"))
    visitor.wait_for("done", "done")
    assert len(visitor.send()) == 3


def test_a_phone_offers_its_camera_and_no_drop(visitor: Visitor) -> None:
    visitor.open_form(ELEMENT.format(""))
    button = visitor.inside("button")
    assert visitor.read(button) == "Choose a file or drop it here"
    visitor.js("window.matchMedia = (query) => ({ matches: query === '(hover: none) and (pointer: coarse)' })")
    visitor.js("document.querySelector('direct-upload').setAttribute('capture', 'environment')")
    visitor.wait(lambda: visitor.read(button) == "Choose a file")
    assert visitor.inside("input").get_attribute("capture") == "environment"
    visitor.js("document.querySelector('direct-upload').multiple = true")
    visitor.wait(lambda: visitor.read(button) == "Choose files")


def test_a_field_takes_what_is_dropped_anywhere_in_the_page(visitor: Visitor) -> None:
    visitor.open_form(ELEMENT.format("multiple page-drop") + "<input type=file aria-label=Other>")
    visitor.inside("button")

    dragged = f"return {ROOT}.querySelector('[data-dragging]')"
    drag = """const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File(["a"], "a.txt"));
        document.querySelector("h1").dispatchEvent(new DragEvent("dragenter", { bubbles: true, dataTransfer }));"""
    visitor.wait(lambda: visitor.js(drag) or visitor.js(dragged))
    visitor.drop("h1", **{"dropped.txt": "a"})
    visitor.wait_for("done")
    assert not visitor.js(dragged)
    visitor.drop("[aria-label=Other]", **{"for the other.txt": "a"})
    assert visitor.states() == ["done"]
    assert visitor.send() == [("f", "a receipt of dropped.txt"), ("go", "yes")]


@pytest.mark.parametrize(
    ("type", "is_turned", "size", "first", "last"),
    [
        pytest.param("image/jpeg", False, (100, 50), [192, 0, 0], [0, 0, 192], id="JPEG"),
        pytest.param("image/jpeg", True, (50, 100), [192, 0, 0], [0, 0, 192], id="JPEG that is turned"),
        pytest.param("image/png", False, (100, 50), [192, 0, 0], [0, 0, 192], id="PNG"),
    ],
)
def test_an_image_is_reduced_before_it_is_uploaded(
    visitor: Visitor, type: str, is_turned: bool, size: tuple[int, int], first: list[int], last: list[int]
) -> None:
    visitor.open_form(ELEMENT.format("data-image-max=100"))
    visitor.inside("button")
    original = visitor.browser.execute_async_script(MAKE_PHOTO, type, is_turned)
    visitor.wait_for("done")
    image = visitor.browser.execute_async_script(READ_IMAGE)
    assert (image["width"], image["height"], image["type"]) == (*size, type)
    assert image["size"] < original
    assert (image["first"], image["last"]) == (first, last)


@pytest.mark.parametrize("limit", ["", "data-image-max=400"], ids=["not asked", "small enough"])
def test_an_image_that_need_not_be_reduced_stays_as_it_is(visitor: Visitor, limit: str) -> None:
    visitor.open_form(ELEMENT.format(limit))
    visitor.inside("button")
    original = visitor.browser.execute_async_script(MAKE_PHOTO, "image/png", False)
    visitor.wait_for("done")
    assert visitor.browser.execute_async_script(READ_IMAGE)["size"] == original


def test_an_image_that_the_browser_cannot_read_is_uploaded_as_it_is(visitor: Visitor) -> None:
    visitor.open_form(ELEMENT.format("data-image-max=100"))
    visitor.inside("button")
    visitor.js("document.querySelector('direct-upload').add([new File(['damaged'], 'a.png', { type: 'image/png' })])")
    visitor.wait_for("done")
    assert visitor.send() == [("f", "a receipt of a.png"), ("go", "yes")]


@pytest.fixture
def policy(visitor: Visitor) -> Iterator[None]:
    """Let the page's policy allow local videos."""
    visitor.site.policy = POLICY + "; media-src blob:"
    yield
    visitor.site.policy = POLICY


@pytest.mark.usefixtures("policy")
def test_a_video_has_a_picture(visitor: Visitor) -> None:
    visitor.open_form(ELEMENT.format(""))
    visitor.inside("button")
    if not visitor.js("return !!window.MediaRecorder?.isTypeSupported('video/webm')"):
        pytest.skip("the browser makes no video")
    visitor.browser.execute_async_script(ADD_VIDEO)
    canvas = visitor.inside(".direct-upload-preview canvas")
    pixel = "return [...arguments[0].getContext('2d').getImageData(48, 48, 1, 1).data]"
    red, green, blue, _ = visitor.js(pixel, canvas)
    assert red > 128 > max(green, blue)


def test_an_image_has_a_picture_and_a_pdf_its_extension(visitor: Visitor, files: Files) -> None:
    visitor.open_form(ELEMENT.format("multiple"))
    visitor.inside("button")
    visitor.browser.execute_async_script(MAKE_PHOTO, "image/png", False)
    visitor.give(files("a.pdf"))
    visitor.wait_for("done", "done")
    visitor.inside("[data-state]:first-child canvas")
    assert visitor.read(visitor.inside("[data-state]:last-child .direct-upload-preview")) == "PDF"
