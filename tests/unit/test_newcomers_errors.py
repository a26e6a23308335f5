"""Errors that newcomers make are refused with a sentence that names the remedy."""

from __future__ import annotations

import importlib.util
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from webtest import TestApp

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
    makers = (lambda url: DirectUploadMiddleware(app, url, acept=1, parallel="many"), UploadStore)
    for make in makers:
        with pytest.raises(ConfigurationError, match=rf"{module}: pip install 'direct-upload-middleware\[{scheme}\]'"):
            make(f"{scheme}://uploads")


def test_the_missing_extra_of_s3_is_named_before_anything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore", None)
    for make in (lambda url: DirectUploadMiddleware(app, url, acept=1), UploadStore):
        with pytest.raises(ConfigurationError, match=r"botocore: pip install 'direct-upload-middleware\[s3\]'"):
            make("s3://uploads")


@pytest.mark.parametrize("module", ["click", "rich", "requests"])
def test_the_missing_extra_of_the_command_is_named(module: str) -> None:
    code = f"import sys; sys.modules[{module!r}] = None; import direct_upload_middleware.cli"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 1
    assert run.stderr == f"direct-upload needs {module}: pip install 'direct-upload-middleware[cli]'\n"


@pytest.mark.parametrize("asgi", [asgi_function, AsgiObject()])
def test_an_asgi_application_is_refused(tmp_path: Path, asgi: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"ASGI application.*a2wsgi"):
        DirectUploadMiddleware(asgi, f"local:{tmp_path}")


def test_an_application_is_wrapped_once_per_mount(tmp_path: Path) -> None:
    once = DirectUploadMiddleware(app, f"local:{tmp_path}")
    with pytest.raises(ConfigurationError, match="wrap it once"):
        DirectUploadMiddleware(once, f"local:{tmp_path}")
    DirectUploadMiddleware(once, f"local:{tmp_path}", mount="/_other")


def between(inner: Any) -> Any:
    """Another middleware, such as ProxyFix."""
    return lambda environ, start_response: inner(environ, start_response)


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


def test_a_second_middleware_around_others_is_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    inner = DirectUploadMiddleware(app, f"local:{tmp_path}")
    twice = TestApp(DirectUploadMiddleware(between(inner), f"local:{tmp_path}"))
    for _ in range(2):
        twice.get("/")
    [warning] = warnings_of(caplog)
    assert "wrapped by two DirectUploadMiddlewares at /_upload" in warning
    assert "remove one of them" in warning


def below(prefix: str, inner: Any) -> Any:
    """Mount an application at a prefix, as Werkzeug's DispatcherMiddleware does."""
    return lambda environ, start_response: inner({**environ, "SCRIPT_NAME": prefix}, start_response)


def test_middlewares_of_different_mounts_or_prefixes_are_not_wrapped_twice(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = DirectUploadMiddleware(app, f"local:{tmp_path}", mount="/_other")
    mounted = below("/shop", DirectUploadMiddleware(app, f"local:{tmp_path}"))
    for inner in (between(other), mounted):
        TestApp(DirectUploadMiddleware(inner, f"local:{tmp_path}")).get("/")
    assert warnings_of(caplog) == []


@pytest.mark.parametrize(("is_multiprocess", "number"), [(True, 1), (False, 0)])
def test_workers_with_different_secrets_are_told_to_share_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, is_multiprocess: bool, number: int
) -> None:
    environ = {"wsgi.multiprocess": is_multiprocess, "REMOTE_USER": "ann"}
    make = (DirectUploadMiddleware(app, f"local:{tmp_path}", secret=secret) for secret in ("one", "other"))
    first, second = (TestApp(worker, extra_environ=environ) for worker in make)
    begun = first.post_json("/_upload/uploads", {"filename": "a", "size": 1, "type": ""}).json
    for _ in range(2):
        headers = {"Upload-Ticket": begun["ticket"]}
        second.get(f"/_upload/uploads/{begun['id']}", headers=headers, status=403)
    assert len(warnings_of(caplog)) == number
    assert all("give the option secret the same value in all processes" in each for each in warnings_of(caplog))


def test_flasks_uploads_outside_a_request_name_the_remedy() -> None:
    from direct_upload_middleware.integrations.flask import current_uploads

    with pytest.raises(ConfigurationError, match="outside requests, use UploadStore"):
        current_uploads.verify("receipt")


def test_flasks_uploads_in_an_application_that_is_not_wrapped_name_the_remedy() -> None:
    from flask import Flask

    from direct_upload_middleware.integrations.flask import current_uploads

    with Flask(__name__).test_request_context(), pytest.raises(ConfigurationError, match="Wrap the application"):
        current_uploads.verify("receipt")


def test_bottles_uploads_in_an_application_that_is_not_wrapped_name_the_remedy() -> None:
    import bottle

    from direct_upload_middleware.integrations.bottle import DirectUploadPlugin

    site = bottle.Bottle()
    site.config["catchall"] = False
    site.install(DirectUploadPlugin())
    site.get("/", callback=lambda uploads: "")
    with pytest.raises(ConfigurationError, match="Wrap the application"):
        TestApp(site).get("/")


def test_pyramids_uploads_without_the_tween_name_the_remedy() -> None:
    from pyramid.config import Configurator

    config = Configurator(settings={"pyramid.tweens": "pyramid.tweens.excview_tween_factory"})
    config.include("direct_upload_middleware.integrations.pyramid")
    config.add_view(lambda request: request.direct_upload.verify("receipt"))
    with pytest.raises(ConfigurationError, match="Wrap the application"):
        TestApp(config.make_wsgi_app()).get("/")
