"""Django forms: a field whose cleaned value is an :class:`~direct_upload_middleware.Upload`, or a list of them.

::

    class DocumentForm(forms.Form):
        title = forms.CharField()
        document = UploadField(accept=[".pdf"])
        pictures = UploadField(multiple=True, required=False)

    form = DocumentForm(request.POST)
    if form.is_valid():
        Document.objects.create(title=…, id=form.cleaned_data["document"].id)

When the form is shown again because another field is invalid, the uploaded files stay chosen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...errors import InvalidReceipt, NotYours
from ...models import Upload
from ..common import framework
from .middleware import current_uploads

with framework("Django", "django"):
    from django import forms
    from django.core.exceptions import ValidationError
    from django.utils.html import format_html, format_html_join
    from django.utils.safestring import SafeString
    from django.utils.translation import gettext_lazy as _

__all__ = ["UploadField", "UploadInput"]


class UploadInput(forms.FileInput):
    """A file input whose files go directly to storage; the form receives their receipts.

    :param multiple: let the user choose several files.
    """

    needs_multipart_form = False

    def __init__(self, attrs: dict[str, Any] | None = None, *, multiple: bool = False) -> None:
        self.allow_multiple_selected = multiple
        super().__init__({"data-direct-upload": True, **(attrs or {})})

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> list[str]:
        """Return the receipts, or the names of files that a browser without JavaScript sent."""
        receipts = [value for value in _all(data, name) if value]
        return receipts or [file.name for file in _all(files, name) if file]

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        """Tell whether the form has no value for this input."""
        return name not in data and name not in files

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Return the input's HTML, with a checkbox for each file that was uploaded before."""
        kept = _uploaded(value if self.allow_multiple_selected else (value or [])[-1:])
        if kept:
            attrs = {**(attrs or {}), "required": False}
        choices = format_html_join(
            "",
            '<label class="direct-upload-kept"><input type="checkbox" name="{}" value="{}" checked> {}</label>',
            ((name, receipt, upload.filename) for receipt, upload in kept),
        )
        return format_html("{}{}", choices, super().render(name, None, attrs, renderer))


class UploadField(forms.Field):
    """A form field that turns receipts into uploads.

    :param multiple: if True, the cleaned value is a list, empty when nothing was uploaded; else an Upload or None.
    :param accept: the files that the browser offers to choose: ``[".pdf", "image/*"]``. The middleware's option of the
        same name decides what is accepted.
    :param max_age: the greatest age of a completed upload in seconds; None for any age.
    """

    default_error_messages = {  # noqa: RUF012  Django declares it like this
        "invalid-receipt": _("This upload is no longer valid. Choose the file again."),
        "not-yours": _("This upload was started by another user. Choose the file again."),
    }

    def __init__(
        self, *, multiple: bool = False, accept: Iterable[str] = (), max_age: float | None = None, **kwargs: Any
    ) -> None:
        self.multiple = multiple
        self.accept = ",".join(accept)
        self.max_age = max_age
        kwargs.setdefault("widget", UploadInput(multiple=multiple))
        super().__init__(**kwargs)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """Return the input's ``accept`` attribute."""
        return {"accept": self.accept} if self.accept else {}

    def to_python(self, value: Any) -> Upload | list[Upload] | None:
        """Return the upload, or the list of uploads, that the receipts prove."""
        receipts = [value] if isinstance(value, str) and value else list(value or [])
        if self.multiple:
            return [self._verified(receipt) for receipt in receipts]
        return self._verified(receipts[-1]) if receipts else None

    def _verified(self, receipt: str) -> Upload:
        try:
            return current_uploads().verify(receipt, max_age=self.max_age)
        except (InvalidReceipt, NotYours) as error:
            raise ValidationError(self.error_messages[error.code], code=error.code) from error


def _all(data: Mapping[str, Any], name: str) -> list[Any]:
    """Return every value of that name in a MultiValueDict or a plain dictionary."""
    if hasattr(data, "getlist"):
        return list(data.getlist(name))
    value = data.get(name)
    return list(value) if isinstance(value, list | tuple) else [value]


def _uploaded(value: Any) -> list[tuple[str, Upload]]:
    """Return the valid receipts among the form's values, with their uploads."""
    found = []
    for receipt in value if isinstance(value, list) else []:
        try:
            found.append((receipt, current_uploads().verify(receipt)))
        except (InvalidReceipt, NotYours):
            continue  # the field reports it
    return found
