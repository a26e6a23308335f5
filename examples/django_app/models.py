"""The record of uploads."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.db import models

from direct_upload_middleware import Upload


class Document(models.Model):
    """A completed upload. The ID of the upload is the primary key, so recording it twice does no harm."""

    id = models.CharField(max_length=32, primary_key=True)
    name = models.CharField(max_length=1024)
    container = models.CharField(max_length=256)
    filename = models.CharField(max_length=1024)
    type = models.CharField(max_length=255)
    size = models.BigIntegerField()
    etag = models.CharField(max_length=64)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    owner_id: int
    completed = models.DateTimeField()
    title = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("-completed",)

    def __str__(self) -> str:
        return str(self.title or self.filename)

    @property
    def kind(self) -> str:
        """Return the first characters of the extension of the filename."""
        return str(self.filename).rpartition(".")[2][:4]

    @property
    def upload(self) -> Upload:
        """Return the upload for ``download_url()`` and ``delete()``."""
        values = {name: getattr(self, name) for name in Upload.__dataclass_fields__}
        return Upload(**values | {"owner": str(self.owner_id)})


def record(environ: dict[str, Any], upload: Upload) -> None:
    """Record a completed upload. It can be called more than once."""
    values = asdict(upload)
    owner = values.pop("owner")
    Document.objects.get_or_create(id=values.pop("id"), defaults={**values, "owner_id": int(owner)})
