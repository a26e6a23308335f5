"""WebTest forms with upload fields: ``form["document"] = receipt``, as the page's script fills them."""

from __future__ import annotations

from typing import Any

from webtest import forms


class UploadInput(forms.Field):  # type: ignore[misc]  # WebTest has no types
    """An ``<input type="file" data-direct-upload>``.

    Its value is a receipt, a list of receipts, or a ``webtest.Upload``: a file that a browser without JavaScript sends.
    Left empty, it sends an empty file, like a browser.
    """

    @property
    def value(self) -> Any:
        """The receipts, or the file."""
        if self._value or not self.form.enctype.startswith("multipart/"):
            return self._value or ""
        return forms.Upload("", b"", "application/octet-stream")

    @value.setter
    def value(self, value: Any) -> None:
        self._value = [value] if isinstance(value, str) else value

    def force_value(self, value: Any) -> None:
        """Set the value."""
        self.value = value


def _file_field(form: Any, tag: str, name: str, pos: int, *args: Any, **attrs: Any) -> Any:
    field = UploadInput if "data-direct-upload" in attrs else forms.File
    return field(form, tag, name, pos, *args, **attrs)


def support_upload_fields() -> None:
    """Let WebTest's forms know upload fields."""
    forms.Field.classes["file"] = _file_field
