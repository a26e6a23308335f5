"""Errors that newcomers make are refused with a sentence that names the remedy."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from direct_upload_middleware import ConfigurationError, DirectUploadMiddleware, UploadStore


def app(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b""]


async def asgi_function(scope: Any, receive: Any, send: Any) -> None:
    """An ASGI application."""


class AsgiObject:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer, as Starlette, FastAPI and Django do."""


@pytest.mark.parametrize(("scheme", "module"), [("swift", "requests"), ("swift", "openstack"), ("rackspace", "pyrax")])
def test_a_missing_extra_is_named_before_a_missing_secret(
    monkeypatch: pytest.MonkeyPatch, scheme: str, module: str
) -> None:
    find = importlib.util.find_spec
    present = {"pyrax": object()}

    def find_spec(name: str, package: str | None = None) -> Any:
        return None if name == module else present.get(name) or find(name, package)

    monkeypatch.setattr("importlib.util.find_spec", find_spec)
    for make in (lambda url: DirectUploadMiddleware(app, url), UploadStore):
        with pytest.raises(ConfigurationError, match=rf"{module}: pip install 'direct-upload-middleware\[{scheme}\]'"):
            make(f"{scheme}://uploads")


@pytest.mark.parametrize("asgi", [asgi_function, AsgiObject()])
def test_an_asgi_application_is_refused(tmp_path: Path, asgi: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"ASGI application.*a2wsgi"):
        DirectUploadMiddleware(asgi, f"local:{tmp_path}")


def test_an_application_is_wrapped_once_per_mount(tmp_path: Path) -> None:
    once = DirectUploadMiddleware(app, f"local:{tmp_path}")
    with pytest.raises(ConfigurationError, match="wrap it once"):
        DirectUploadMiddleware(once, f"local:{tmp_path}")
    DirectUploadMiddleware(once, f"local:{tmp_path}", mount="/_other")
