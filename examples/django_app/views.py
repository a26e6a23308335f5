"""The pages for users who are logged in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
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
        values = {"title": form.cleaned_data["title"], "state": "saved", "changed": timezone.now()}
        Document.objects.filter(id__in=ids).exclude(state="deleted").update(**values)
        return redirect(f"{reverse('index')}?saved={len(ids)}")
    deleted = own(request, "deleted").filter(id=request.GET.get("deleted", "")).first()
    saved = request.GET.get("saved", "")
    values = {"form": form, "documents": own(request), "saved": saved if saved.isdecimal() else "", "deleted": deleted}
    return render(request, "documents.html", values)


@login_required
def download(request: HttpRequest, id: str) -> HttpResponse:
    document = get_object_or_404(own(request), id=id)
    return redirect(current_uploads().download_url(document.upload))


@login_required
@require_POST
def delete(request: HttpRequest, id: str) -> HttpResponse:
    """Take a document from the shelf. ``clean_up`` deletes the file later, so this can be undone."""
    get_object_or_404(own(request), id=id).set_state("deleted")
    return redirect(f"{reverse('index')}?deleted={id}")


@login_required
@require_POST
def restore(request: HttpRequest, id: str) -> HttpResponse:
    get_object_or_404(own(request, "deleted"), id=id).set_state("saved")
    return redirect("index")


def own(request: HttpRequest, state: str = "saved") -> Any:
    """Return the documents of the user in this state."""
    return Document.objects.filter(owner=request.user, state=state)


def style(request: HttpRequest) -> FileResponse:
    return FileResponse(STYLE.open("rb"), content_type="text/css")
