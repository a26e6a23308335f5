"""Uploads become rows of a table or JSON, and come back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from direct_upload_middleware import Upload

UPLOAD = Upload(
    id="0" * 32,
    name="1" * 32,
    container="uploads",
    filename="笑い話 “1”.txt",
    type="text/plain",
    size=5 * 1024**4,
    etag="2" * 32,
    owner=None,
    completed=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
)


def test_an_upload_survives_json() -> None:
    assert Upload.from_dict(json.loads(json.dumps(UPLOAD.to_dict()))) == UPLOAD


def test_unknown_keys_are_ignored() -> None:
    assert Upload.from_dict({**UPLOAD.to_dict(), "title": "Jokes", "kind": 1}) == UPLOAD


@pytest.mark.parametrize(
    "completed",
    [
        pytest.param(datetime(2026, 1, 2, 3, 4, 5), id="naive, as databases return it"),
        pytest.param("2026-01-02T03:04:05", id="naive text"),
        pytest.param("2026-01-02T03:04:05Z", id="Z"),
        pytest.param(datetime(2026, 1, 2, 5, 4, 5, tzinfo=timezone(timedelta(hours=2))), id="another time zone"),
    ],
)
def test_completed_is_read_as_utc(completed: datetime | str) -> None:
    assert Upload.from_dict({**UPLOAD.to_dict(), "completed": completed}) == UPLOAD


def test_five_fields_are_enough() -> None:
    needed = {name: UPLOAD.to_dict()[name] for name in ("id", "name", "size", "etag", "filename")}
    upload = Upload.from_dict(needed)
    assert {**upload.to_dict(), **UPLOAD.to_dict()} == UPLOAD.to_dict()
    assert (upload.container, upload.type, upload.owner) == ("", "", None)


def test_a_missing_field_is_named() -> None:
    values = UPLOAD.to_dict()
    del values["name"]
    with pytest.raises(KeyError, match="an upload needs name"):
        Upload.from_dict(values)
