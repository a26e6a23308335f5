"""The URLs of the pages."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from . import views

urlpatterns = [
    path("", views.index, name="index"),
    path("login", views.LogIn.as_view(), name="log_in"),
    path("logout", LogoutView.as_view(), name="log_out"),
    path("documents/<id>", views.download, name="download"),
    path("documents/<id>/delete", views.delete, name="delete"),
    path("documents/<id>/restore", views.restore, name="restore"),
    path("style.css", views.style, name="style"),
]
