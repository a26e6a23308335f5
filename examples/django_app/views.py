"""The pages for users who are logged in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from direct_upload_middleware.integrations.django import current_uploads

from .forms import DocumentForm
from .models import Document
from .run import PASSWORDS

STYLE = Path(__file__).parents[1] / "style.css"


class LogIn(LoginView):
    """Django's login page, with the users of this demo."""

    extra_context = {"passwords": PASSWORDS}  # noqa: RUF012  as Django has it


@login_required
def index(request: HttpRequest) -> HttpResponse:
    form = DocumentForm(request.POST or None, request.FILES or None)
    if form.is_valid():
        ids = [upload.id for upload in form.cleaned_data["document"]]
        own(request).filter(id__in=ids).update(title=form.cleaned_data["title"])
        return redirect("index")
    return render(request, "documents.html", {"form": form, "documents": own(request)})


@login_required
def download(request: HttpRequest, id: str) -> HttpResponse:
    document = get_object_or_404(own(request), id=id)
    return redirect(current_uploads().download_url(document.upload))


@login_required
@require_POST
def delete(request: HttpRequest, id: str) -> HttpResponse:
    document = get_object_or_404(own(request), id=id)
    current_uploads().delete(document.upload)
    document.delete()
    return redirect("index")


def own(request: HttpRequest) -> Any:
    """Return the documents of the user."""
    return Document.objects.filter(owner=request.user)


def style(request: HttpRequest) -> FileResponse:
    return FileResponse(STYLE.open("rb"), content_type="text/css")
