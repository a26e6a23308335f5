"""The Django application: system checks, management commands, and upload fields in forms and the admin."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig, apps
from django.core import checks
from django.db.models import FileField

from .checks import check_middleware, check_settings


class DirectUploadConfig(AppConfig):
    """The configuration of the application."""

    name = "direct_upload_middleware.integrations.django"
    label = "direct_upload"
    verbose_name = "Direct uploads"

    def ready(self) -> None:
        """Register the checks, and mark the inputs of file fields whose storage is ours. Called by Django."""
        checks.register(check_settings)
        checks.register(check_middleware)
        for model in apps.get_models(include_auto_created=True):
            for field in model._meta.get_fields():
                if isinstance(field, FileField):
                    _mark_input(field)


def _mark_input(field: Any) -> None:
    """Let the form fields of a model's file field have inputs that upload when a file is chosen."""
    make = field.formfield

    def formfield(**options: Any) -> Any:
        from .storage import DirectUploadStorage

        form_field = make(**options)
        if form_field is not None and isinstance(field.storage, DirectUploadStorage):
            form_field.widget.attrs["data-direct-upload"] = True
        return form_field

    field.formfield = formfield
