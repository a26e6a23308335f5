"""WTForms and Flask-WTF: a field whose data is an :class:`~direct_upload_middleware.Upload`, or a list of them.

::

    class DocumentForm(FlaskForm):
        title = StringField()
        document = UploadField(validators=[InputRequired()], accept=[".pdf"])
        pictures = UploadField(multiple=True)

    form = DocumentForm()
    if form.validate_on_submit():
        record(form.document.data)

Validators see the upload. When the form is shown again because another field is invalid, the uploaded files stay
chosen. Without JavaScript the browser sends the files themselves, which are then stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from markupsafe import Markup

from ..errors import (
    InvalidReceipt,
    InvalidRequest,
    NotAuthenticated,
    NotYours,
    Refused,
    TooLarge,
    TypeNotAccepted,
)
from ..models import Upload
from ..request_uploads import RequestUploads
from .common import RECEIPT_MESSAGES, framework
from .field_html import upload_field

with framework("WTForms", "wtforms"):
    from wtforms import Field
    from wtforms.widgets import FileInput

__all__ = ["UploadField", "UploadInput"]


class UploadInput(FileInput):  # type: ignore[misc]  # WTForms has no types
    """A file input whose files go directly to storage, with a checkbox for each file that was uploaded before."""

    def __call__(self, field: UploadField, **kwargs: Any) -> Markup:
        """Return the input's HTML."""
        kept = list(field.kept())
        if field.element:
            return self._element(field, kept, kwargs)
        options = {"data_direct_upload": True, "multiple": field.multiple, "accept": field.accept or False}
        if kept:
            options["required"] = False
        label = Markup(
            '<label class="direct-upload-kept"><input type="checkbox" name="{}" value="{}" checked> {}</label>'
        )
        choices = [label.format(field.name, receipt, upload.filename) for receipt, upload in kept]
        return Markup("").join([*choices, super().__call__(field, **{**options, **kwargs})])

    def _element(self, field: UploadField, kept: list[tuple[str, Upload]], attributes: dict[str, Any]) -> Markup:
        options: dict[str, Any] = {
            "multiple": field.multiple,
            "required": field.flags.required is True,
            "accept": field.accept,
        }
        html = upload_field(field.name, **options, kept=kept, attributes={"id": field.id, **attributes})
        return Markup(html)  # noqa: S704  it is escaped


class UploadField(Field):  # type: ignore[misc]  # WTForms has no types
    """A form field that turns receipts, and files of browsers without JavaScript, into uploads.

    :param multiple: if True, ``data`` is a list, empty when nothing was uploaded; else an Upload or None.
    :param accept: the files that the browser offers to choose: ``[".pdf", "image/*"]``. The middleware's option of the
        same name decides what is accepted.
    :param element: show a ``<direct-upload>``, with a drop zone and a list, instead of a plain input.
    :param max_age: the greatest age of a completed upload in seconds; None for any age.
    :param uploads: a callable that returns the request's uploads; by default Flask's ``current_uploads``.
    """

    widget = UploadInput()

    def __init__(
        self,
        *args: Any,
        multiple: bool = False,
        accept: Iterable[str] = (),
        element: bool = False,
        max_age: float | None = None,
        uploads: Callable[[], RequestUploads] | None = None,
        **kwargs: Any,
    ) -> None:
        self.multiple = multiple
        self.accept = ",".join(accept)
        self.element = element
        self._max_age = max_age
        self._find_uploads = uploads or _flask_uploads
        super().__init__(*args, **kwargs)

    def process_data(self, value: Any) -> None:
        """Set ``data`` to what the form was made with. Called by WTForms."""
        self.data: Any = value or ([] if self.multiple else None)

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Set ``data`` to what the form carries. Called by WTForms."""
        values = self.raw_data = [value for value in valuelist if value]  # for InputRequired, too
        if not values:
            return  # what the form was made with, if anything
        self.data = [] if self.multiple else None
        try:
            found = self._find_uploads().from_form_all(values if self.multiple else values[-1:], max_age=self._max_age)
        except (InvalidReceipt, NotYours) as error:
            raise ValueError(self.gettext(RECEIPT_MESSAGES[error.code])) from error
        except (InvalidRequest, NotAuthenticated, Refused, TooLarge, TypeNotAccepted) as error:
            raise ValueError(error.detail) from error
        self.data = found if self.multiple else found[0]

    def kept(self) -> Iterable[tuple[str, Upload]]:
        """Yield the valid receipts among the form's values, with their uploads."""
        receipts = [value for value in self.raw_data or () if isinstance(value, str) and value]
        for receipt in receipts if self.multiple else receipts[-1:]:
            try:
                yield receipt, self._find_uploads().verify(receipt)
            except (InvalidReceipt, NotYours):
                continue  # the field reports it


def _flask_uploads() -> RequestUploads:
    from .flask import current_uploads

    return current_uploads
