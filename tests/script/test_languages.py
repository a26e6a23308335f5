"""The page's `lang` decides the language of texts, numbers and sizes. The page's own texts have the last word."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from script.site import Visitor, dictionary
from script.test_many import ADD, summary

pytestmark = pytest.mark.browser

Files = Callable[..., Path]
ELEMENT = "<label for=e>Papers</label><direct-upload id=e name=f multiple max-size='2.5 MB' {}></direct-upload>"
INPUT = "<label for=e>Papers</label><input type=file id=e name=f multiple data-direct-upload {}>"


def plain(text: str) -> str:
    """Return a text with plain spaces, and without the marks that direct it."""
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ").strip("\u200e\u200f")


@pytest.mark.parametrize(
    ("lang", "prompt", "hint", "done"),
    [
        ("de-AT", "Dateien auswählen oder hier ablegen", "Bis 2,5 MB", "Hochgeladen · 2 kB"),
        ("he", "יש לבחור קבצים או לשחרר אותם כאן", "2.5", "הועלה · "),
        ("fa", "فایل‌ها را انتخاب کنید یا اینجا رها کنید", "۲٫۵", "۲"),
        ("zh-Hant", "選擇檔案或拖放到此處", "最大 2.5 MB", "已上傳 · 2 kB"),
        ("zh-SG", "选择文件或拖放到此处", "最大 2.5 MB", "已上传 · 2 kB"),
        ("ca", "Choose files or drop them here", "Up to 2.5 MB", "Uploaded · 2 kB"),
    ],
)
def test_words_and_numbers_are_in_the_language_of_the_page(
    visitor: Visitor, files: Files, lang: str, prompt: str, hint: str, done: str
) -> None:
    visitor.open_form(ELEMENT.format(""), lang=lang, dir="rtl" if lang in {"he", "fa"} else "ltr")
    text, limit = plain(visitor.read(visitor.inside("button"))).splitlines()
    assert prompt == text
    assert hint in limit
    visitor.give(files("one.txt", 2000))
    visitor.wait_for("done")
    assert done in plain(visitor.read(visitor.inside(".direct-upload-state")))


def test_chinese_differs_by_script(visitor: Visitor) -> None:
    prompts = {}
    for lang in ("zh", "zh-Hans", "zh-SG", "zh-Hant", "zh-TW"):
        visitor.open_form(ELEMENT.format(""), lang=lang)
        prompts[lang] = visitor.read(visitor.inside("button"))
    assert prompts["zh"] == prompts["zh-Hans"] == prompts["zh-SG"]
    assert prompts["zh-Hant"] == prompts["zh-TW"] != prompts["zh"]


@pytest.mark.parametrize("field", [ELEMENT, INPUT], ids=["element", "input"])
def test_the_texts_of_the_page_have_the_last_word(visitor: Visitor, files: Files, field: str) -> None:
    own = dictionary({"done": "Angekommen · {total}", "removed": "{name} ist weg"})
    visitor.open_form(own + field.format(""), lang="de")
    visitor.give(files("a.txt"), files("b.txt"))
    visitor.wait_for("done", "done")
    assert "Angekommen · " in visitor.read(visitor.inside(".direct-upload-state"))
    assert visitor.inside(".direct-upload-remove").get_attribute("aria-label") == "a.txt entfernen"
    visitor.press(".direct-upload-remove")
    visitor.wait(lambda: visitor.read(visitor.inside("[role=status]")) == "a.txt ist weg")


def test_the_line_about_many_files_has_the_right_plural(visitor: Visitor) -> None:
    own = dictionary({"doneAll": {"one": "Jeden", "few": "{count} trochu", "other": "{count} hodně"}})
    visitor.open_form(own + ELEMENT.format(""), lang="cs")
    visitor.inside("button")
    visitor.js(ADD, 4, 10)
    visitor.wait(lambda: summary(visitor) == "4 trochu")
    visitor.press(".direct-upload-remove")
    visitor.press(".direct-upload-remove")
    visitor.press(".direct-upload-remove")
    visitor.wait(lambda: summary(visitor) == "Jeden")
