"""The script twice in a page: one copy handles the fields, the other stands back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from script.site import FORM, Visitor

pytestmark = pytest.mark.browser

Files = Callable[..., Path]
FIELDS = "<input type=file name=f data-direct-upload aria-label=F>"


@pytest.mark.parametrize("count", [1, 2])
def test_each_file_is_uploaded_once(visitor: Visitor, files: Files, count: int) -> None:
    copies = "".join(f'<script type=module src="/_upload/static/direct-upload.js?{n}"></script>' for n in range(count))
    visitor.open(FORM.format(FIELDS) + copies)
    visitor.give(files("a.txt"))
    visitor.wait_for("done")
    begun = visitor.js(
        "return performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('/_upload/uploads')).length"
    )
    assert begun == 1
    assert visitor.send() == [("f", "a receipt of a.txt"), ("go", "yes")]


def test_the_second_copy_says_so_once(visitor: Visitor) -> None:
    visitor.open(FORM.format(FIELDS))
    visitor.wait(lambda: visitor.js("return window[Symbol.for('direct-upload')]"))
    visitor.js("window.errors = []; console.error = (...about) => errors.push(about.join(' '))")
    visitor.js("import('/_upload/static/direct-upload.js?again')")
    visitor.wait(lambda: visitor.js("return errors.length"))
    [error] = visitor.js("return errors")
    assert "data-direct-upload-mount" in error
