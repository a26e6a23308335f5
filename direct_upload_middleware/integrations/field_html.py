"""The HTML of an upload field, for integrations that have no form library of their own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from ..models import Upload


def upload_field(
    name: str,
    *,
    multiple: bool = False,
    required: bool = False,
    accept: str = "",
    kept: Iterable[tuple[str, Upload]] = (),
    attributes: Mapping[str, Any] | None = None,
) -> str:
    """Return a ``<direct-upload>``, with an input inside it for browsers without JavaScript.

    :param kept: receipts that the field begins with, and their uploads.
    :param attributes: further attributes of the element, such as ``id``.
    """
    kept = list(kept)
    given = {"name": name, "multiple": multiple, "accept": accept or None}
    inside = {**given, "type": "file", "required": required and not kept, "aria-label": name}
    receipts = json.dumps([receipt for receipt, _ in kept]) if kept else None
    outside = {**given, "required": required, "data-receipts": receipts, **(attributes or {})}
    choices = "".join(_kept_choice(name, receipt, upload) for receipt, upload in kept)
    return f"<direct-upload{_attributes(outside)}>{choices}<input{_attributes(inside)}></direct-upload>"


def _kept_choice(name: str, receipt: str, upload: Upload) -> str:
    checkbox = {"type": "checkbox", "name": name, "value": receipt, "checked": True}
    return f'<label class="direct-upload-kept"><input{_attributes(checkbox)}> {escape(upload.filename)}</label>'


def _attributes(values: Mapping[str, Any]) -> str:
    """Return attributes; True is an attribute without a value, False and None are left out."""
    given = {name.rstrip("_").replace("_", "-"): value for name, value in values.items()}
    texts = (
        (name, "" if value is True else f'="{escape(str(value))}"') for name, value in given.items() if _is_set(value)
    )
    return "".join(f" {name}{text}" for name, text in texts)


def _is_set(value: Any) -> bool:
    return value is not None and value is not False
