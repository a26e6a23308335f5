"""Deform and Colander: a type whose value is an :class:`~direct_upload_middleware.Upload`, and its widget.

::

    class DocumentSchema(CSRFSchema):
        title = colander.SchemaNode(colander.String())
        document = colander.SchemaNode(UploadType())
        pictures = colander.SchemaNode(UploadType(multiple=True), missing=[])

    form = deform.Form(DocumentSchema().bind(request=request), buttons=("send",))
    try:
        values = form.validate(request.POST.items())
    except deform.ValidationFailure as error:
        return {"form": error.render()}
    record(values["document"])

The widget is a ``<direct-upload>``. Validators see the upload. When the form is shown again, the uploaded files stay
chosen. Without JavaScript the browser sends the files themselves, which are then stored.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..errors import InvalidReceipt, InvalidRequest, NotAuthenticated, NotYours, Refused, TooLarge, TypeNotAccepted
from ..models import Upload
from ..receiving.received_files import is_empty
from ..request_uploads import RequestUploads
from .common import RECEIPT_MESSAGES, framework, uploads_in
from .field_html import upload_field

with framework("Deform", "deform"):
    import colander
    from deform.widget import Widget
    from pyramid.threadlocal import get_current_request

__all__ = ["UploadType", "UploadWidget"]


class UploadWidget(Widget):  # type: ignore[misc]  # Deform has no types
    """A ``<direct-upload>`` for an :class:`UploadType`.

    :param accept: the files that the browser offers to choose: ``[".pdf", "image/*"]``. The middleware's option of the
        same name decides what is accepted.
    """

    accept: Iterable[str] = ()

    def serialize(self, field: Any, cstruct: Any, **kw: Any) -> str:
        """Return the element's HTML. Called by Deform."""
        multiple = field.typ.multiple
        values = [] if cstruct in (colander.null, None) else cstruct if isinstance(cstruct, list) else [cstruct]
        receipts = [value for value in values if isinstance(value, str) and value]
        kept = list(_kept(field.schema, receipts if multiple else receipts[-1:]))
        attributes = {"id": field.oid, "class": self.css_class}
        options = {"multiple": multiple, "required": field.required, "accept": ",".join(self.accept)}
        html = upload_field(field.name, **options, kept=kept, attributes=attributes)
        if not multiple:
            return html
        return _marker("__start__", field.name) + html + _marker("__end__", field.name)

    def deserialize(self, field: Any, pstruct: Any) -> Any:
        """Return the field's values. Called by Deform."""
        values = [] if pstruct is colander.null else pstruct if isinstance(pstruct, list) else [pstruct]
        return [value for value in values if not is_empty(value)] or colander.null


class UploadType(colander.SchemaType):  # type: ignore[misc]  # Colander has no types
    """A Colander type: an Upload, or a list of them.

    The request is the schema's binding ``request``, or Pyramid's current request.

    :param multiple: if True, the value is a list.
    :param max_age: the greatest age of a completed upload in seconds; None for any age.
    """

    widget_maker = UploadWidget

    def __init__(self, *, multiple: bool = False, max_age: float | None = None) -> None:
        self.multiple = multiple
        self._max_age = max_age

    def serialize(self, node: Any, appstruct: Any) -> Any:
        """Return what the widget shows: nothing of a stored upload. Called by Colander."""
        return colander.null

    def deserialize(self, node: Any, cstruct: Any) -> Any:
        """Return the uploads that the values prove, or that are made of files. Called by Colander."""
        if cstruct is colander.null or not cstruct:
            return colander.null
        values = cstruct if isinstance(cstruct, list) else [cstruct]
        try:
            found = _uploads(node).from_form_all(values if self.multiple else values[-1:], max_age=self._max_age)
        except (InvalidReceipt, NotYours) as error:
            raise colander.Invalid(node, RECEIPT_MESSAGES[error.code]) from error
        except (InvalidRequest, NotAuthenticated, Refused, TooLarge, TypeNotAccepted) as error:
            raise colander.Invalid(node, error.detail) from error
        if not found:
            return colander.null
        return found if self.multiple else found[0]

    def cstruct_children(self, node: Any, cstruct: Any) -> list[Any]:
        """Return no children. Called by Colander."""
        return []


def _uploads(node: Any) -> RequestUploads:
    request = (node.bindings or {}).get("request") or get_current_request()
    return uploads_in(request.environ if request is not None else {})


def _kept(node: Any, receipts: Iterable[str]) -> Iterable[tuple[str, Upload]]:
    """Yield the valid receipts with their uploads."""
    for receipt in receipts:
        try:
            yield receipt, _uploads(node).verify(receipt)
        except (InvalidReceipt, NotYours):
            continue  # the type reports it


def _marker(name: str, field: str) -> str:
    """Return Peppercorn's mark of the begin or end of a list."""
    return f'<input type="hidden" name="{name}" value="{field}:sequence">'
