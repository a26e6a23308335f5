"""An alias of :mod:`direct_upload_middleware.integrations.django.forms`."""

from .django.forms import UploadField, UploadInput

__all__ = ["UploadField", "UploadInput"]
