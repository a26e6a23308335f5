"""The upload form."""

from __future__ import annotations

from django import forms

from direct_upload_middleware.integrations.django.forms import UploadField


class DocumentForm(forms.Form):
    """A form for files of any size, which are uploaded before the form is submitted."""

    document = UploadField(multiple=True, element=True)
    title = forms.CharField(max_length=200, required=False)
