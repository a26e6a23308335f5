"""A filename that tries to be a header, a path, a page, or to look like another one."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from helpers.uploads import ONE, Site, assert_problem

PATHS = [
    "../../etc/passwd",
    "/etc/passwd",
    "a/b",
    ".",
    "..",
    "a\0b",
    "",
    "\r\nSet-Cookie: evil=1",
    "a\x1b[2J",
    "a\x85b",
]
DISPOSITION = re.compile(r"""(inline|attachment); filename="[^"\\\r\n]*"; filename\*=UTF-8''([A-Za-z0-9_.~%-]+)""")
ODD = [
    pytest.param('a"; filename="evil.exe', id="a header parameter"),
    pytest.param("a\\", id="an escape"),
    pytest.param("<img src=x onerror=alert(1)>.png", id="HTML"),
    pytest.param("photo\u202egnp.exe", id="bidi override"),
    pytest.param("a%0d%0aSet-Cookie: evil=1", id="an encoded line break"),
    pytest.param("..%2f..%2fpasswd", id="an encoded path"),
    pytest.param("C:\\Windows\\evil.dll", id="a Windows path"),
    pytest.param("~root; rm -rf $(pwd)`id`", id="shell"),
    pytest.param("a&inline&filename=evil.html&temp_url_expires=9999999999", id="a query"),
    pytest.param("\U0001f4a9" * 200, id="many bytes"),
    pytest.param("=cmd|' calc'!A0.csv", id="a formula"),
]


@pytest.mark.parametrize("filename", PATHS)
def test_a_filename_with_a_path_or_control_characters_is_refused(site: Site, filename: str) -> None:
    """S5. Notices when ``policy.parse_request`` lets a path or a control character pass."""
    answer = site.request("POST", "/uploads", json={"filename": filename, "size": 1, "type": ""})
    assert_problem(answer, 422, "invalid-request", field="filename")


@pytest.mark.parametrize("inline", [False, True])
@pytest.mark.parametrize("filename", ODD)
def test_an_odd_filename_stays_where_it_belongs(site: Site, filename: str, inline: bool) -> None:
    """S5. Through token, API and temp URL into Swift's Content-Disposition, and nowhere else. Notices when the name
    is not quoted in the temp URL, or becomes part of the object's name.
    """
    done = site.upload(ONE, filename=filename)
    assert done.status_int == 200
    assert done.json["upload"]["filename"] == filename
    answer = site.request("GET", f"/files/{done.json['receipt']}" + ("?inline" if inline else ""))
    answered = site.fetch("GET", answer.headers["Location"])
    assert (answered.status, answered.body) == (200, ONE)
    assert "Set-Cookie" not in answered.headers
    disposition = DISPOSITION.fullmatch(answered.headers["Content-Disposition"])
    assert disposition, answered.headers["Content-Disposition"]
    assert disposition[1] == ("inline" if inline else "attachment")
    assert unquote(disposition[2]) == filename


@pytest.mark.parametrize("filename", ODD)
def test_an_odd_filename_harms_no_log(site: Site, filename: str, caplog: pytest.LogCaptureFixture) -> None:
    """Notices when filenames are logged."""
    caplog.set_level("DEBUG", "direct_upload_middleware")
    site.upload(ONE, filename=filename)
    assert caplog.records
    assert not any(filename in repr(vars(record)) for record in caplog.records)
