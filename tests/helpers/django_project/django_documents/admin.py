"""The admin of the documents."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from .models import Document, Page


class Pages(admin.TabularInline):
    """The pages of a document."""

    model: Any = Page
    extra = 1


@admin.register(Document)
class DocumentAdmin(admin.ModelAdmin):
    """Documents with their pages."""

    inlines = (Pages,)
