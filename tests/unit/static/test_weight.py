"""What the script weighs on its way to a page, beside what others weigh. The documentation tells the same numbers."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import brotli
import pytest
from helpers.script.node import run_module
from webob import Request

from direct_upload_middleware import DirectUploadMiddleware

TABLE = Path(__file__).parents[3] / "docs" / "javascript.rst"
#: As an application's build makes it: what is used of a package, minified.
BUNDLE = """
import { createRequire } from "node:module";
const { buildSync } = createRequire(`${process.cwd()}/`)("esbuild");
const { outputFiles } = buildSync({
  stdin: { contents: process.argv[1], resolveDir: process.cwd() }, nodePaths: [process.env.NODE_PATH],
  bundle: true, minify: true, format: "esm", write: false, logLevel: "error",
});
process.stdout.write(outputFiles[0].text);
"""
UPPY = 'export { default as Uppy } from "@uppy/core"; export { default as AwsS3 } from "@uppy/aws-s3";'
OTHERS = {
    "@rails/activestorage 8.1": 'export { start } from "@rails/activestorage";',
    "tus-js-client 4.3": 'export { Upload } from "tus-js-client";',
    "Uppy 6: core and aws-s3": UPPY,
    "Uppy 6: core, Dashboard and aws-s3": UPPY + 'export { default as Dashboard } from "@uppy/dashboard";',
}
LANGUAGES = sorted(Path(__file__).parents[3].joinpath("static", "languages").glob("*.js"))
OURS = {
    "what every marked page loads first": "",
    "the engine": "engine/upload.js",
    "what remembers uploads": "resume/records.js",
    "the element": "ui/form.js",
}


@cache
def bundled(use: str) -> int:
    return len(brotli.compress(run_module(BUNDLE, use).encode()))


@pytest.fixture
def as_served(tmp_path: Path) -> dict[str, int]:
    """Bytes that each part takes in Brotli; each of them is one file."""

    def app(environ: Any, start_response: Any) -> list[bytes]:
        raise AssertionError("the application is not asked for the script")

    app = DirectUploadMiddleware(app, f"local:{tmp_path}")
    entry = Request.blank("/_upload/static/direct-upload.js").get_response(app).text
    [version] = set(re.findall(r"\./([0-9a-f]{16})/", entry))
    weights = {}
    languages = {path.stem: f"languages/{path.name}" for path in LANGUAGES}
    for part, name in (OURS | languages).items():
        path = f"{version}/{name}" if name else "direct-upload.js"
        answer = Request.blank(f"/_upload/static/{path}", headers={"Accept-Encoding": "br"}).get_response(app)
        assert answer.content_encoding == "br"
        weights[part] = len(answer.body)
    return weights


@pytest.mark.parametrize(("part", "limit"), list(zip(OURS, (1000, 9000, 2000, 14_000), strict=True)))
def test_the_script_is_light(as_served: dict[str, int], part: str, limit: int) -> None:
    assert as_served[part] <= limit


@pytest.mark.parametrize("language", [path.stem for path in LANGUAGES])
def test_a_language_is_light(as_served: dict[str, int], language: str) -> None:
    assert as_served[language] <= 2000


def test_it_is_lighter_than_others_that_do_as_much(as_served: dict[str, int]) -> None:
    ours = {part: as_served[part] for part in OURS}
    engine = sum(ours.values()) - ours["the element"]
    assert engine < bundled(OTHERS["tus-js-client 4.3"])
    assert engine < bundled(OTHERS["Uppy 6: core and aws-s3"])
    assert sum(ours.values()) < bundled(OTHERS["Uppy 6: core, Dashboard and aws-s3"])


def test_the_documentation_states_the_measured_weights(as_served: dict[str, int]) -> None:
    rows = re.findall(r"^   \* - (.*)\n     - ([\d.]+) kB$", TABLE.read_text("utf-8"), re.MULTILINE)
    measured = {part: as_served[part] for part in OURS} | {name: bundled(use) for name, use in OTHERS.items()}
    told = {what: float(size) * 1000 for what, size in rows}
    for what, size in measured.items():
        [row] = [size for name, size in told.items() if name.startswith(what)]
        assert row == pytest.approx(size, abs=150), what
    assert len(told) == len(measured)
