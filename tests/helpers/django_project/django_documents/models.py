"""Models with ordinary file fields."""

from __future__ import annotations

from django.db import models


class Document(models.Model):
    """A document with a file, as anybody would write it."""

    title = models.CharField(max_length=100)
    file = models.FileField(upload_to="documents/%Y/", blank=True)
    picture = models.ImageField(blank=True)


class Page(models.Model):
    """A page of a document, for formsets and the admin's inlines."""

    document = models.ForeignKey(Document, on_delete=models.CASCADE)
    scan = models.FileField(max_length=300)
