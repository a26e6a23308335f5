"""The middleware as a Paste filter."""

from __future__ import annotations

from pathlib import Path

import pytest
from paste.deploy import loadapp
from webtest import TestApp

from direct_upload_middleware import ConfigurationError
from direct_upload_middleware.integrations.paste import filter_app_factory
from direct_upload_middleware.options import parse_strings

INI = """
[filter:direct-upload]
use = egg:direct-upload-middleware
storage = local:{directory}
secret = old secret, new secret
identify = unit.integrations.test_paste:somebody
accept = .txt, image/*
inject = no
segment_size = 1000

[app:hello]
paste.app_factory = unit.integrations.test_paste:hello_factory

[pipeline:main]
pipeline = direct-upload hello
"""


def somebody(environ):
    return "somebody"


def hello_factory(global_conf):
    def hello(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [environ["direct_upload.uploads"].identity.encode()]

    return hello


def test_an_ini_file_wraps_an_application(tmp_path: Path) -> None:
    ini = tmp_path / "app.ini"
    ini.write_text(INI.format(directory=tmp_path / "files"))
    app = TestApp(loadapp(f"config:{ini}"))
    assert app.get("/").text == "somebody"
    begun = app.post_json("/_upload/uploads", {"filename": "a.txt", "size": 2500, "type": ""}).json
    assert begun["segment_count"] == 3
    refused = app.post_json("/_upload/uploads", {"filename": "a.exe", "size": 1, "type": ""}, status=415).json
    assert refused["code"] == "type-not-accepted"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[pytest.param(text, True, id=text) for text in ("true", "Yes", "on", "1", "y", "T")],
        *[pytest.param(text, False, id=text) for text in ("false", "NO", "off", "0", "n", "f")],
    ],
)
def test_booleans_are_read_like_pastes_asbool(text: str, value: bool) -> None:
    assert parse_strings({"anonymous": text, "inject": text}) == {"anonymous": value, "inject": value}


def test_an_empty_string_counts_as_a_missing_option() -> None:
    assert parse_strings({"max_size": " ", "accept": ""}) == {}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("anonymous", "perhaps"),
        ("inject", "sometimes"),
        ("max_size", "1 GB"),
        ("identify", "nothing"),
        ("identify", "no_such_module:somebody"),
        ("identify", "unit.integrations.test_paste:nobody"),
        ("identify", ":"),
        ("colour", "blue"),
        ("seal", "wax"),
    ],
)
def test_a_wrong_setting_names_the_option(name: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=name):
        filter_app_factory(hello_factory({}), {}, storage=f"local:{tmp_path}", **{name: text})
