"""Django's forms: a field whose cleaned value is an :class:`~direct_upload_middleware.Upload`, or a list of them.

::

    class DocumentForm(forms.Form):
        title = forms.CharField()
        document = UploadField(accept=[".pdf"])
        pictures = UploadField(multiple=True, required=False)

    form = DocumentForm(request.POST)
    if form.is_valid():
        Document.objects.create(title=…, id=form.cleaned_data["document"].id)

When the form is shown again because of another field, what was uploaded stays chosen.
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
    """A file input whose files go straight to storage; the form gets their receipts.

    :param multiple: whether several files may be chosen.
    """

    needs_multipart_form = False

    def __init__(self, attrs: dict[str, Any] | None = None, *, multiple: bool = False) -> None:
        self.allow_multiple_selected = multiple
        super().__init__({"data-direct-upload": True, **(attrs or {})})

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> list[str]:
        """The receipts. Where a browser without the script sent the file itself, its name, which is none."""
        receipts = [value for value in _all(data, name) if value]
        return receipts or [file.name for file in _all(files, name) if file]

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return name not in data and name not in files

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
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
    """Cleans receipts into what they prove.

    :param multiple: clean to a list, which is empty where nothing was uploaded; else to an Upload or None.
    :param accept: what the browser offers to choose: ``[".pdf", "image/*"]``. What is taken at all is the middleware's
        option of the same name.
    :param max_age: how many seconds ago the upload may have been completed at most; None for any time.
    """

    default_error_messages = {  # noqa: RUF012  as Django has it
        "invalid-receipt": _("This upload cannot be used any more. Choose the file again."),
        "not-yours": _("This upload was made by somebody else. Choose the file again."),
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
        return {"accept": self.accept} if self.accept else {}

    def to_python(self, value: Any) -> Upload | list[Upload] | None:
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
    """Every value of that name, in what Django gives or in a plain dictionary."""
    if hasattr(data, "getlist"):
        return list(data.getlist(name))
    value = data.get(name)
    return list(value) if isinstance(value, list | tuple) else [value]


def _uploaded(value: Any) -> list[tuple[str, Upload]]:
    """The receipts that the form carried already, as far as they are good, and what they prove."""
    found = []
    for receipt in value if isinstance(value, list) else []:
        try:
            found.append((receipt, current_uploads().verify(receipt)))
        except (InvalidReceipt, NotYours):
            continue  # the field has said so
    return found
