"""The record of uploads."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from direct_upload_middleware import Refused, Upload
from direct_upload_middleware.integrations.django import upload_store

from ..sizes import readable_size


class Document(models.Model):
    """An upload on its way to the shelf, on it, or in the bin. The ID of the upload is the primary key."""

    id = models.CharField(max_length=32, primary_key=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    values = models.JSONField()
    title = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=7, default="pending")  # then "saved", perhaps "deleted"
    changed = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-changed",)

    def __str__(self) -> str:
        return str(self.title or self.upload.filename)

    @property
    def upload(self) -> Upload:
        """Return the upload for ``download_url()`` and ``delete()``."""
        return Upload.from_dict(self.values)

    @property
    def kind(self) -> str:
        """Return the first characters of the extension of the filename."""
        return self.upload.filename.rpartition(".")[2][:4]

    @property
    def readable_size(self) -> str:
        return readable_size(self.upload.size)

    def set_state(self, state: str) -> None:
        self.state, self.changed = state, timezone.now()
        self.save(update_fields=["state", "changed"])


def record(environ: dict[str, Any], upload: Upload) -> None:
    """Record a completed upload, which is pending until its form is sent. It can be called more than once."""
    values = {"owner_id": int(upload.owner or 0), "values": upload.to_dict()}
    Document.objects.get_or_create(id=upload.id, defaults=values)


def forget(environ: dict[str, Any], upload: Upload) -> None:
    """Forget an upload that the user removed from the field. It is deleted after this."""
    Document.objects.filter(id=upload.id, state="pending").delete()
    if Document.objects.filter(id=upload.id).exists():
        raise Refused("This file is on the shelf.")


def clean_up(age: timedelta = timedelta(days=1)) -> int:
    """Delete what was never sent, or was deleted from the shelf, this long ago. A row goes only if its file did."""
    unwanted = Document.objects.exclude(state="saved").filter(changed__lte=timezone.now() - age)
    found = list(unwanted)
    for document in found:
        with transaction.atomic():
            if unwanted.filter(id=document.id).delete()[0]:
                upload_store().delete(document.upload)
    return len(found)
