"""Django forms: a field whose cleaned value is an :class:`~direct_upload_middleware.Upload`, or a list of them.

::

    class DocumentForm(forms.Form):
        title = forms.CharField()
        document = UploadField(accept=[".pdf"])
        pictures = UploadField(multiple=True, required=False)

    form = DocumentForm(request.POST, request.FILES)
    if form.is_valid():
        Document.objects.create(title=…, id=form.cleaned_data["document"].id)

When the form is shown again because another field is invalid, the uploaded files stay chosen. Without JavaScript the
browser sends the files themselves, which are then stored.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ...errors import (
    InvalidReceipt,
    InvalidRequest,
    NotAuthenticated,
    NotYours,
    Refused,
    TooLarge,
    TypeNotAccepted,
)
from ...models import Upload
from ..common import framework
from .current import current_uploads
from .files import StoredUploadedFile

with framework("Django", "django"):
    from django import forms
    from django.core.exceptions import ValidationError
    from django.forms.utils import flatatt
    from django.utils.html import format_html, format_html_join
    from django.utils.safestring import SafeString
    from django.utils.translation import gettext_lazy as _

__all__ = ["UploadField", "UploadInput"]


class UploadInput(forms.FileInput):
    """A file input whose files go directly to storage; the form receives their receipts.

    :param multiple: let the user choose several files.
    :param element: be a ``<direct-upload>`` with a drop zone and a list instead of a plain input.
    """

    def __init__(self, attrs: dict[str, Any] | None = None, *, multiple: bool = False, element: bool = False) -> None:
        self.allow_multiple_selected = multiple
        self.element = element
        super().__init__({**({} if element else {"data-direct-upload": True}), **(attrs or {})})

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> list[Any]:
        """Return the receipts, and the files that a browser without JavaScript sent."""
        sent = [file for file in _all(files, name) if file and not isinstance(file, StoredUploadedFile)]
        return [value for value in _all(data, name) if value] + sent

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        """Tell whether the form has no value for this input."""
        return name not in data and name not in files

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Return the input's HTML, with a checkbox for each file that was uploaded before."""
        kept = _kept(value, multiple=self.allow_multiple_selected)
        current = [name for name in map(_filename, value if isinstance(value, list) else [value]) if name]
        if self.element:
            return self._render_element(name, kept, current, attrs, renderer)
        return self._render_input(name, kept, current, attrs, renderer)

    def _render_element(self, name: str, kept: Any, current: list[str], attrs: Any, renderer: Any) -> SafeString:
        """Return the element. The input inside it is for browsers without JavaScript."""
        inside = {key: value for key, value in (attrs or {}).items() if key != "id"} | {"aria-label": _("File")}
        fallback = self._render_input(name, kept, current, inside, renderer)
        given = {"name": name, "multiple": self.allow_multiple_selected, **self.build_attrs(self.attrs, attrs)}
        if kept:
            given["data-receipts"] = json.dumps([receipt for receipt, _upload in kept])
        if current:
            given["required"] = False
        return format_html("<direct-upload{}>{}</direct-upload>", flatatt(given), fallback)

    def _render_input(self, name: str, kept: Any, current: list[str], attrs: Any, renderer: Any) -> SafeString:
        if kept or current:
            attrs = {**(attrs or {}), "required": False}
        choices = format_html_join(
            "",
            '<label class="direct-upload-kept"><input type="checkbox" name="{}" value="{}" checked> {}</label>',
            ((name, receipt, upload.filename) for receipt, upload in kept),
        )
        names = format_html_join("", '<span class="direct-upload-current">{}</span>', ((name,) for name in current))
        return format_html("{}{}{}", names, choices, super().render(name, None, attrs, renderer))


class UploadField(forms.Field):
    """A form field that turns receipts into uploads.

    :param multiple: if True, the cleaned value is a list, empty when nothing was uploaded; else an Upload or None.
    :param accept: the files that the browser offers to choose: ``[".pdf", "image/*"]``. The middleware's option of the
        same name decides what is accepted.
    :param element: show a ``<direct-upload>``, with a drop zone and a list, instead of a plain input.
    :param max_age: the greatest age of a completed upload in seconds; None for any age.
    """

    default_error_messages = {  # noqa: RUF012  Django declares it like this
        "invalid-receipt": _("This upload is no longer valid. Choose the file again."),
        "not-yours": _("This upload was started by another user. Choose the file again."),
    }

    def __init__(
        self,
        *,
        multiple: bool = False,
        accept: Iterable[str] = (),
        element: bool = False,
        max_age: float | None = None,
        **kwargs: Any,
    ) -> None:
        self.multiple = multiple
        self.accept = ",".join(accept)
        self.max_age = max_age
        kwargs.setdefault("widget", UploadInput(multiple=multiple, element=element))
        super().__init__(**kwargs)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """Return the input's ``accept`` attribute."""
        return {"accept": self.accept} if self.accept else {}

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Tell whether something was uploaded, like Django's own file field."""
        return not self.disabled and bool(data)

    def clean(self, value: Any, initial: Any = None) -> Any:
        """Return the upload, or the list of uploads; ``initial`` when nothing was uploaded."""
        return initial if initial and not value else super().clean(value)

    def _clean_bound_field(self, bound: Any) -> Any:
        return bound.initial if self.disabled else self.clean(bound.data, bound.initial)

    def to_python(self, value: Any) -> Upload | list[Upload] | None:
        """Return the upload, or the list of uploads, that receipts prove or that are made of files."""
        values = list(value or []) if isinstance(value, list | tuple) else [value] if value else []
        if not self.multiple:
            values = values[-1:]
        found = self._uploads(values)
        if self.multiple:
            return found
        return found[0] if found else None

    def _uploads(self, values: list[Any]) -> list[Upload]:
        if not values:
            return []
        try:
            return current_uploads().from_form_all(values, max_age=self.max_age)
        except (InvalidReceipt, NotYours) as error:
            raise ValidationError(self.error_messages[error.code], code=error.code) from error
        except (InvalidRequest, NotAuthenticated, Refused, TooLarge, TypeNotAccepted) as error:
            raise ValidationError(error.detail, code=error.code) from error


def _all(data: Mapping[str, Any], name: str) -> list[Any]:
    """Return every value of that name in a MultiValueDict or a plain dictionary."""
    if hasattr(data, "getlist"):
        return list(data.getlist(name))
    value = data.get(name)
    return list(value) if isinstance(value, list | tuple) else [value]


def _kept(value: Any, *, multiple: bool) -> list[tuple[str, Upload]]:
    """Return the valid receipts among the form's values, with their uploads."""
    receipts = [receipt for receipt in value if isinstance(receipt, str)] if isinstance(value, list) else []
    found = []
    for receipt in receipts if multiple else receipts[-1:]:
        try:
            found.append((receipt, current_uploads().verify(receipt)))
        except (InvalidReceipt, NotYours):
            continue  # the field reports it
    return found


def _filename(initial: Any) -> str | None:
    """Return the filename of an initial value: an Upload, its dictionary, or a file of a model."""
    values = initial if isinstance(initial, Mapping) else {a: getattr(initial, a, None) for a in ("filename", "name")}
    name = values.get("filename") or values.get("name")
    return name.rpartition("/")[2] if isinstance(name, str) else None
